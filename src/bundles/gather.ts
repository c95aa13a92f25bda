import {randomUUID} from 'node:crypto'
import {basename, dirname, isAbsolute, join, relative, sep} from 'node:path'
import {StepError} from '../errors.js'
import type {Files} from '../ports.js'
import {algorithms, checksums, sidecarText, type Checksums} from './hash.js'
import {walk} from './walk.js'

/** One file of a bundle. */
export interface BundleFile extends Checksums {
  /** Relative to the bundle, with `/` between names. */
  readonly path: string
  /** Permission bits. */
  readonly mode: number
}

/** One file that a build left behind and that belongs into a bundle, checked. */
export interface ExportedFile extends BundleFile {
  /** Where its content lies; no link. */
  readonly source: string
}

const step = 'bundle'
const sidecar = /\.(md5|sha256)$/

// What BuildKit adds for `--provenance` and `--sbom`, with the platform in the name when `platform-split` is off.
// moby/buildkit exporter/local/fs.go@v0.25.0
const attestation = /^(provenance(\..+)?|sbom.*)\.json$/

/**
 * Reads the directory that a local export of BuildKit left behind, and changes nothing. Returns its files, sorted by path:
 *
 * - A link to a file counts as that file under the link's name. The file itself is left out when it lies beside the link
 *   and only adds a version or platform to its name, as in `dockerd -> dockerd-28.5.2`; `ctr -> containerd` keeps both.
 *   Links to directories of the export are left out: their content counts once.
 * - Sidecars (`dockerd.sha256`) are checked against the content and left out, and so are BuildKit's attestations.
 *
 * @throws StepError when nothing is left, for a link that dangles or leads out, for a sidecar that does not fit its file or
 * has none, and for anything that is neither file, directory nor link.
 */
export async function readExport(exportDirectory: string, files: Files): Promise<readonly ExportedFile[]> {
  const {sources, replaced} = await findSources(exportDirectory, files)
  const bySource = new Map<string, Checksums>()
  const byPath = new Map<string, Checksums>()
  const exported: ExportedFile[] = []
  for (const [path, source] of sources) {
    if (sidecar.test(path) || attestation.test(basename(path))) continue
    const sums = bySource.get(source) ?? (await checksums(files.readBytes(source)))
    bySource.set(source, sums)
    byPath.set(path, sums)
    if (!replaced.has(path)) {
      exported.push({path, source, mode: (await files.status(source)).mode, ...sums})
    }
  }
  for (const [path, source] of sources) {
    if (sidecar.test(path)) checkSidecar(exportDirectory, path, await files.readText(source), byPath)
  }
  if (exported.length === 0) throw new StepError(step, `the build left nothing in ${exportDirectory}`)
  // By code units, so that the order is the same in every locale.
  return exported.sort((one, other) => (one.path < other.path ? -1 : 1))
}

interface Sources {
  /** Every path that leads to a file, with the file it leads to. */
  readonly sources: ReadonlyMap<string, string>
  /** The paths of files that appear under the name of a link beside them. */
  readonly replaced: ReadonlySet<string>
}

async function findSources(exportDirectory: string, files: Files): Promise<Sources> {
  const sources = new Map<string, string>()
  const replaced = new Set<string>()
  for (const {path, kind} of await walk(exportDirectory, files)) {
    if (kind === 'file') {
      sources.set(path, join(exportDirectory, path))
    } else if (kind === 'link') {
      const target = await followLink(exportDirectory, path, files)
      if (target === undefined) continue
      const variant = dirname(target) === dirname(path) && isVariant(basename(target), basename(path))
      if (variant) replaced.add(target)
      // docker/cli makes `docker -> docker-windows-amd64.exe`, scripts/build/binary@v28.5.2.
      const lacksExtension = variant && target.endsWith('.exe') && !path.endsWith('.exe')
      sources.set(lacksExtension ? `${path}.exe` : path, join(exportDirectory, target))
    } else if (kind === 'other') {
      throw new StepError(step, `${path} in ${exportDirectory} is neither a file nor a directory`)
    }
  }
  return {sources, replaced}
}

/** Whether a file name is `name` with only a version or a platform added: `dockerd-28.5.2`, `docker-linux-amd64`. */
function isVariant(fileName: string, name: string): boolean {
  const program = name.replace(/\.exe$/, '')
  return (
    fileName.startsWith(program) &&
    /^-(v?\d|dev\b|(darwin|freebsd|linux|windows)-)/.test(fileName.slice(program.length))
  )
}

/** The path of the file that a link leads to, or undefined when that is a directory. */
async function followLink(exportDirectory: string, path: string, files: Files): Promise<string | undefined> {
  const root = await files.resolveLinks(exportDirectory)
  const target = await files.resolveLinks(join(root, path)).catch((error: unknown) => {
    throw new StepError(step, `the link ${path} in ${exportDirectory} leads nowhere`, {cause: error})
  })
  const fromRoot = relative(root, target)
  if (fromRoot === '..' || fromRoot.startsWith(`..${sep}`) || isAbsolute(fromRoot)) {
    throw new StepError(step, `the link ${path} leads out of ${exportDirectory}, to ${target}`)
  }
  const kind = await files.kind(target)
  if (kind === 'directory') return undefined
  if (kind !== 'file') throw new StepError(step, `the link ${path} in ${exportDirectory} leads to no file`)
  return fromRoot.split(sep).join('/')
}

function checkSidecar(
  exportDirectory: string,
  path: string,
  text: string | undefined,
  subjects: ReadonlyMap<string, Checksums>
): void {
  const subject = path.replace(sidecar, '')
  const actual = subjects.get(subject)
  if (actual === undefined) {
    throw new StepError(step, `${path} in ${exportDirectory} is for ${subject}, which is missing`)
  }
  const algorithm = path.endsWith('.md5') ? 'md5' : 'sha256'
  const [expected = ''] = (text ?? '').trim().split(/\s/)
  if (expected.toLowerCase() === actual[algorithm]) return
  throw new StepError(
    step,
    `${subject} in ${exportDirectory} does not fit ${basename(path)}: ` +
      `expected ${expected === '' ? 'nothing' : expected}, found ${actual[algorithm]}`
  )
}

/**
 * Copies exported files into `directory`, with their permission bits and with new sidecars `NAME.md5` and `NAME.sha256`
 * beside each. What was at `directory` is replaced; the bundle is there complete or not at all.
 */
export async function gather(
  exported: readonly ExportedFile[],
  directory: string,
  files: Files
): Promise<readonly BundleFile[]> {
  const staging = `${directory}.${randomUUID()}.partial`
  try {
    for (const file of exported) {
      await files.copyFile(file.source, join(staging, file.path))
      for (const algorithm of algorithms) {
        const text = sidecarText(file[algorithm], basename(file.path))
        await files.write(join(staging, `${file.path}.${algorithm}`), text)
      }
    }
    await files.replace(staging, directory)
  } finally {
    await files.remove(staging)
  }
  return exported.map(({path, size, mode, md5, sha256}) => ({path, size, mode, sha256, md5}))
}
