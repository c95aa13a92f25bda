import {join} from 'node:path'
import {CancelledError, describeError} from '../errors.js'
import {formatDuration, formatSize} from '../format.js'
import type {CacheAccount} from './account.js'
import type {BuilderAccess, CachePorts} from './caches.js'
import {digestOf as textDigest} from './keys.js'
import {mountDirectories, runOnMounts} from './mount-build.js'
import {digestOf, type MountEntry, type SavedMount} from './mount-entry.js'
import {bytesOf, decideMountSaving, type MountSaving, type SurveyedMount} from './mount-saving.js'
import {dumpScript, surveyScript} from './mount-scripts.js'
import {readSurvey, withDirectories} from './mount-survey.js'
import {recordFamily, type RestoredMounts} from './mounts.js'
import type {MountGroup, PlannedMount, PlannedMounts} from './plan-mounts.js'

/**
 * Keeps what a finished build has left in the cache mounts, as far as that is worth it. Never fails for any other reason
 * than that the run was cancelled.
 */
export async function saveMounts(
  planned: PlannedMounts,
  {account, newest}: RestoredMounts,
  context: BuilderAccess,
  ports: CachePorts
): Promise<CacheAccount> {
  try {
    const surveyed = await survey(planned, newest, context, ports)
    const saving = decideMountSaving(surveyed.map(({found}) => found))
    if (saving.what === 'nothing') return {...account, note: account.note ?? saving.why}
    // The newest entry may be damaged, so that what is saved must not have its name even if it is the same.
    const key = `${planned.keyPrefix}${textDigest([newest ?? '', ...saving.paths.flat()])}`
    return await save(saving, key, surveyed, account, planned, context, ports)
  } catch (error) {
    if (error instanceof CancelledError) throw error
    ports.log.warning(`The cache mounts of the ${account.of} were not saved: ${describeError(error)}`)
    return {...account, note: 'not saved'}
  } finally {
    await ports.files.remove(planned.directory)
  }
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
  newest: string | undefined,
  context: BuilderAccess,
  ports: CachePorts
): Promise<readonly Surveyed[]> {
  const surveyed: Surveyed[] = []
  for (const group of planned.groups) {
    await runOnMounts(planned, group, surveyScript(group.mounts, recordFamily(planned)), context, ports)
    for (const [index, mount] of group.mounts.entries()) {
      const found = await readSurvey(mountDirectories(planned).output, index, mount, newest, ports.files)
      surveyed.push({group, index, mount, found})
    }
  }
  return surveyed
}

async function save(
  saving: Exclude<MountSaving, {what: 'nothing'}>,
  key: string,
  surveyed: readonly Surveyed[],
  account: CacheAccount,
  planned: PlannedMounts,
  context: BuilderAccess,
  ports: CachePorts
): Promise<CacheAccount> {
  const {cache, files, log, clock} = ports
  const started = clock()
  const known = surveyed.map(({found}) => found.record?.base).find(base => base !== undefined)
  const base = saving.what === 'delta' ? known : undefined
  const directory = join(planned.directory, 'entry')
  const saved = surveyed.map((mount, number) => ({...mount, number, paths: saving.paths[number] ?? []}))
  const mounts: Record<string, SavedMount> = {}
  for (const group of planned.groups) {
    const own = saved.filter(mount => mount.group === group)
    for (const [number, mount] of Object.entries(await dump(own, {key, base, directory}, planned, context, ports))) {
      mounts[number] = mount
    }
  }
  const entry: MountEntry = {schema: 1, kind: 'mounts', ...(base === undefined ? {} : {base}), mounts}
  await files.write(join(directory, 'entry.json'), JSON.stringify(entry, undefined, 2))
  const dumped = clock()
  const stored = await cache.save(directory, key)
  const content = Object.values(mounts).reduce((total, {contentBytes}) => total + contentBytes, 0)
  const seconds = [dumped - started, clock() - dumped].map(time => formatDuration(time / 1000))
  const what = `${formatSize(content)} of cache mounts of the ${account.of}`
  if (stored === undefined) return {...account, note: saving.why}
  log.info(`${what}: taken from the builder in ${seconds.join(', saved in ')} (${saving.why}).`)
  return {...account, saved: stored, note: saving.why}
}

type MountToSave = Surveyed & {readonly number: number; readonly paths: readonly string[]}

/** Takes the files of one group out of the builder into the entry's directory. */
async function dump(
  mounts: readonly MountToSave[],
  {key, base, directory}: {key: string; base: string | undefined; directory: string},
  planned: PlannedMounts,
  context: BuilderAccess,
  ports: CachePorts
): Promise<Record<string, SavedMount>> {
  const {files} = ports
  const {context: input, output} = mountDirectories(planned)
  const [{group} = {}] = mounts
  if (group === undefined) return {}
  await files.remove(input)
  for (const {index, found, paths} of mounts) {
    const write = async (name: string, lines: readonly string[]) => {
      await files.write(join(input, `${index}.${name}`), lines.map(line => `${line}\n`).join(''))
    }
    await write('list', withDirectories(paths))
    await write('base', base === undefined ? paths : [...found.base])
    await write('delta', base === undefined ? [] : paths)
    const record = {
      entry: key,
      base: base ?? key,
      baseBytes: baseBytesOf(found, base, paths),
      firstBytes: firstBytesOf(found, base, paths)
    }
    await write('record.json', [JSON.stringify(record)])
  }
  const listed = new Set(mounts.filter(({paths}) => paths.length > 0).map(({index}) => index))
  await runOnMounts(planned, group, dumpScript(group.mounts, listed, recordFamily(planned)), context, ports)
  const saved: Record<string, SavedMount> = {}
  for (const {number, index, mount, found, paths} of mounts.filter(({index}) => listed.has(index))) {
    await files.makeDirectory(directory)
    const tar = join(directory, `${number}.tar`)
    await files.replace(join(output, `${index}.tar`), tar)
    await files.write(join(directory, `${number}.names`), paths.map(path => `${path}\n`).join(''))
    saved[String(number)] = {
      ...(group.platform === undefined ? {} : {platform: group.platform}),
      id: mount.id,
      owner: mount.owner,
      ...(await digestOf(tar, files)),
      files: paths.length,
      contentBytes: bytesOf(found, paths),
      firstBytes: firstBytesOf(found, base, paths)
    }
  }
  return saved
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
