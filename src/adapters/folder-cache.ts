import {randomUUID} from 'node:crypto'
import {link, mkdir, readdir, rm, stat, utimes} from 'node:fs/promises'
import {join} from 'node:path'
import {describeError} from '../errors.js'
import type {CacheStore, Commands, Log} from '../ports.js'
import {fillDirectory} from './fresh-directory.js'

export interface FolderCacheLimits {
  /** Of all entries together, in bytes. */
  readonly maximumBytes: number
  /** Since an entry was last saved or restored. */
  readonly maximumAgeMilliseconds: number
}

interface Entry {
  readonly key: string
  readonly path: string
  readonly extension: string
  readonly bytes: number
  readonly savedAt: number
  readonly usedAt: number
}

const compressors: ReadonlyMap<string, string> = new Map([
  ['.tar.zst', 'zstd -q -T0'],
  ['.tar.gz', 'gzip']
])
const partialExtension = '.partial'
const partialLifetimeMilliseconds = 24 * 60 * 60 * 1000

/**
 * A cache in a folder of this machine: one archive per key below `root`/v1, made by tar and zstd, or by gzip on a machine
 * without zstd. Entries appear at once or not at all and are never overwritten, so several runs may share the folder.
 * After each save those unused for too long are removed, then the longest unused ones until the rest fits the limits.
 * A damaged entry is removed when it is met. Nothing but entries is ever removed from the folder.
 */
export function folderCache(root: string, limits: FolderCacheLimits, commands: Commands, log: Log): CacheStore {
  // The number is the layout's, and keeps other files that people have in `root` out of reach.
  const folder = join(root, 'v1')
  let hasZstd: Promise<boolean> | undefined

  async function readable(extension: string): Promise<boolean> {
    hasZstd ??= commands.capture(['zstd', '--version']).then(result => result.exitCode === 0)
    return extension !== '.tar.zst' || (await hasZstd)
  }

  async function tar(extension: string, ...rest: readonly string[]): Promise<void> {
    const compressor = compressors.get(extension) ?? 'gzip'
    const {exitCode, stderr} = await commands.capture(['tar', '--use-compress-program', compressor, ...rest])
    if (exitCode !== 0) throw new Error(`tar exited with ${exitCode}: ${stderr.trim()}`)
  }

  async function entries(): Promise<readonly Entry[]> {
    const names = await readdir(folder).catch(() => [])
    const found = await Promise.all(names.map(name => entryOf(folder, name)))
    return found.filter(entry => entry !== undefined)
  }

  async function candidates(key: string, prefixes: readonly string[]): Promise<readonly Entry[]> {
    const all = (await entries()).toSorted((one, other) => other.savedAt - one.savedAt)
    const matching = [
      ...all.filter(entry => entry.key === key),
      ...prefixes.flatMap(prefix => all.filter(entry => entry.key.startsWith(prefix)))
    ]
    const usable = await Promise.all(matching.map(entry => readable(entry.extension)))
    return [...new Set(matching.filter((_, index) => usable[index]))]
  }

  async function extract(entry: Entry, directory: string): Promise<boolean> {
    try {
      await fillDirectory(directory, async fresh => {
        await tar(entry.extension, '-xp', '--no-same-owner', '-f', entry.path, '-C', fresh)
        return true
      })
    } catch (error) {
      log.warning(`Cache entry ${entry.path} was not restored: ${describeError(error)}`)
      // A full disk does not make an entry bad: only one that cannot even be read through is.
      const intact = await succeeds(tar(entry.extension, '-tf', entry.path))
      if (!intact) await succeeds(rm(entry.path, {force: true}))
      return false
    }
    // Said expressly, because many file systems do not keep the time of access.
    await succeeds(utimes(entry.path, Date.now() / 1000, entry.savedAt / 1000))
    return true
  }

  async function removeExcess(): Promise<void> {
    const now = Date.now()
    let bytes = 0
    for (const entry of (await entries()).toSorted((one, other) => other.usedAt - one.usedAt)) {
      bytes += entry.bytes
      const keep = bytes <= limits.maximumBytes && now - entry.usedAt <= limits.maximumAgeMilliseconds
      if (!keep) await rm(entry.path, {force: true})
    }
    for (const name of (await readdir(folder)).filter(name => name.endsWith(partialExtension))) {
      const status = await stat(join(folder, name)).catch(() => undefined)
      if (status !== undefined && now - status.mtimeMs > partialLifetimeMilliseconds) await rm(join(folder, name))
    }
  }

  async function keep(directory: string, key: string): Promise<boolean> {
    const extension = (await readable('.tar.zst')) ? '.tar.zst' : '.tar.gz'
    const path = join(folder, `${encodeURIComponent(key)}${extension}`)
    const taken = () => {
      log.info(`Cache entry ${key} exists already and stays as it is.`)
      return false
    }
    if ((await stat(path).catch(() => undefined)) !== undefined) return taken()
    await mkdir(folder, {recursive: true})
    const partial = join(folder, `${randomUUID()}${partialExtension}`)
    try {
      await tar(extension, '--posix', '-cf', partial, '-C', directory, '.')
      const {size} = await stat(partial)
      if (size > limits.maximumBytes) {
        throw new Error(`its ${size} bytes are more than the ${limits.maximumBytes} bytes that the cache may have`)
      }
      // Unlike a rename, a link never replaces what another run has put there meanwhile.
      const linked = await link(partial, path).then(
        () => true,
        (error: unknown) => {
          if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST') return false
          throw error
        }
      )
      if (!linked) return taken()
    } finally {
      await rm(partial, {force: true})
    }
    await removeExcess().catch((error: unknown) => {
      log.warning(`The cache in ${root} was not tidied up: ${describeError(error)}`)
    })
    return true
  }

  return {
    location: root,

    async restore(directory, key, prefixes) {
      for (const entry of await candidates(key, prefixes)) {
        if (await extract(entry, directory)) return entry.key
      }
      return undefined
    },

    async save(directory, key) {
      try {
        return await keep(directory, key)
      } catch (error) {
        log.warning(`Cache entry ${key} was not saved in ${root}: ${describeError(error)}`)
        return false
      }
    }
  }
}

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  return await work.then(
    () => true,
    () => false
  )
}

/** The entry in the file `name`, or undefined when it is none, or was removed by another run. */
async function entryOf(folder: string, name: string): Promise<Entry | undefined> {
  const extension = [...compressors.keys()].find(known => name.endsWith(known))
  if (extension === undefined) return undefined
  try {
    const path = join(folder, name)
    const {size, mtimeMs, atimeMs} = await stat(path)
    return {
      key: decodeURIComponent(name.slice(0, -extension.length)),
      path,
      extension,
      bytes: size,
      savedAt: mtimeMs,
      usedAt: Math.max(atimeMs, mtimeMs)
    }
  } catch {
    return undefined
  }
}
