import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {execFile} from 'node:child_process'
import {alpineEntries} from './alpine-image.js'
import {alpineRelease} from './alpine-packages.js'
import {crossCompileScripts} from './cross-compile-scripts.js'
import {type Layer, type LayerEntry, smallLayer} from './layers.js'
import {golangLayer} from './root-file-system.js'
import {unpackedPackages} from './unpacked-packages.js'

/** An image for this machine's own platform, under one name and any number of tags. */
export interface Image {
  /** Name without registry, for example `library/golang`. */
  readonly repository: string
  readonly tags: readonly string[]
  readonly layers: readonly Layer[]
  /** The execution parameters (https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md). */
  readonly config: {readonly Env: readonly string[]; readonly WorkingDir?: string; readonly Cmd?: readonly string[]}
}

interface Options {
  readonly cacheDirectory: string
  readonly log: (line: string) => void
}

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * The images that stand in for those of Docker Hub, made from packages of this machine's own Debian. The first call on a
 * machine takes about a minute and needs root; later ones take what is in `cacheDirectory`.
 */
export async function standInImages(options: Options): Promise<readonly Image[]> {
  return Promise.all([golangImage(options), alpineImage(options), crossCompileImage(), busyboxImage(options)])
}

const golangConfig = {
  Env: [`PATH=/go/bin:/usr/local/go/bin:${systemPath}`, 'GOPATH=/go', 'GOTOOLCHAIN=local'],
  WorkingDir: '/go'
}

async function golangImage(options: Options): Promise<Image> {
  return {
    repository: 'library/golang',
    tags: ['1.24.9-bookworm', '1.26.5-bookworm'],
    layers: [await golangLayer(options)],
    config: {...golangConfig, Cmd: ['bash']}
  }
}

async function alpineImage(options: Options): Promise<Image> {
  const {program, commands} = await busybox(options)
  const curl = await readFile(join(await unpackedPackages(['curl'], options), 'usr/bin/curl'))
  return {
    repository: 'library/golang',
    tags: [`1.24.9-alpine${alpineRelease}`],
    layers: [await golangLayer(options), await smallLayer(alpineEntries(program, curl, commands))],
    config: {...golangConfig, Cmd: ['sh']}
  }
}

async function crossCompileImage(): Promise<Image> {
  const scripts = Object.entries(crossCompileScripts).map(([name, content]) => ({
    path: `usr/bin/${name}`,
    content,
    mode: 0o755
  }))
  return {
    repository: 'tonistiigi/xx',
    tags: ['1.6.1', '1.9.0'],
    layers: [await smallLayer(scripts)],
    config: {Env: [`PATH=${systemPath}`]}
  }
}

async function busyboxImage(options: Options): Promise<Image> {
  const {program, commands} = await busybox(options)
  const entries: LayerEntry[] = [
    {path: 'bin/busybox', content: program, mode: 0o755},
    ...commands.map(name => ({path: `bin/${name}`, linkTo: 'busybox'})),
    {path: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\n', mode: 0o644},
    {path: 'etc/group', content: 'root:x:0:\n', mode: 0o644},
    {path: 'root', directoryMode: 0o700},
    {path: 'tmp', directoryMode: 0o1777}
  ]
  return {
    repository: 'library/busybox',
    tags: ['latest'],
    layers: [await smallLayer(entries)],
    config: {Env: [`PATH=${systemPath}`], Cmd: ['sh']}
  }
}

/** Debian's static busybox and the names of its commands. */
async function busybox(
  options: Options
): Promise<{readonly program: Uint8Array; readonly commands: readonly string[]}> {
  const path = join(await unpackedPackages(['busybox-static'], options), 'bin/busybox')
  const {stdout} = await promisify(execFile)(path, ['--list'])
  const commands = stdout.split('\n').filter(name => name !== '' && name !== 'busybox')
  return {program: await readFile(path), commands}
}
