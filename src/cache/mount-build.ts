import {randomUUID} from 'node:crypto'
import {join} from 'node:path'
import type {BuilderAccess, CachePorts} from './caches.js'
import {linesOf} from './mount-entry.js'
import {mountDockerfile} from './mount-scripts.js'
import type {MountGroup, PlannedMounts} from './plan-mounts.js'

const localName = 'build-moby-image'

/** The directories of `runOnMounts`. */
export function mountDirectories({directory}: PlannedMounts): {readonly context: string; readonly output: string} {
  return {context: join(directory, 'context'), output: join(directory, 'output')}
}

/** An image in an OCI image layout of this machine. */
export interface LocalImage {
  readonly directory: string
  /** Of its manifest. */
  readonly digest: string
}

/**
 * Runs a script with the mounts of one group, through the builder itself, on the image of the plan or on the one that is
 * given. It finds the context directory; what it puts out is in the output directory afterwards.
 *
 * @throws Error with the builder's last words when that fails, CancelledError when the run was cancelled.
 */
export async function runOnMounts(
  planned: PlannedMounts,
  {platform, mounts}: MountGroup,
  script: string,
  {builder, environment}: BuilderAccess,
  {commands, files, log}: CachePorts,
  image?: LocalImage
): Promise<void> {
  const {context, output} = mountDirectories(planned)
  const dockerfile = join(planned.directory, 'Dockerfile')
  for (const {path, content} of planned.files) await files.write(path, content)
  await files.write(dockerfile, mountDockerfile(image === undefined ? planned.image : localName, mounts, randomUUID()))
  await files.write(join(context, 'script.sh'), script)
  await files.remove(output)
  const last: string[] = []
  const exitCode = await commands.stream(
    [
      ...['docker', 'buildx', 'build', `--builder=${builder}`, '--progress=plain', '--provenance=false'],
      ...(platform === undefined ? [] : [`--platform=${platform}`]),
      ...(image === undefined ? [] : [`--build-context=${localName}=oci-layout://${image.directory}@${image.digest}`]),
      ...[`--file=${dockerfile}`, `--output=type=local,dest=${output}`, context]
    ],
    {
      environment: {...environment, ...planned.environment},
      onLine: line => {
        log.debug(line)
        if (line.trim() !== '') last.push(line)
        if (last.length > 20) last.shift()
      }
    }
  )
  if (exitCode !== 0) throw new Error(last.findLast(line => /error/i.test(line)) ?? last.at(-1) ?? `exit ${exitCode}`)
}

/** The ids of the cache mounts that the builder has already. When it does not say, every id may be there. */
export async function hasMount(
  {builder, environment}: BuilderAccess,
  {commands}: CachePorts
): Promise<(id: string) => boolean> {
  const usage = await commands.capture(
    ['docker', 'buildx', 'du', `--builder=${builder}`, '--verbose', '--filter=type=exec.cachemount'],
    {environment}
  )
  if (usage.exitCode !== 0) return () => true
  // `cached mount <target> from <step> with id "<namespace>/<id>"`, a step of several lines on several lines
  // (solver/llbsolver/mounts/mount.go@v0.32.2).
  const ids = linesOf(usage.stdout).flatMap(line => / with id "\/(.*)"$/.exec(line)?.[1] ?? [])
  return id => ids.includes(id)
}
