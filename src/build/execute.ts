import {join} from 'node:path'
import {StepError} from '../errors.js'
import {diagnose, diagnosisText, type BuildFacts} from '../diagnosis/diagnose.js'
import type {ProxySettings} from '../network/proxy.js'
import type {PlannedBuild} from '../plan/plan.js'
import type {CacheStore, Clock, Commands, Files, Log} from '../ports.js'
import {formatDuration} from '../format.js'
import {haveCredentials} from '../recipes/step-options.js'
import {progressReader, slowestSteps, type BuildProgress} from './progress.js'

/** How much of a build was found in a cache of an earlier run. */
export type CacheHit = 'full' | 'partial' | 'none'

export interface BuildResult {
  readonly build: PlannedBuild
  readonly progress: BuildProgress
  readonly seconds: number
  readonly cacheHit: CacheHit
}

/** What the builds of a run have in common. */
export interface BuildSettings extends BuildFacts {
  /** Further attempts after a network failure. */
  readonly retries: number
  /** What the steps get. */
  readonly stepProxies: ProxySettings
}

export interface BuildPorts {
  readonly commands: Commands
  readonly files: Files
  readonly log: Log
  readonly clock: Clock
  readonly pause: (milliseconds: number) => Promise<void>
  /** Absent when caches are off. */
  readonly cache?: CacheStore
}

/**
 * Runs one planned build: restores its cache, writes its files, runs the command (again after a network failure, as often
 * as `retries` says), saves the cache. Afterwards the binaries lie in the build's export directory.
 *
 * @throws StepError that names the failed step, its cause and the input to change.
 */
export async function executeBuild(
  build: PlannedBuild,
  settings: BuildSettings,
  environment: Readonly<Record<string, string>>,
  ports: BuildPorts
): Promise<BuildResult> {
  const {files, log, clock} = ports
  const started = clock()
  const cacheHit = await restoreCache(build, ports)
  for (const {path, content} of build.files) await files.write(path, content)
  await files.makeDirectory(join(build.exportDirectory, '..', 'empty'))
  let progress: BuildProgress
  try {
    progress = await attempt(build, settings, environment, ports)
  } finally {
    await forgetBuild(build, settings, environment, ports)
  }
  if (cacheHit !== 'full') await saveCache(build, ports)
  const seconds = (clock() - started) / 1000
  reportSteps(progress, seconds, log)
  return {build, progress, seconds, cacheHit}
}

async function attempt(
  build: PlannedBuild,
  settings: BuildSettings,
  environment: Readonly<Record<string, string>>,
  {commands, files, log, pause}: BuildPorts
): Promise<BuildProgress> {
  for (let attempts = 1; ; attempts++) {
    await files.remove(build.exportDirectory)
    const reader = progressReader(log)
    const exitCode = await commands.stream(build.command, {
      workingDirectory: build.workingDirectory,
      environment: {...environment, ...build.environment},
      onLine: line => {
        reader.onLine(line)
      }
    })
    const progress = reader.collapse()
    if (exitCode === 0) return progress
    const diagnosis = diagnose(progress, settings)
    const output = progress.failure?.output ?? progress.messages
    for (const line of output.slice(-40)) log.info(line)
    if (!diagnosis.retryable || attempts > settings.retries) {
      const tried = attempts === 1 ? '' : ` (after ${attempts} attempts)`
      throw new StepError(
        `build ${build.component}`,
        `docker buildx bake exited with ${exitCode}${tried} in the step ${diagnosis.step}:\n${diagnosisText(diagnosis)}`
      )
    }
    const seconds = 5 * 2 ** (attempts - 1)
    log.warning(
      `The build met a network failure in ${beginning(diagnosis.step)}: ${diagnosis.cause}. Next attempt in ${seconds} s (${attempts} of ${settings.retries}).`
    )
    await pause(seconds * 1000)
  }
}

/** A step's first words: that of a `RUN` has the whole script in its name. */
function beginning(step: string): string {
  return step.length > 80 ? `${step.slice(0, 79)}…` : step
}

async function restoreCache(build: PlannedBuild, {cache, log}: BuildPorts): Promise<CacheHit> {
  if (build.cache === undefined || cache === undefined) return 'none'
  const found = await cache.restore(build.cache.importDirectory, build.cache.key, build.cache.prefixes)
  log.info(
    found === undefined
      ? `No layers of the ${build.component} in ${cache.location} yet.`
      : `Layers of the ${build.component} restored from ${cache.location}: ${found}`
  )
  if (found === undefined) return 'none'
  return found === build.cache.key ? 'full' : 'partial'
}

async function saveCache(build: PlannedBuild, {cache, files, log}: BuildPorts): Promise<void> {
  if (build.cache === undefined || cache === undefined) return
  // Absent when the export failed, which BuildKit then only reports.
  if ((await files.kind(join(build.cache.exportDirectory, 'index.json'))) === undefined) {
    log.warning(`The layers of the ${build.component} were not exported, so the next run starts without them.`)
    return
  }
  if (await cache.save(build.cache.exportDirectory, build.cache.key)) {
    log.info(`Layers of the ${build.component} saved to ${cache.location}: ${build.cache.key}`)
  }
}

/**
 * A builder keeps a record of every attempt with its arguments, and so the credentials of a proxy that is one of them:
 * those records go.
 *
 * Their names are in buildx's own notes of the builds, failed ones included (docker/buildx localstate), by the directory
 * of this run. `docker buildx history ls` is no way to them: it makes Docker Engine 28.5.2 crash.
 */
async function forgetBuild(
  build: PlannedBuild,
  {stepProxies}: BuildSettings,
  environment: Readonly<Record<string, string>>,
  {commands, files, log}: BuildPorts
): Promise<void> {
  if (build.proxySecrets || !haveCredentials(stepProxies)) return
  const builder = build.command.find(word => word.startsWith('--builder=')) ?? ''
  const notes = join(environment.BUILDX_CONFIG ?? '', 'refs', builder.slice('--builder='.length))
  const ownFiles = JSON.stringify(join(build.exportDirectory, '..', '/')).slice(0, -1)
  for (const node of await files.list(notes)) {
    for (const record of await files.list(join(notes, node))) {
      if (!(await files.readText(join(notes, node, record)))?.includes(ownFiles)) continue
      const removed = await commands.capture(['docker', 'buildx', 'history', 'rm', builder, record], {environment})
      if (removed.exitCode !== 0) {
        log.warning(
          `The builder keeps a record of this build that holds the proxy's credentials; remove it with \`docker buildx history rm ${record}\`.`
        )
      }
    }
  }
}

function reportSteps({steps}: BuildProgress, seconds: number, log: Log): void {
  const cached = steps.filter(step => step.cached).length
  log.info(`${steps.length} steps in ${formatDuration(seconds)}, ${cached} of them from the cache. The slowest:`)
  for (const step of slowestSteps(steps, 5)) log.info(`  ${formatDuration(step.seconds).padStart(12)}  ${step.name}`)
}
