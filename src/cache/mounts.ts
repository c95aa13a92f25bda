import {join} from 'node:path'
import {CancelledError, describeError} from '../errors.js'
import {formatDuration, formatSize} from '../format.js'
import type {CacheEntry} from '../ports.js'
import type {CacheAccount} from './account.js'
import type {BuilderAccess, CachePorts} from './caches.js'
import {digestOf} from './keys.js'
import {imagesOfLayers, type LayerImages} from './layers-image.js'
import {measureMounts, mountDirectories, runOnMounts} from './mount-build.js'
import {linesText, numberOf, readMountEntry, readNames, type MountEntry} from './mount-entry.js'
import {injectionScript, probingScript} from './mount-scripts.js'
import type {MountRecord} from './mount-saving.js'
import {parseRecord} from './mount-survey.js'
import type {MountGroup, PlannedMount, PlannedMounts} from './plan-mounts.js'

/** What came of the cache mounts before a build. */
export interface RestoredMounts {
  readonly account: CacheAccount
  /** The key of the newest entry in the store, restored or not. */
  readonly newest?: string
  /** Images of restored layers that they were filled with. */
  readonly images?: LayerImages | undefined
}

/**
 * Fills the builder's cache mounts from the newest entry, unless the builder has all of it already. `layers` waits for the
 * directory of restored layers that the build is going to need, if there is one. Never fails for any other reason than that
 * the run was cancelled: what goes wrong is said, and the build begins with less.
 */
export async function restoreMounts(
  planned: PlannedMounts,
  of: string,
  context: BuilderAccess,
  ports: CachePorts,
  layers: () => Promise<string | undefined> = noLayers
): Promise<RestoredMounts> {
  const {cache, log} = ports
  const newest = await cache.find(planned.keyPrefix, [planned.keyPrefix, ...planned.prefixes])
  const found = newest === undefined ? {} : {newest}
  const account = (restored: CacheEntry | undefined, note?: string): RestoredMounts => ({
    account: {
      kind: 'mounts',
      of,
      exact: restored?.key.startsWith(planned.keyPrefix) === true,
      ...(restored === undefined ? {} : {restored}),
      ...(note === undefined ? {} : {note})
    },
    ...found
  })
  try {
    const has = await measureMounts(context, ports)
    const isFresh = !planned.groups.some(({mounts}) => mounts.some(({id}) => has(id)))
    if (!isFresh) {
      const noted = await probe(planned, context, ports)
      if (newest !== undefined && noted.every(record => record?.entry === newest)) {
        log.info(`The builder's cache mounts of the ${of} have everything of ${newest}.`)
        return account({key: newest}, 'in the builder already')
      }
    }
    if (newest === undefined) return account(undefined)
    // One that was asked for its mounts has the image.
    const {entry, images} = await fetchAndInject(newest, planned, isFresh ? layers : noLayers, context, ports)
    return {...account(entry), images}
  } catch (error) {
    if (error instanceof CancelledError) throw error
    log.warning(`The cache mounts of the ${of} were not restored: ${describeError(error)}`)
    return account(undefined, 'not restored')
  } finally {
    // The images stay, which are links alone: they are used again when the mounts are taken out.
    await ports.files.remove(mountDirectories(planned).context)
  }
}

const noLayers = () => Promise.resolve(undefined)

/** What notes are kept of a plan's mounts under. */
export function recordFamily({prefixes}: PlannedMounts): string {
  return digestOf([prefixes.at(-1) ?? ''])
}

async function probe(
  planned: PlannedMounts,
  context: BuilderAccess,
  ports: CachePorts
): Promise<(MountRecord | undefined)[]> {
  const records = []
  for (const group of planned.groups) {
    const script = probingScript(group.mounts, recordFamily(planned))
    await runOnMounts(planned, group, {script}, context, ports)
    const {results} = mountDirectories(planned)
    for (const index of group.mounts.keys()) {
      records.push(parseRecord(await ports.files.readText(join(results, `${index}.record.json`))))
    }
  }
  return records
}

/** An entry as it lies in the context directory. */
interface FetchedEntry {
  readonly key: string
  readonly name: 'base' | 'delta'
  readonly entry: MountEntry
}

