import {formatSize} from '../format.js'
import type {PlannedMount} from './plan-mounts.js'

/** What is noted in a mount of the entry that it was last filled from, or saved to. */
export interface MountRecord {
  readonly entry: string
  /** The entry itself, or the one that it adds to. */
  readonly base: string
  /** Bytes of this mount's files in the base. */
  readonly baseBytes: number
  /** Bytes of this mount's files when they were first saved, since they were last begun anew. */
  readonly firstBytes: number
}

/** What is in a mount after a build. */
export interface SurveyedMount {
  readonly kind: PlannedMount['kind']
  /** Bytes by path, such as `./ab/abcd-d`. */
  readonly files: ReadonlyMap<string, number>
  /** What the build used or made; undefined when nobody knows. */
  readonly used?: ReadonlySet<string>
  /** Absent when the mount does not come from the newest entry. */
  readonly record?: MountRecord
  /** Paths in the base, and in what was added to it. */
  readonly base: ReadonlySet<string>
  readonly delta: ReadonlySet<string>
}

/** What to save of the mounts, and why. */
export type MountSaving =
  | {readonly what: 'nothing'; readonly why: string}
  | {
      readonly what: 'base' | 'delta'
      readonly why: string
      /** Of each mount, the paths to save. */
      readonly paths: readonly (readonly string[])[]
    }

/** New files are saved when they are more than this part of the base … */
const worthSaving = 0.01
/** … as an addition to the base up to this part of it, … */
const largestDelta = 0.25
/** … and as long as this part of the base is still used. */
const smallestUse = 0.75
/** Modules are begun anew when they have grown by this factor, because nothing tells which of them are used. */
const largestGrowth = 1.3

/**
 * Decides what to save after a build: nothing, what is not in the base, or all. Of a compiler's mount only what this build
 * used is kept, unless it used nothing, when its step did not run; so no entry grows for ever.
 */
export function decideMountSaving(mounts: readonly SurveyedMount[]): MountSaving {
  const kept = mounts.map(keptPaths)
  const sum = (paths: (mount: SurveyedMount, kept: readonly string[]) => readonly string[]) =>
    mounts.reduce((total, mount, index) => total + bytesOf(mount, paths(mount, kept[index] ?? [])), 0)
  const baseBytes = mounts.reduce((total, {record}) => total + (record?.baseBytes ?? 0), 0)
  const newBytes = sum(({base, delta}, paths) => paths.filter(path => !base.has(path) && !delta.has(path)))
  if (newBytes === 0) return {what: 'nothing', why: 'nothing new'}
  if (newBytes < worthSaving * baseBytes) {
    return {what: 'nothing', why: `only ${formatSize(newBytes)} new`}
  }
  const added = kept.map((paths, index) => paths.filter(path => mounts[index]?.base.has(path) !== true))
  const deltaBytes = sum(({base}, paths) => paths.filter(path => !base.has(path)))
  const usedBytes = sum(({base}, paths) => paths.filter(path => base.has(path)))
  const overgrown = mounts.map(isOvergrown)
  if (
    baseBytes > 0 &&
    deltaBytes <= largestDelta * baseBytes &&
    usedBytes >= smallestUse * baseBytes &&
    !overgrown.includes(true)
  ) {
    return {what: 'delta', why: `${formatSize(newBytes)} new`, paths: added}
  }
  const why = overgrown.includes(true) ? 'modules begun anew' : `${formatSize(newBytes)} new`
  return {what: 'base', why, paths: kept.map((paths, index) => (overgrown[index] === true ? [] : paths))}
}

/** Bytes of these files. */
export function bytesOf({files}: Pick<SurveyedMount, 'files'>, paths: readonly string[]): number {
  return paths.reduce((total, path) => total + (files.get(path) ?? 0), 0)
}

function keptPaths({kind, files, used}: SurveyedMount): string[] {
  const all = [...files.keys()]
  const needed = kind === 'compiler' ? all.filter(path => used?.has(path) === true) : []
  return (needed.length === 0 ? all : needed).sort()
}

function isOvergrown({kind, files, record}: SurveyedMount): boolean {
  if (kind !== 'modules' || record === undefined || record.firstBytes === 0) return false
  return bytesOf({files}, [...files.keys()]) > largestGrowth * record.firstBytes
}
