import {createHash} from 'node:crypto'
import {createReadStream} from 'node:fs'
import {readFile, rm, stat, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {debianMirror} from './debian.js'
import type {Layer} from './layers.js'
import {runProgram} from './program.js'
import {cachedDirectory, machineSuite, unpackedPackages} from './unpacked-packages.js'

/** Goes up with every change of what is done to the tree below, so that no older layer is taken from the cache. */
const recipe = 1

const packages = ['golang-go', 'git', 'ca-certificates', 'make', 'curl', 'wget']

/**
 * The one layer of the stand-in golang image: a minimal Debian of this machine's own suite with Go (no C compiler), git,
 * CA certificates, make, curl and wget, made by mmdebstrap from this machine's own mirror in some 40 seconds, as root. It is kept in
 * `cacheDirectory` from then on.
 */
export async function golangLayer(options: {
  readonly cacheDirectory: string
  readonly log: (line: string) => void
}): Promise<Layer> {
  const suite = await machineSuite()
  const key = createHash('sha256')
    .update(JSON.stringify([recipe, suite, process.arch, packages]))
    .digest('hex')
  const directory = await cachedDirectory(
    join(options.cacheDirectory, 'layers', `golang-${key.slice(0, 16)}`),
    async into => {
      await makeLayer(into, suite, options)
    }
  )
  const path = join(directory, 'layer.tar.zst')
  const digests = JSON.parse(await readFile(join(directory, 'digests.json'), 'utf8')) as {
    digest: string
    diffId: string
  }
  return {
    ...digests,
    mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd',
    size: (await stat(path)).size,
    content: () => createReadStream(path)
  }
}

async function makeLayer(
  directory: string,
  suite: string,
  options: {readonly cacheDirectory: string; readonly log: (line: string) => void}
): Promise<void> {
  const {log} = options
  const programs = await unpackedPackages(['mmdebstrap', 'zstd'], options)
  const mirror = await debianMirror()
  const tree = join(directory, 'layer.tar')
  const layer = join(directory, 'layer.tar.zst')
  log(`making the stand-in golang image: Debian ${suite} with ${packages.join(', ')}`)
  await runProgram(
    [
      join(programs, 'usr/bin/mmdebstrap'),
      '--mode=root',
      '--variant=apt',
      '--format=tar',
      // Device files belong to whoever runs the image.
      '--skip=output/dev',
      // A mirror frozen at some day is as good as any here.
      '--aptopt=Acquire::Check-Valid-Until "false"',
      `--include=${packages.join(',')}`,
      `--customize-hook=${customize(suite)}`,
      suite,
      tree,
      `deb ${mirror.debian} ${suite} main`,
      `deb ${mirror.debian} ${suite}-updates main`,
      `deb ${mirror.debianSecurity} ${suite}-security main`
    ],
    {log, environment: {SOURCE_DATE_EPOCH: '0'}}
  )
  await runProgram([join(programs, 'usr/bin/zstd'), '-3', '-T0', '-q', tree, '-o', layer], {log})
  const digests = {digest: await sha256(layer), diffId: await sha256(tree)}
  await rm(tree)
  await writeFile(join(directory, 'digests.json'), JSON.stringify(digests))
}

/**
 * Shell commands that finish the tree in `$1`: the sources and directories of the official golang image, Go where that
 * image has it, and nothing that no build reads.
 */
function customize(suite: string): string {
  return `set -e
cd "$1"
rm -f etc/apt/sources.list etc/resolv.conf etc/hostname
cat > etc/apt/sources.list.d/debian.sources <<'END'
${debianSources(suite)}END
ln -s "../lib/$(basename usr/lib/go-*)" usr/local/go
mkdir -p go/bin go/src
chmod -R 777 go
rm -rf usr/share/doc usr/share/man usr/share/info usr/share/locale usr/share/go-*/test usr/lib/go-*/pkg/*/cmd
find usr/share/go-*/src -name testdata -prune -exec rm -r {} +
`
}

/** The apt sources as the official Debian image has them (debuerreotype, `debian.sources`). */
function debianSources(suite: string): string {
  const source = (uri: string, suites: string): string => `Types: deb
URIs: ${uri}
Suites: ${suites}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`
  return [
    source('http://debian.example/debian', `${suite} ${suite}-updates`),
    source('http://debian.example/debian-security', `${suite}-security`)
  ].join('\n')
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return `sha256:${hash.digest('hex')}`
}
