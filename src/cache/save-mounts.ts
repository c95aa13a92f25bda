import {dirname, join} from 'node:path'
import {CancelledError, describeError} from '../errors.js'
import {formatDuration, formatSize} from '../format.js'
import type {CacheAccount} from './account.js'
import type {BuilderAccess, CachePorts} from './caches.js'
import {carryZstd} from './carried-zstd.js'
import {digestOf as textDigest} from './keys.js'
import type {LayerImages} from './layers-image.js'
import {measureMounts, mountDirectories, runOnMounts} from './mount-build.js'
import {digestOf, linesText, type ArchiveDigest, type MountEntry, type SavedMount} from './mount-entry.js'
import {bytesOf, decideMountSaving, type MountRecord, type MountSaving, type SurveyedMount} from './mount-saving.js'
import {dumpScript, packedName, surveyScript} from './mount-scripts.js'
import {readSurvey, withDirectories} from './mount-survey.js'
import {recordFamily, type RestoredMounts} from './mounts.js'
import type {MountGroup, PlannedMount, PlannedMounts} from './plan-mounts.js'

/** What was taken out of the cache mounts of a build. */
export interface TakenMounts {
  readonly account: CacheAccount
  /** Absent when there is nothing to keep. */
  readonly entry?: {
    readonly key: string
    readonly directory: string
    /** For the log. */
    readonly text: string
  }
}

/**
 * Takes out of the builder what a finished build has left in the cache mounts, as far as it is worth being kept. Never fails
 * for any other reason than that the run was cancelled.
 */
export async function takeMounts(
  planned: PlannedMounts,
  restored: RestoredMounts,
  context: BuilderAccess,
  ports: CachePorts
): Promise<TakenMounts> {
  const {account, newest} = restored
  try {
    const surveyed = await survey(planned, restored, context, ports)
    const saving = decideMountSaving(surveyed.map(({found}) => found))
    if (saving.what === 'nothing') return {account: {...account, note: account.note ?? saving.why}}
    // The newest entry may be damaged, so that what is saved must not have its name even if it is the same.
    const key = `${planned.keyPrefix}${textDigest([newest ?? '', ...saving.paths.flat()])}`
    return await take(saving, key, surveyed, restored, planned, context, ports)
  } catch (error) {
    if (error instanceof CancelledError) throw error
    ports.log.warning(`The cache mounts of the ${account.of} were not saved: ${describeError(error)}`)
    return {account: {...account, note: 'not saved'}}
  }
}

/** Keeps what was taken, and removes everything that was needed for it. */
export async function keepMounts(
  planned: PlannedMounts,
  {account, entry}: TakenMounts,
  {cache, files, log, clock}: CachePorts
): Promise<CacheAccount> {
  const started = clock()
  const saved = entry && (await cache.save(entry.directory, entry.key))
  // It goes with the run in any case.
  await files.remove(planned.directory).catch(() => undefined)
  if (entry === undefined || saved === undefined) return account
  log.info(`${entry.text}, saved in ${formatDuration((clock() - started) / 1000)}.`)
  return {...account, saved}
}

/** A mount after the build; its position is its number in an entry. */
interface Surveyed {
  readonly group: MountGroup
  /** Number in its group. */
  readonly index: number
  readonly mount: PlannedMount
  readonly found: SurveyedMount
}

async function survey(
  planned: PlannedMounts,
  {newest, images}: RestoredMounts,
  context: BuilderAccess,
  ports: CachePorts
): Promise<readonly Surveyed[]> {
  const surveyed: Surveyed[] = []
  await measureMounts(context, ports)
  for (const group of planned.groups) {
    const script = surveyScript(group.mounts, recordFamily(planned))
    await runOnMounts(planned, group, {script, images}, context, ports)
    for (const [index, mount] of group.mounts.entries()) {
      const found = await readSurvey(mountDirectories(planned).results, index, mount, newest, ports.files)
      surveyed.push({group, index, mount, found})
    }
  }
  return surveyed
}

