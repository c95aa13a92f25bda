import {join} from 'node:path'
import type {Files} from '../ports.js'
import {linesOf} from './mount-entry.js'
import type {MountRecord, SurveyedMount} from './mount-saving.js'
import type {PlannedMount} from './plan-mounts.js'

/**
 * Reads what the survey of a mount has put out in `directory`. What is noted there counts only if it is of the entry
 * `newest`: of what is not in the store any more, nothing can be spared.
 */
export async function readSurvey(
  directory: string,
  index: number,
  {kind}: PlannedMount,
  newest: string | undefined,
  files: Files
): Promise<SurveyedMount> {
  const text = async (name: string) => await files.readText(join(directory, `${index}.${name}`))
  const used = await text('used')
  const record = parseRecord(await text('record.json'))
  const isCurrent = record !== undefined && record.entry === newest
  const paths = async (name: string) => new Set(isCurrent ? linesOf((await text(name)) ?? '') : [])
  return {
    kind,
    files: parseSizes((await text('files')) ?? ''),
    ...(used === undefined ? {} : {used: new Set(linesOf(used))}),
    ...(isCurrent ? {record} : {}),
    base: await paths('base'),
    delta: await paths('delta')
  }
}

/** Lines `<bytes> <path>`. A path with a line break is left out: the cache can do without it. */
export function parseSizes(text: string): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  for (const line of linesOf(text)) {
    const [, bytes, path] = /^(\d+) (\.\/.+)$/.exec(line) ?? []
    if (bytes !== undefined && path !== undefined) sizes.set(path, Number(bytes))
  }
  return sizes
}

/** The paths and the directories above them, each directory before what is in it: what tar has to be told. */
export function withDirectories(paths: readonly string[]): readonly string[] {
  const directories = new Set<string>()
  for (const path of paths) {
    const parts = path.split('/').slice(0, -1)
    for (let depth = 2; depth <= parts.length; depth++) directories.add(parts.slice(0, depth).join('/'))
  }
  return [...[...directories].sort(), ...paths]
}

/** What is noted in a mount; undefined for what nobody has noted there. */
export function parseRecord(text: string | undefined): MountRecord | undefined {
  if (text === undefined) return undefined
  try {
    const {entry, base, baseBytes, firstBytes} = JSON.parse(text) as Partial<MountRecord>
    const isSound = typeof entry === 'string' && typeof base === 'string'
    return isSound ? {entry, base, baseBytes: Number(baseBytes), firstBytes: Number(firstBytes)} : undefined
  } catch {
    return undefined
  }
}
