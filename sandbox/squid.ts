import {createHash} from 'node:crypto'
import {readFileSync} from 'node:fs'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {basename, join} from 'node:path'
import type {CertificateAuthority} from './certificate-authority.js'
import {accepts, type ForwardProxy, type ProxiedRequest} from './forward-proxy.js'
import {type Credentials, freePort} from './http-server.js'
import {libraryPath} from './library-path.js'
import {runProgram, startProgram} from './program.js'
import {unpackedPackages} from './unpacked-packages.js'

export interface SquidOptions {
  readonly addresses: readonly string[]
  readonly cacheDirectory: string
  readonly log: (line: string) => void
  /** What clients must send; others are answered 407. */
  readonly credentials: Credentials
  /** The proxy that everything is passed on to, on 127.0.0.1, and what it wants. */
  readonly next: {readonly port: number; readonly credentials?: Credentials}
  /** When given, TLS is opened and what is in it read, as companies do. */
  readonly inspection?: {
    /** Signs the certificates that clients see in place of the servers' own. */
    readonly authority: CertificateAuthority
    /** Signs those that servers must have. */
    readonly trusted: CertificateAuthority
  }
}

// Beside Squid itself what it is linked with, except libc.
const packages = [
  ...[
    'squid-openssl',
    'squid-common',
    'squid-langpack',
    'libcap2',
    'libcom-err2',
    'libcrypt1',
    'libecap3',
    'libgcc-s1',
    'libgcrypt20'
  ],
  ...['libgpg-error0', 'libgssapi-krb5-2', 'libk5crypto3', 'libkeyutils1', 'libkrb5-3', 'libkrb5support0', 'libltdl7'],
  ...['liblz4-1', 'liblzma5', 'libmnl0', 'libnetfilter-conntrack3', 'libnettle8', 'libnfnetlink0', 'libssl3'],
  ...['libstdc++6', 'libsystemd0', 'libzstd1']
]

/**
 * Starts a forward proxy that passes everything on to another one: Squid (http://www.squid-cache.org), in the foreground.
 * With every CONNECT of its own Squid sends the length of the content that is to follow in the tunnel, for which tinyproxy
 * waits; behind an inspecting Squid only another Squid will do.
 */
export async function startSquid(options: SquidOptions): Promise<ForwardProxy> {
  const {addresses, cacheDirectory, log, credentials, inspection} = options
  const programs = await unpackedPackages(packages, {suite: 'bookworm', cacheDirectory, log})
  const environment = {LD_LIBRARY_PATH: await libraryPath(programs)}
  const port = await freePort(addresses)
  const directory = await mkdtemp(join(tmpdir(), 'build-moby-squid-'))
  const file = (name: string): string => join(directory, name)
  const writeSecret = (name: string, text: string): Promise<void> => writeFile(file(name), text, {mode: 0o600})
  try {
    const hash = createHash('md5').update(credentials.password).digest('hex')
    await writeSecret('passwords', `${credentials.username}:${hash}\n`)
    await writeSecret('squid.conf', configuration(options, programs, directory, port))
    if (inspection !== undefined) {
      const {certificate, keyFile} = inspection.authority
      await writeSecret('authority.pem', readFileSync(keyFile, 'utf8') + certificate)
      await runProgram([...certificateGenerator(programs, directory), '-c'], {log, environment})
    }
    const program = await startProgram(
      // Squid does not run as root, and who really is somebody else may not read what is root's.
      ['unshare', '--user', '--map-user=1000', '--', join(programs, 'usr/sbin/squid'), '-N', '-f', file('squid.conf')],
      {log, environment, ready: () => accepts(addresses[0] ?? '127.0.0.1', port)}
    )
    return {
      port,
      requests: () => parseLog(readFileSync(file('access.log'), 'utf8')),
      stop: async () => {
        await program.stop()
        await rm(directory, {recursive: true})
      }
    }
  } catch (error) {
    await rm(directory, {recursive: true})
    throw error
  }
}

function certificateGenerator(programs: string, directory: string): readonly string[] {
  return [join(programs, 'usr/lib/squid/security_file_certgen'), '-s', join(directory, 'certificates'), '-M', '4MB']
}

/** See http://www.squid-cache.org/Doc/config. */
function configuration(
  {addresses, next, inspection}: SquidOptions,
  programs: string,
  directory: string,
  port: number
): string {
  const file = (name: string): string => join(directory, name)
  const program = (path: string): string => join(programs, path)
  const {username, password} = next.credentials ?? {}
  const login = username === undefined ? '' : `login=${username}:${password ?? ''}`
  const inspecting = `ssl-bump generate-host-certificates=on tls-cert=${file('authority.pem')}`
  const lines = [
    ...addresses.map(address => `http_port ${address}:${port} ${inspection === undefined ? '' : inspecting}`),
    ...(inspection === undefined
      ? []
      : [
          'ssl_bump bump all',
          `sslcrtd_program ${certificateGenerator(programs, directory).join(' ')}`,
          'sslcrtd_children 2 startup=1',
          `tls_outgoing_options cafile=${inspection.trusted.certificateFile}`
        ]),
    `auth_param basic program ${program('usr/lib/squid/basic_ncsa_auth')} ${file('passwords')}`,
    'auth_param basic children 2 startup=1',
    'auth_param basic realm the way out',
    // Another name for each, or one would take what the other passed on for its own, in a loop.
    `visible_hostname ${basename(directory)}`,
    'acl known proxy_auth REQUIRED',
    'http_access allow known',
    'http_access deny all',
    `cache_peer 127.0.0.1 parent ${next.port} 0 no-query no-digest no-netdb-exchange default ${login}`,
    'never_direct allow all',
    'cache deny all',
    'logformat asked %rm %ru',
    `access_log stdio:${file('access.log')} logformat=asked`,
    'strip_query_terms off',
    `cache_log ${file('cache.log')}`,
    `pid_filename ${file('squid.pid')}`,
    `coredump_dir ${directory}`,
    `mime_table ${program('usr/share/squid/mime.conf')}`,
    `icon_directory ${program('usr/share/squid/icons')}`,
    `error_directory ${program('usr/share/squid-langpack/templates')}`,
    `unlinkd_program ${program('usr/lib/squid/unlinkd')}`,
    'pinger_enable off',
    'shutdown_lifetime 0 seconds'
  ]
  return `${lines.join('\n')}\n`
}

/** Reads lines like `GET https://host/path?query`; where nothing was asked, there is a dash instead of the method. */
function parseLog(text: string): ProxiedRequest[] {
  return [...text.matchAll(/^([A-Z]+) (\S+)$/gm)].map(([, method = '', target = '']) => ({method, target}))
}
