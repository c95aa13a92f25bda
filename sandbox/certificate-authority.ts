import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {libraryPath} from './library-path.js'
import {runProgram} from './program.js'
import {unpackedPackages} from './unpacked-packages.js'

/** A certificate in PEM form, with the private key that belongs to it. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

/** A certificate authority that nobody trusts by himself. */
export interface CertificateAuthority {
  /** Its own certificate in PEM form, for those who shall trust it. */
  readonly certificate: string
  /** Paths of the same certificate and of its private key. */
  readonly certificateFile: string
  readonly keyFile: string
  /** Makes a key, and a certificate of a server that has all of these host names. */
  issue(hostNames: readonly string[]): Promise<KeyPair>
  /** Removes its files. */
  remove(): Promise<void>
}

// A name without a configuration file of its own would be asked for; `-subj` answers.
const configuration = '[req]\ndistinguished_name = name\n[name]\n'

/** Makes an authority with a name that people read in a certificate's issuer, by Debian's openssl. */
export async function createCertificateAuthority(
  name: string,
  options: {readonly cacheDirectory: string; readonly log: (line: string) => void}
): Promise<CertificateAuthority> {
  const programs = await unpackedPackages(['openssl', 'libssl3'], {suite: 'bookworm', ...options})
  const directory = await mkdtemp(join(tmpdir(), 'build-moby-authority-'))
  const configurationFile = join(directory, 'openssl.cnf')
  await writeFile(configurationFile, configuration)
  const make = async (file: string, commonName: string, extensions: readonly string[], ...signer: string[]) => {
    const extras = extensions.flatMap(extension => ['-addext', extension])
    const words = [
      'req',
      '-x509',
      '-config',
      configurationFile,
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-noenc',
      '-days',
      '30'
    ]
    const files = ['-keyout', `${file}.key`, '-out', `${file}.pem`]
    await runProgram(
      [join(programs, 'usr/bin/openssl'), ...words, '-subj', `/CN=${commonName}`, ...extras, ...signer, ...files],
      {log: options.log, environment: {LD_LIBRARY_PATH: await libraryPath(programs)}}
    )
  }
  const own = join(directory, 'authority')
  const [certificateFile, keyFile] = [`${own}.pem`, `${own}.key`]
  let issued = 0
  await make(own, name, ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'])
  return {
    certificate: await readFile(certificateFile, 'utf8'),
    certificateFile,
    keyFile,
    issue: async hostNames => {
      const file = join(directory, String(issued++))
      const names = hostNames.map(hostName => `DNS:${hostName}`).join(',')
      const extensions = [
        `subjectAltName=${names}`,
        'basicConstraints=critical,CA:FALSE',
        'extendedKeyUsage=serverAuth'
      ]
      await make(file, hostNames[0] ?? name, extensions, '-CA', certificateFile, '-CAkey', keyFile)
      return {certificate: await readFile(`${file}.pem`, 'utf8'), key: await readFile(`${file}.key`, 'utf8')}
    },
    remove: () => rm(directory, {recursive: true, force: true})
  }
}
