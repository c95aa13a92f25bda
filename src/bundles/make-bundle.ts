import {basename, join} from 'node:path'
import {StepError} from '../errors.js'
import type {Commands, Files, Log} from '../ports.js'
import {formatSize} from '../format.js'
import {createArchive, type Archive} from './archive.js'
import {gather, readExport, type BundleFile, type ExportedFile} from './gather.js'
import {platformOfDirectory, type Platform} from './platform.js'
import {verifyStamp, type StampedProgram, type VerifiedStamp} from './stamp.js'

export interface BundleOrder {
  readonly name: 'binary-daemon' | 'binary-client'
  /** Where the build left its files. */
  readonly exportDirectory: string
  /** Where the bundle goes, as the directory `name`, and its archive, as `name.tar.gz`. */
  readonly outputDirectory: string
  readonly machinePlatform: Platform
  /** The program that must carry the stamp; of the commit, its first digits. */
  readonly stamp: {readonly binary: 'dockerd' | 'docker'; readonly version: string; readonly commit: string}
  /** Whether the stamp is checked. */
  readonly verify: boolean
  /** For the entries of the archive, in seconds since the epoch. */
  readonly modifiedTime: number
}

export interface Bundle {
  readonly name: BundleOrder['name']
  readonly directory: string
  readonly files: readonly BundleFile[]
  readonly archive: Archive
  /** One for each platform; none when they were not to be checked. */
  readonly stamps: readonly VerifiedStamp[]
}

export interface BundlePorts {
  readonly files: Files
  readonly commands: Commands
  readonly log: Log
}

/** What a build left behind, found good. */
export interface CheckedExport {
  readonly files: readonly ExportedFile[]
  readonly stamps: readonly VerifiedStamp[]
}

/**
 * Checks what a build left behind, its stamp above all, and changes nothing.
 *
 * @throws StepError when a check fails.
 */
export async function checkExport(order: BundleOrder, ports: BundlePorts): Promise<CheckedExport> {
  const exported = await readExport(order.exportDirectory, ports.files)
  return {files: exported, stamps: await verifyStamps(order, exported, ports)}
}

/**
 * Checks the stamp of every program that must carry it, unless that was not asked for.
 *
 * @throws StepError when one is missing or another.
 */
export async function verifyStamps(
  {name, stamp, verify, machinePlatform}: Pick<BundleOrder, 'name' | 'stamp' | 'verify' | 'machinePlatform'>,
  exported: readonly Pick<ExportedFile, 'path' | 'source'>[],
  {files, commands, log}: BundlePorts
): Promise<readonly VerifiedStamp[]> {
  if (!verify) return []
  const stamps: VerifiedStamp[] = []
  const expected = {version: stamp.version, shortCommit: stamp.commit}
  for (const program of stampedPrograms(exported, stamp.binary, name)) {
    const verified = await verifyStamp(program, expected, machinePlatform, {files, commands})
    log.info(`${verified.path}: version ${verified.version}, build ${verified.commit} (${verified.how})`)
    stamps.push(verified)
  }
  return stamps
}

/**
 * Makes a bundle of what a build left behind: checks it, unless it was `checked` before, and only then puts the directory
 * with its checksums and the archive into the output directory, in place of older ones.
 *
 * @throws StepError when a check fails; the output directory is then as it was.
 */
export async function makeBundle(order: BundleOrder, ports: BundlePorts, checked?: CheckedExport): Promise<Bundle> {
  const {name, outputDirectory, modifiedTime} = order
  const {files, log} = ports
  const {files: exported, stamps} = checked ?? (await checkExport(order, ports))
  const directory = join(outputDirectory, name)
  const path = join(outputDirectory, `${name}.tar.gz`)
  // An archive must not outlive the bundle it was made of.
  for (const stale of [path, `${path}.sha256`]) await files.remove(stale)
  const bundled = await gather(exported, directory, files)
  const archive = await createArchive({directory, name, path, modifiedTime}, files)
  log.info(`${path}: ${bundled.length} files, ${formatSize(archive.size)}, sha256 ${archive.sha256}`)
  return {name, directory, files: bundled, archive, stamps}
}

/** The programs named `binary`, at least one in every platform's directory of a build for several platforms. */
function stampedPrograms(
  exported: readonly Pick<ExportedFile, 'path' | 'source'>[],
  binary: string,
  name: string
): readonly StampedProgram[] {
  const platformOf = ({path}: Pick<ExportedFile, 'path'>) =>
    platformOfDirectory(path.includes('/') ? (path.split('/', 1)[0] ?? '') : '')
  const programs = exported.filter(({path}) => [binary, `${binary}.exe`].includes(basename(path)))
  for (const platform of new Set(exported.map(platformOf))) {
    if (programs.some(program => platformOf(program) === platform)) continue
    const where = platform === undefined ? '' : ` for ${platform}`
    throw new StepError('verify', `the build left no ${binary}${where} for ${name}`)
  }
  return programs.map(program => {
    const platform = platformOf(program)
    return {path: program.path, source: program.source, ...(platform === undefined ? {} : {platform})}
  })
}
