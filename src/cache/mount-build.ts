import {randomUUID} from 'node:crypto'
import {dirname, join} from 'node:path'
import {noRoom} from '../errors.js'
import type {BuilderAccess, CachePorts} from './caches.js'
import type {LayerImages} from './layers-image.js'
import {linesOf} from './mount-entry.js'
import {mountDockerfile, resultsDirectory, rootLinks} from './mount-scripts.js'
import type {MountGroup, PlannedMounts} from './plan-mounts.js'

const toolsName = 'build-moby-tools'
const layersName = 'build-moby-layers'

/** The directories of `runOnMounts`: its context, and the results. */
export function mountDirectories({directory}: PlannedMounts): {readonly context: string; readonly results: string} {
  return {context: join(directory, 'context'), results: join(directory, 'output', resultsDirectory)}
}

/** What a script needs besides the mounts of its group. */
export interface MountOrder {
  readonly script: string
  /** Has the tools that it uses; the image of the plan when absent. */
  readonly images?: LayerImages | undefined
  /** Archives in the context that it finds unpacked. While that is done, the layers of `images` are unpacked, too. */
  readonly archives?: readonly string[]
}

/**
 * Runs a script with the mounts of one group, through the builder itself. It finds the context directory; what it puts
 * out is in the directory of results afterwards, and the mounts are measured.
 *
 * @throws Error with the builder's last words when that fails, CancelledError when the run was cancelled.
 */
export async function runOnMounts(
  planned: PlannedMounts,
  {platform, mounts}: MountGroup,
  {script, images, archives = []}: MountOrder,
  access: BuilderAccess,
  ports: CachePorts
): Promise<void> {
  const {builder, environment} = access
  const {commands, files, log} = ports
  const {context, results} = mountDirectories(planned)
  const output = dirname(results)
  const dockerfile = join(planned.directory, 'Dockerfile')
  for (const {path, content} of planned.files) await files.write(path, content)
  const tools = images === undefined ? planned.image : toolsName
  const beside = images === undefined || archives.length === 0 ? undefined : layersName
  await files.write(dockerfile, mountDockerfile({tools, beside}, mounts, archives, randomUUID()))
  await files.write(join(context, 'script.sh'), script)
  await files.remove(join(context, 'root'))
  await files.makeDirectory(join(context, 'root'))
  for (const {path, target} of rootLinks) await files.link(target, join(context, 'root', path))
  await files.remove(output)
  const last: string[] = []
  let full: string | undefined
  const exitCode = await commands.stream(
    [
      ...['docker', 'buildx', 'build', `--builder=${builder}`, '--progress=plain', '--provenance=false'],
      ...(platform === undefined ? [] : [`--platform=${platform}`]),
      ...(images === undefined ? [] : [layoutContext(tools, images.directory, images.base)]),
      ...(images === undefined || beside === undefined ? [] : [layoutContext(beside, images.directory, images.top)]),
      ...[`--file=${dockerfile}`, `--output=type=local,dest=${output}`, context]
    ],
    {
      environment: {...environment, ...planned.environment},
      onLine: line => {
        log.debug(line)
        // What a step says of a full disk may be followed by any number of lines that say nothing.
        if (noRoom.test(line)) full ??= line.replace(/^#\d+ [\d.]+ /, 'in the builder: ')
        if (line.trim() !== '') last.push(line)
        if (last.length > 20) last.shift()
      }
    }
  )
  await measureMounts(access, ports)
  if (exitCode === 0) return
  const cause = full ?? last.findLast(line => /error/i.test(line)) ?? last.at(-1) ?? `exit ${exitCode}`
  // When buildx cannot write a file, all that it says is that it cancels (tonistiigi/fsutil receive.go@586307ad452f).
  const unwritten = cause.includes('error from receiver') ? `${output} cannot be written, its disk may be full: ` : ''
  throw new Error(`${unwritten}${cause}`)
}

function layoutContext(name: string, directory: string, digest: string): string {
  return `--build-context=${name}=oci-layout://${directory}@${digest}`
}

/**
 * Has the builder measure all that it keeps, and tells which ids its cache mounts have. When it does not say, every id may be
 * there.
 *
 * To be called before anything relies on what a build has left in a mount. While BuildKit measures a mount, a step that asks
 * for it gets a new, empty one, unless it is `locked`. When it collects garbage, a second to a minute after a build, it
 * measures every mount that a step has had meanwhile; one that is measured already it lets go at once (moby/buildkit
 * control/control.go `throttledGC`, cache/manager.go `DiskUsage`, solver/llbsolver/mounts/mount.go `getRefCacheDirNoCache`,
 * @v0.32.2). With a filter for mounts, those that are just being measured would be left out and not be waited for.
 */
export async function measureMounts(
  {builder, environment}: BuilderAccess,
  {commands}: Pick<CachePorts, 'commands'>
): Promise<(id: string) => boolean> {
  const usage = await commands.capture(['docker', 'buildx', 'du', `--builder=${builder}`, '--verbose'], {environment})
  if (usage.exitCode !== 0) return () => true
  // `cached mount <target> from <step> with id "<namespace>/<id>"`, a step of several lines on several lines
  // (solver/llbsolver/mounts/mount.go@v0.32.2).
  const ids = linesOf(usage.stdout).flatMap(line => / with id "\/(.*)"$/.exec(line)?.[1] ?? [])
  return id => ids.includes(id)
}
