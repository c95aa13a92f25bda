import {createHash} from 'node:crypto'
import {join} from 'node:path'
import type {Files} from '../ports.js'
import type {PlannedMount} from './plan-mounts.js'

/** One mount in an entry: the files `<number>.tar` and `<number>.names`. */
export interface SavedMount {
  readonly platform?: string
  readonly id: string
  readonly owner: readonly string[]
  /** Of the archive. */
  readonly bytes: number
  readonly sha256: string
  /** How many paths it holds. */
  readonly files: number
  /** Of these files together. */
  readonly contentBytes: number
  /** Bytes of all files of the mount when it was first saved, since it was last begun anew. */
  readonly firstBytes: number
}

/** What an entry of cache mounts says of itself, in its file `entry.json`. */
export interface MountEntry {
  readonly schema: 1
  readonly kind: 'mounts'
  /** The key of the entry that this one adds to; absent in one that stands for itself. */
  readonly base?: string
  /** By number. A mount of which nothing was kept is not there. */
  readonly mounts: Readonly<Record<string, SavedMount>>
}

/**
 * Reads and checks an entry, every byte of its archives included.
 *
 * @throws Error that says what is wrong with it.
 */
export async function readMountEntry(directory: string, files: Files): Promise<MountEntry> {
  const entry = parseEntry(await files.readText(join(directory, 'entry.json')))
  for (const [number, {bytes, sha256, files: count}] of Object.entries(entry.mounts)) {
    const found = await digestOf(join(directory, `${number}.tar`), files)
    if (found.bytes !== bytes || found.sha256 !== sha256) throw new Error(`${number}.tar is damaged`)
    if ((await readNames(directory, number, files)).length !== count) throw new Error(`${number}.names is damaged`)
  }
  return entry
}

/** The paths in the archive of a mount; none when the entry has no such mount. */
export async function readNames(directory: string, number: string, files: Files): Promise<readonly string[]> {
  return linesOf((await files.readText(join(directory, `${number}.names`))) ?? '')
}

/** The lines of a file that ends with a line break. */
export function linesOf(text: string): string[] {
  return text.split('\n').filter(line => line !== '')
}

/** Size and SHA-256 of a file. */
export async function digestOf(path: string, files: Files): Promise<{bytes: number; sha256: string}> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of files.readBytes(path)) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return {bytes, sha256: hash.digest('hex')}
}

/** The number of a planned mount in an entry. */
export function numberOf(
  entry: MountEntry,
  platform: string | undefined,
  {id, owner}: PlannedMount
): string | undefined {
  return Object.entries(entry.mounts).find(
    ([, saved]) => saved.id === id && saved.platform === platform && saved.owner.join() === owner.join()
  )?.[0]
}

function parseEntry(text: string | undefined): MountEntry {
  if (text === undefined) throw new Error('entry.json is missing')
  const entry = JSON.parse(text) as Partial<MountEntry> | null
  if (entry?.schema !== 1 || entry.kind !== 'mounts') throw new Error('entry.json is of another kind')
  const isSound =
    ['undefined', 'string'].includes(typeof entry.base) &&
    typeof entry.mounts === 'object' &&
    Object.entries(entry.mounts as Record<string, unknown>).every(
      ([number, mount]) => /^\d+$/.test(number) && isSavedMount(mount)
    )
  if (!isSound) throw new Error('entry.json is damaged')
  return entry as MountEntry
}

function isSavedMount(value: unknown): value is SavedMount {
  const mount = (value ?? {}) as Record<string, unknown>
  return (
    ['id', 'sha256'].every(name => typeof mount[name] === 'string') &&
    ['bytes', 'files', 'contentBytes', 'firstBytes'].every(name => Number.isSafeInteger(mount[name])) &&
    Array.isArray(mount.owner) &&
    ['undefined', 'string'].includes(typeof mount.platform)
  )
}