async function fetchAndInject(
  key: string,
  planned: PlannedMounts,
  layers: () => Promise<string | undefined>,
  context: BuilderAccess,
  ports: CachePorts
): Promise<{readonly entry?: CacheEntry; readonly images?: LayerImages | undefined}> {
  const {cache, files, log, clock} = ports
  const started = clock()
  const directory = mountDirectories(planned).context
  const newest = await cache.restore(join(directory, 'newest'), key, [])
  // The store has said why.
  if (newest === undefined) return {}
  const entry = await readMountEntry(join(directory, 'newest'), files)
  const fetched: FetchedEntry[] = []
  let bytes = newest.bytes
  if (entry.base !== undefined) {
    const base = await cache.restore(join(directory, 'base'), entry.base, [])
    if (base === undefined) throw new Error(`${key} adds to ${entry.base}, which is gone`)
    fetched.push({key: entry.base, name: 'base', entry: await readMountEntry(join(directory, 'base'), files)})
    if (base.bytes !== undefined && bytes !== undefined) bytes += base.bytes
  }
  const name = entry.base === undefined ? 'base' : 'delta'
  await files.replace(join(directory, 'newest'), join(directory, name))
  fetched.push({key, name, entry})
  const fetchedAfter = clock() - started
  const restored = await layers()
  const injecting = clock()
  let images = restored === undefined ? undefined : await restoredImages(restored, planned, ports)
  for (const group of planned.groups) images = await inject(group, fetched, planned, images, context, ports)
  const seconds = [fetchedAfter, clock() - injecting].map(time => formatDuration(time / 1000))
  const size = bytes === undefined ? '' : ` (${formatSize(bytes)})`
  log.info(`Cache mounts from ${key}${size}: fetched after ${seconds.join(', put into the builder in ')}.`)
  return {entry: {...newest, ...(bytes === undefined ? {} : {bytes})}, images}
}

/** Returns the images, if they could be used. */
async function inject(
  group: MountGroup,
  fetched: readonly FetchedEntry[],
  planned: PlannedMounts,
  images: LayerImages | undefined,
  context: BuilderAccess,
  ports: CachePorts
): Promise<LayerImages | undefined> {
  const {files, log} = ports
  const directory = mountDirectories(planned).context
  const tars: string[][] = []
  const archives = new Set<string>()
  for (const [index, mount] of group.mounts.entries()) {
    const parts = fetched.map(({name, entry}) => ({name, entry, number: numberOf(entry, group.platform, mount)}))
    const own = parts.flatMap(({name, entry, number}) => {
      const archive = entry.mounts[number ?? '']?.archive
      return archive === undefined ? [] : [{archive: `${name}/${archive}`, tar: `${number}.tar`}]
    })
    for (const {archive} of own) archives.add(archive)
    tars.push(own.map(({archive, tar}) => `${archive}/${tar}`))
    await files.write(join(directory, `${index}.record.json`), JSON.stringify(recordOf(fetched, group, mount)))
    for (const {name, number} of parts) {
      const names = number === undefined ? [] : await readNames(join(directory, name), number, files)
      await files.write(join(directory, `${index}.${name}`), linesText(names))
    }
  }
  const order = {script: injectionScript(group.mounts, tars, recordFamily(planned)), archives: [...archives]}
  try {
    await runOnMounts(planned, group, {...order, images}, context, ports)
    return images
  } catch (error) {
    if (images === undefined || error instanceof CancelledError) throw error
    log.debug(`The cache mounts cannot be filled by restored layers: ${describeError(error)}`)
    await runOnMounts(planned, group, order, context, ports)
    return undefined
  }
}

/** Restored layers as images, which spares the download of one; undefined when they are not fit for it. */
async function restoredImages(
  layers: string,
  {directory, imagePlatform}: PlannedMounts,
  {files, log}: CachePorts
): Promise<LayerImages | undefined> {
  try {
    return await imagesOfLayers(layers, join(directory, 'images'), imagePlatform, files)
  } catch (error) {
    log.debug(`No image can be made of the restored layers: ${describeError(error)}`)
    return undefined
  }
}

function recordOf(fetched: readonly FetchedEntry[], {platform}: MountGroup, mount: PlannedMount): MountRecord {
  const saved = fetched.map(({entry}) => entry.mounts[numberOf(entry, platform, mount) ?? ''])
  return {
    entry: fetched.at(-1)?.key ?? '',
    base: fetched[0]?.key ?? '',
    baseBytes: saved[0]?.contentBytes ?? 0,
    firstBytes: saved.at(-1)?.firstBytes ?? saved[0]?.firstBytes ?? 0
  }
}
