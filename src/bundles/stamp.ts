import {StepError} from '../errors.js'
import type {Commands, Files} from '../ports.js'
import {
  buildInfoLimit,
  buildInfoMagic,
  moduleText,
  stampOfModuleText,
  stampOfVersionOutput,
  type Stamp
} from './build-info.js'
import {platformOfProgram, sameArchitecture, type Platform} from './platform.js'

/** The stamp that a program must carry. */
export interface ExpectedStamp {
  readonly version: string
  /** The first digits of the commit; the program may say more of them. */
  readonly shortCommit: string
}

/** A program that carries the expected stamp. */
export interface VerifiedStamp extends Stamp {
  /** Relative to the bundle. */
  readonly path: string
  /**
   * How that is known: `ran` from its own words, `build info` from the linker flags that Go recorded in it, `text` only
   * because version and commit occur among its bytes: so with `-trimpath`, where Go records no flags.
   */
  readonly how: 'ran' | 'build info' | 'text'
}

export interface StampedProgram {
  /** As the bundle calls it. */
  readonly path: string
  /** Where it lies. */
  readonly source: string
  /** Absent when the export does not say. */
  readonly platform?: Platform
}

const step = 'verify'
const notTaken =
  "the build did not take the planned stamp. Check 'build-args', and that the tree's scripts stamp the VERSION and the commit they are given; with 'verify' off, the binaries pass as they are"

/**
 * Makes sure that a program is the version it should be. One for `machinePlatform` is run with `--version`; one for
 * another platform, or that cannot start here, is searched instead.
 *
 * @throws StepError when it is another version or commit, prints something else, or ends with a failure of its own.
 */
export async function verifyStamp(
  program: StampedProgram,
  expected: ExpectedStamp,
  machinePlatform: Platform,
  {files, commands}: {readonly files: Files; readonly commands: Commands}
): Promise<VerifiedStamp> {
  const {path, source} = program
  const native = await isNative(program, machinePlatform, files)
  const ran = native ? await askVersion(program, commands) : undefined
  if (ran !== undefined) return {path, ...checked(path, ran, expected, 'prints'), how: 'ran'}
  const search = await searchProgram(files.readBytes(source), expected)
  if (search.stamp !== undefined) {
    return {path, ...checked(path, search.stamp, expected, 'was linked with'), how: 'build info'}
  }
  const {version, shortCommit} = expected
  const missing = [
    ...(search.hasVersion ? [] : [`version ${version}`]),
    ...(search.hasCommit ? [] : [`build ${shortCommit}`])
  ]
  if (missing.length > 0) {
    throw new StepError(
      step,
      `${path}: expected ${describe({version, commit: shortCommit})}, but ${missing.join(' and ')} is nowhere in it: ${notTaken}`
    )
  }
  return {path, version, commit: shortCommit, how: 'text'}
}

function checked(path: string, stamp: Stamp, expected: ExpectedStamp, verb: string): Stamp {
  const sameCommit = stamp.commit.startsWith(expected.shortCommit) && /^[0-9a-f]{7,64}$/.test(stamp.commit)
  if (stamp.version === expected.version && sameCommit) return stamp
  const wanted = describe({version: expected.version, commit: expected.shortCommit})
  throw new StepError(step, `${path}: expected ${wanted}, but it ${verb} ${describe(stamp)}: ${notTaken}`)
}

function describe({version, commit}: Stamp): string {
  return `version ${version}, build ${commit}`
}

/** Whether the program may run here. Where the export does not name its platform, its first bytes do; a script always may. */
async function isNative({source, platform}: StampedProgram, machine: Platform, files: Files): Promise<boolean> {
  if (platform !== undefined && !sameArchitecture(platform, machine)) return false
  for await (const chunk of files.readBytes(source)) {
    const own = platformOfProgram(chunk)
    return own === undefined || sameArchitecture(own, machine)
  }
  return false
}

// What the kernel and the loaders of glibc and musl say when a program cannot start here.
const cannotStart =
  /error while loading shared libraries|Error loading shared library|version `[^']*' not found|exec format error|ENOEXEC/i

/** The stamp that a program prints, or undefined when it cannot start here. */
async function askVersion({path, source}: StampedProgram, commands: Commands): Promise<Stamp | undefined> {
  // Nothing of the surroundings, tokens above all, is for a program that was just built.
  const {exitCode, stdout, stderr} = await commands.capture([source, '--version'], {environment: {}})
  if (exitCode === 126 || exitCode === 127 || cannotStart.test(stderr)) return undefined
  const said = `${stdout}\n${stderr}`.trim()
  if (exitCode !== 0) throw new StepError(step, `${path} --version exited with ${exitCode}: ${firstLine(said)}`)
  const stamp = stampOfVersionOutput(stdout)
  if (stamp !== undefined) return stamp
  throw new StepError(step, `${path} --version does not print 'Docker version …, build …' but: ${firstLine(said)}`)
}

function firstLine(text: string): string {
  const [line = ''] = text.split('\n', 1)
  return line === '' ? 'nothing' : line
}

interface SearchResult {
  /** From the build information. */
  readonly stamp?: Stamp
  readonly hasVersion: boolean
  readonly hasCommit: boolean
}

/** Searches the bytes of a program, until its build information tells the stamp or to the end. */
export async function searchProgram(bytes: AsyncIterable<Uint8Array>, expected: ExpectedStamp): Promise<SearchResult> {
  let hasVersion = false
  let hasCommit = false
  // The linker ends what -X sets with a zero byte, so 29.0.0 is not found in 29.0.0-rc.1.
  // Go's cmd/link/internal/loader/symbolbuilder.go, `Addstring`
  const version = `${expected.version}\0`
  for await (const window of windows(bytes)) {
    const stamp = stampIn(window)
    if (stamp !== undefined) return {stamp, hasVersion, hasCommit}
    hasVersion ||= window.includes(version)
    hasCommit ||= window.includes(expected.shortCommit)
  }
  return {hasVersion, hasCommit}
}

function stampIn(window: Buffer): Stamp | undefined {
  for (let at = window.indexOf(buildInfoMagic); at !== -1; at = window.indexOf(buildInfoMagic, at + 1)) {
    const text = moduleText(window.subarray(at, at + buildInfoLimit))
    const stamp = text === undefined ? undefined : stampOfModuleText(text)
    if (stamp !== undefined) return stamp
  }
  return undefined
}

/** Long stretches of the bytes; each repeats the end of the one before, so that everything is whole in one of them. */
async function* windows(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const length = 4 * buildInfoLimit
  let pending: Uint8Array[] = []
  let size = 0
  let fresh = false
  for await (const chunk of bytes) {
    pending.push(chunk)
    size += chunk.length
    fresh = true
    if (size < length) continue
    const window = Buffer.concat(pending)
    yield window
    pending = [window.subarray(-buildInfoLimit)]
    size = buildInfoLimit
    fresh = false
  }
  if (fresh) yield Buffer.concat(pending)
}