async function take(
  saving: Exclude<MountSaving, {what: 'nothing'}>,
  key: string,
  surveyed: readonly Surveyed[],
  {account, images}: RestoredMounts,
  planned: PlannedMounts,
  context: BuilderAccess,
  ports: CachePorts
): Promise<TakenMounts> {
  const {files, clock} = ports
  const started = clock()
  const known = surveyed.map(({found}) => found.record?.base).find(base => base !== undefined)
  const base = saving.what === 'delta' ? known : undefined
  const directory = join(planned.directory, 'entry')
  const saved = surveyed.map((mount, number) => ({...mount, number, paths: saving.paths[number] ?? []}))
  const archives: Record<string, ArchiveDigest> = {}
  const mounts: Record<string, SavedMount> = {}
  for (const [index, group] of planned.groups.entries()) {
    const own = saved.filter(mount => mount.group === group)
    const archive = `${index}.archive`
    await dump(own, {key, base, images, path: join(directory, archive)}, planned, context, ports)
    for (const {number, mount, found, paths} of own.filter(isListed)) {
      await files.write(join(directory, `${number}.names`), linesText(paths))
      mounts[String(number)] = {
        archive,
        ...(group.platform === undefined ? {} : {platform: group.platform}),
        id: mount.id,
        owner: mount.owner,
        files: paths.length,
        contentBytes: bytesOf(found, paths),
        firstBytes: firstBytesOf(found, base, paths)
      }
      archives[archive] ??= await digestOf(join(directory, archive), files)
    }
  }
  const entry: MountEntry = {schema: 3, kind: 'mounts', ...(base === undefined ? {} : {base}), archives, mounts}
  await files.write(join(directory, 'entry.json'), JSON.stringify(entry, undefined, 2))
  const size = formatSize(Object.values(mounts).reduce((total, {contentBytes}) => total + contentBytes, 0))
  const seconds = formatDuration((clock() - started) / 1000)
  const text = `${size} of cache mounts of the ${account.of} (${saving.why}): taken from the builder in ${seconds}`
  return {account: {...account, note: saving.why}, entry: {key, directory, text}}
}

type MountToSave = Surveyed & {readonly number: number; readonly paths: readonly string[]}

function isListed({paths}: MountToSave): boolean {
  return paths.length > 0
}

/** Takes the files of one group out of the builder into the archive `path`, and has the mounts note what they are. */
async function dump(
  mounts: readonly MountToSave[],
  {key, base, images, path}: {key: string; base: string | undefined; images: LayerImages | undefined; path: string},
  planned: PlannedMounts,
  context: BuilderAccess,
  ports: CachePorts
): Promise<void> {
  const {files} = ports
  const {context: input, results} = mountDirectories(planned)
  const [{group} = {}] = mounts
  if (group === undefined) return
  await files.remove(input)
  for (const {index, found, paths} of mounts) {
    const write = async (name: string, text: string) => {
      await files.write(join(input, `${index}.${name}`), text)
    }
    await write('list', linesText(withDirectories(paths)))
    await write('base', linesText(base === undefined ? paths : [...found.base]))
    await write('delta', linesText(base === undefined ? [] : paths))
    const record: MountRecord = {
      entry: key,
      base: base ?? key,
      baseBytes: baseBytesOf(found, base, paths),
      firstBytes: firstBytesOf(found, base, paths)
    }
    await write('record.json', JSON.stringify(record))
  }
  const names = new Map(mounts.filter(isListed).map(({index, number}) => [index, String(number)]))
  const script = dumpScript(group.mounts, names, recordFamily(planned))
  if (names.size > 0) await carryZstd(input, ports)
  await runOnMounts(planned, group, {script, images}, context, ports)
  if (names.size === 0) return
  await files.makeDirectory(dirname(path))
  await files.replace(join(results, packedName), path)
}

function baseBytesOf(found: SurveyedMount, base: string | undefined, paths: readonly string[]): number {
  return base === undefined ? bytesOf(found, paths) : (found.record?.baseBytes ?? 0)
}

/** A mount that a base leaves out begins anew. */
function firstBytesOf({files, record}: SurveyedMount, base: string | undefined, paths: readonly string[]): number {
  if (base === undefined && paths.length === 0) return 0
  const known = record?.firstBytes ?? 0
  return known === 0 ? bytesOf({files}, [...files.keys()]) : known
}
