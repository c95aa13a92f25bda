import {createHash} from 'node:crypto'
import {join} from 'node:path'
import type {Files} from '../ports.js'
import type {PlannedMount} from './plan-mounts.js'

/** One mount in an entry: `<number>.tar` in an archive, and the file `<number>.names`. */
export interface SavedMount {
  /** The name of the archive's file. */
  readonly archive: string
  readonly platform?: string
  readonly id: string
  readonly owner: readonly string[]
  /** How many paths it holds. */
  readonly files: number
  /** Of these files together. */
  readonly contentBytes: number
  /** Bytes of all files of the mount when it was first saved, since it was last begun anew. */
  readonly firstBytes: number
}

/** By which an archive is known. */
export interface ArchiveDigest {
  readonly bytes: number
  readonly sha256: string
}

/** What an entry of cache mounts says of itself, in its file `entry.json`. */
export interface MountEntry {
  readonly schema: 3
  readonly kind: 'mounts'
  /** The key of the entry that this one adds to; absent in one that stands for itself. */
  readonly base?: string
  /** By the names of their files. */
  readonly archives: Readonly<Record<string, ArchiveDigest>>
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
  for (const [name, {bytes, sha256}] of Object.entries(entry.archives)) {
    const found = await digestOf(join(directory, name), files)
    if (found.bytes !== bytes || found.sha256 !== sha256) throw new Error(`${name} is damaged`)
  }
  for (const [number, {files: count}] of Object.entries(entry.mounts)) {
    if ((await readNames(directory, number, files)).length !== count) throw new Error(`${number}.names is damaged`)
  }
  return entry
}

/** The paths in the archive of a mount; none when the entry has no such mount. */
export async function readNames(directory: string, number: string, files: Files): Promise<readonly string[]> {
  return linesOf((await files.readText(join(directory, `${number}.names`))) ?? '')
}

/** A line for each, which `linesOf` reads. */
export function linesText(lines: readonly string[]): string {
  return lines.map(line => `${line}\n`).join('')
}

/** The lines of a file that ends with a line break. */
export function linesOf(text: string): string[] {
  return text.split('\n').filter(line => line !== '')
}

/** Size and SHA-256 of a file. */
export async function digestOf(path: string, files: Files): Promise<ArchiveDigest> {
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
  if (entry?.schema !== 3 || entry.kind !== 'mounts') throw new Error('entry.json is of another kind')
  const isSound =
    ['undefined', 'string'].includes(typeof entry.base) &&
    entriesOf(entry.archives)?.every(([name, archive]) => /^\d+\.archive$/.test(name) && isDigest(archive)) === true &&
    entriesOf(entry.mounts)?.every(([number, mount]) => /^\d+$/.test(number) && isSavedMount(mount)) === true &&
    Object.values(entry.mounts ?? {}).every(({archive}) => Object.hasOwn(entry.archives ?? {}, archive))
  if (!isSound) throw new Error('entry.json is damaged')
  return entry as MountEntry
}

function entriesOf(value: unknown): [string, unknown][] | undefined {
  return typeof value === 'object' && value !== null ? Object.entries(value) : undefined
}

function isDigest(value: unknown): value is ArchiveDigest {
  const {bytes, sha256} = (value ?? {}) as Record<string, unknown>
  return Number.isSafeInteger(bytes) && typeof sha256 === 'string'
}

function isSavedMount(value: unknown): value is SavedMount {
  const mount = (value ?? {}) as Record<string, unknown>
  return (
    ['id', 'archive'].every(name => typeof mount[name] === 'string') &&
    ['files', 'contentBytes', 'firstBytes'].every(name => Number.isSafeInteger(mount[name])) &&
    Array.isArray(mount.owner) &&
    ['undefined', 'string'].includes(typeof mount.platform)
  )
}
