import {randomUUID} from 'node:crypto'
import {link, mkdir, readdir, rm, stat, utimes} from 'node:fs/promises'
import {hostname} from 'node:os'
import {join} from 'node:path'
import {gzip, hasZstd, zstd} from '../compressor.js'
import {describeError, noRoom} from '../errors.js'
import type {CacheEntry, CacheStore, Commands, Log} from '../ports.js'
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

const compressors: ReadonlyMap<string, readonly string[]> = new Map([
  ['.tar.zst', zstd],
  ['.tar.gz', gzip]
])
const partialExtension = '.partial'
// A file that is being written changes all the time.
const partialLifetimeMilliseconds = 60 * 60 * 1000

/**
 * A cache in a folder of this machine: one archive per key below `root`/v1, made by tar and zstd, or by gzip on a machine
 * without zstd. Entries appear at once or not at all and are never overwritten, so several runs may share the folder.
 * After each save those unused for too long are removed, then the longest unused ones until the rest fits the limits.
 * A damaged entry is removed when it is met, and so is what a killed run has left. Nothing but entries is ever removed from
 * the folder. What goes wrong for the same reason again is said once.
 */
export function folderCache(root: string, limits: FolderCacheLimits, commands: Commands, log: Log): CacheStore {
  // The number is the layout's, and keeps other files that people have in `root` out of reach.
  const folder = join(root, 'v1')
  const said = new Set<string>()
  let canReadZstd: Promise<boolean> | undefined

  function warnOnce(message: string, topic: string): void {
    if (!said.has(topic)) log.warning(`${message}. The run goes on without it.`)
    said.add(topic)
  }

  async function readable(extension: string): Promise<boolean> {
    canReadZstd ??= hasZstd(commands)
    return extension !== '.tar.zst' || (await canReadZstd)
  }

  async function tar(extension: string, ...rest: readonly string[]): Promise<void> {
    const compressor = (compressors.get(extension) ?? gzip).join(' ')
    const {exitCode, stderr} = await commands.capture(['tar', '--use-compress-program', compressor, ...rest])
    if (exitCode === 0) return
    // On a full disk there is a line for each file.
    const lines = stderr.trim().split('\n')
    throw new Error(`tar exited with ${exitCode}: ${lines.find(line => noRoom.test(line)) ?? lines[0] ?? ''}`)
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

  async function extract(entry: Entry, directory: string): Promise<'done' | 'failed' | 'damaged'> {
    try {
      await fillDirectory(directory, async fresh => {
        await tar(entry.extension, '-xp', '--no-same-owner', '-f', entry.path, '-C', fresh)
        return true
      })
    } catch (error) {
      const reason = describeError(error)
      const message = `Cache entry ${entry.path} was not restored: ${reason}`
      // A full disk does not make an entry bad: only one that cannot even be read through is.
      if (noRoom.test(reason) || (await succeeds(tar(entry.extension, '-tf', entry.path)))) {
        warnOnce(message, topicOf(reason))
        return 'failed'
      }
      warnOnce(message, entry.path)
      await succeeds(rm(entry.path, {force: true}))
      return 'damaged'
    }
    // Said expressly, because many file systems do not keep the time of access.
    await succeeds(utimes(entry.path, Date.now() / 1000, entry.savedAt / 1000))
    return 'done'
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
      if (status === undefined) continue
      const old = now - status.mtimeMs > partialLifetimeMilliseconds
      if (old || isAbandoned(name)) await rm(join(folder, name), {force: true})
    }
  }

  async function keep(directory: string, key: string): Promise<CacheEntry | undefined> {
    const extension = (await readable('.tar.zst')) ? '.tar.zst' : '.tar.gz'
    const path = join(folder, `${encodeURIComponent(key)}${extension}`)
    const sayTaken = () => {
      log.info(`Cache entry ${key} exists already and stays as it is.`)
    }
    if ((await stat(path).catch(() => undefined)) !== undefined) {
      sayTaken()
      return undefined
    }
    await mkdir(folder, {recursive: true})
    const partial = join(folder, partialName())
    let bytes: number
    try {
      await tar(extension, '--posix', '-cf', partial, '-C', directory, '.')
      const {size} = await stat(partial)
      bytes = size
      if (size > limits.maximumBytes) {
        throw new Error(`its ${size} bytes are more than the ${limits.maximumBytes} bytes that the cache may have`)
      }
      // Unlike a rename, a link never replaces what another run has put there meanwhile.
      const linked = await link(partial, path).then(
        () => true,
        (error: unknown) => {
          if (hasCode(error, 'EEXIST')) return false
          throw error
        }
      )
      if (!linked) {
        sayTaken()
        return undefined
      }
    } finally {
      await rm(partial, {force: true})
    }
    await removeExcess().catch((error: unknown) => {
      log.warning(`The cache in ${root} was not tidied up: ${describeError(error)}`)
    })
    return {key, bytes}
  }

  return {
    location: root,

    accepts: () => true,

    async find(key, prefixes) {
      return (await candidates(key, prefixes))[0]?.key
    },

    async restore(directory, key, prefixes) {
      for (const entry of await candidates(key, prefixes)) {
        const outcome = await extract(entry, directory)
        if (outcome === 'done') return {key: entry.key, bytes: entry.bytes}
        if (outcome === 'failed') return undefined
      }
      return undefined
    },

    async save(directory, key) {
      try {
        return await keep(directory, key)
      } catch (error) {
        const reason = describeError(error)
        warnOnce(`Cache entry ${key} was not saved in ${root}: ${reason}`, topicOf(reason))
        return undefined
      }
    }
  }
}

/** What stands for a reason that is said once: full is full, whatever did not fit. */
function topicOf(reason: string): string {
  return noRoom.test(reason) ? 'no room' : reason
}

/** A name that tells which process of which machine writes the file. */
function partialName(): string {
  return `${randomUUID()}.${process.pid}@${encodeURIComponent(hostname())}${partialExtension}`
}

/** Whether a file of that name is left by a process of this machine that is no more. */
function isAbandoned(name: string): boolean {
  const [, pid, host = ''] = /\.(\d+)@([^@]*)\.partial$/.exec(name) ?? []
  if (pid === undefined || host !== encodeURIComponent(hostname())) return false
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return hasCode(error, 'ESRCH')
  }
}

// Not by `instanceof`: errors of Node's core are of another realm under Jest.
function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code
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
    const status = await stat(path)
    if (!status.isFile()) return undefined
    const {size, mtimeMs, atimeMs} = status
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
