import {createHash} from 'node:crypto'
import {mkdir, readFile, rename, rm, stat} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {downloadPackages, unpackPackages} from './debian.js'
import {withLock} from './lock.js'

/** Code name of this machine's own Debian release, for example `bookworm`. Throws where there is none. */
export async function machineSuite(): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8')
  const suite = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(release)?.[1]
  if (suite === undefined) throw new Error('/etc/os-release names no VERSION_CODENAME: the sandbox needs Debian')
  return suite
}

/**
 * Downloads packages of `suite`, this machine's own if not given, without what they depend on, and unpacks them together.
 * Returns the directory, which is kept from run to run and must not be written to.
 */
export async function unpackedPackages(
  names: readonly string[],
  options: {readonly suite?: string; readonly cacheDirectory: string; readonly log: (line: string) => void}
): Promise<string> {
  const {suite = await machineSuite(), ...common} = options
  const key = createHash('sha256')
    .update(JSON.stringify([suite, process.arch, names]))
    .digest('hex')
    .slice(0, 16)
  return cachedDirectory(join(options.cacheDirectory, 'unpacked', `${names[0] ?? 'nothing'}-${key}`), async into => {
    const debs = await downloadPackages({suite, names, ...common})
    await unpackPackages(debs, into)
  })
}

/**
 * Returns `directory`, having had `fill` make its content in a fresh directory if it does not exist yet. Directories
 * beside each other are made one at a time, whoever asks for them.
 */
export async function cachedDirectory(directory: string, fill: (into: string) => Promise<void>): Promise<string> {
  if (await exists(directory)) return directory
  await mkdir(dirname(directory), {recursive: true})
  await withLock(join(dirname(directory), 'lock'), async () => {
    if (await exists(directory)) return
    const unfinished = `${directory}.unfinished`
    await rm(unfinished, {recursive: true, force: true})
    await mkdir(unfinished)
    await fill(unfinished)
    await rename(unfinished, directory)
  })
  return directory
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false
  )
}
