import {join} from 'node:path'
import {recordsCredentials} from '../cache/backends.js'
import {replaceLinks} from '../cache/thin-layout.js'
import {StepError} from '../errors.js'
import {diagnose, diagnosisText, type BuildFacts} from '../diagnosis/diagnose.js'
import type {ProxySettings} from '../network/proxy.js'
import type {PlannedBuild} from '../plan/plan.js'
import type {Clock, Commands, Files, Log} from '../ports.js'
import {formatDuration} from '../format.js'
import {withLinesOfTree} from '../recipes/primed-stages.js'
import {haveCredentials} from '../recipes/step-options.js'
import {buildxDirectory} from './docker-configuration.js'
import {makesLayer, progressReader, slowestSteps, type BuildProgress} from './progress.js'

export interface BuildResult {
  readonly build: PlannedBuild
  readonly progress: BuildProgress
  /** Whether restored layers turned out to be unusable, and the build has done without them. */
  readonly withoutLayers: boolean
  readonly seconds: number
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
}

/**
 * Runs one planned build: writes its files and runs the command, again after a network failure, as often as `retries`
 * says, and once more when restored layers cannot be used. Afterwards the binaries lie in the build's export directory.
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
  for (const {path, content} of build.files) await files.write(path, content)
  let done: Awaited<ReturnType<typeof attempt>>
  try {
    done = await attempt(build, settings, environment, ports)
  } finally {
    await forgetBuild(build, settings, environment, ports)
  }
  const seconds = (clock() - started) / 1000
  reportSteps(done.progress, seconds, log)
  return {build, seconds, ...done}
}

async function attempt(
  build: PlannedBuild,
  settings: BuildSettings,
  environment: Readonly<Record<string, string>>,
  {commands, files, log, pause}: BuildPorts
): Promise<Pick<BuildResult, 'progress' | 'withoutLayers'>> {
  const dockerfile = build.files.find(({path}) => path.endsWith('/Dockerfile'))?.content ?? ''
  let timesWithoutLayers = 0
  for (let attempts = 1; ; attempts++) {
    await files.remove(build.exportDirectory)
    const reader = progressReader(log)
    // BuildKit, too, has taken over what was restored. Of that it lets go of the layer that it has just met, or of none.
    const anew = timesWithoutLayers > 1 ? ['--no-cache'] : []
    const exitCode = await commands.stream([...build.command, ...anew], {
      workingDirectory: build.workingDirectory,
      environment: {...environment, ...build.environment},
      onLine: line => {
        reader.onLine(line)
      }
    })
    const {messages, ...rest} = reader.collapse()
    const progress = {...rest, messages: messages.map(line => withLinesOfTree(line, dockerfile))}
    const unusable =
      progress.unusableCache !== undefined && (timesWithoutLayers > 0 || (await removeLayers(build, files)))
    if (unusable && ++timesWithoutLayers === 1) {
      const next = exitCode === 0 ? 'These steps have run instead' : 'The build begins again without them'
      log.warning(`Restored layers of the ${build.component} cannot be used: ${progress.unusableCache}. ${next}.`)
    }
    if (exitCode === 0) return {progress, withoutLayers: timesWithoutLayers > 0}
    if (unusable && timesWithoutLayers <= 2) {
      attempts -= 1
      continue
    }
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

/** Removes what the build would take from restored entries. Returns whether there was anything. */
async function removeLayers({caches}: PlannedBuild, files: Files): Promise<boolean> {
  let found = false
  // What it has exported may rest on them. A layout in which that goes wrong is not kept, and fails no build.
  if (caches.result !== undefined) await replaceLinks(caches.result.exportDirectory, files).catch(() => undefined)
  for (const entry of [caches.result, caches.layers]) {
    // buildx itself makes the directory.
    if (entry === undefined || (await files.kind(join(entry.importDirectory, 'index.json'))) === undefined) continue
    await files.remove(entry.importDirectory)
    found = true
  }
  return found
}

/** A step's first words: that of a `RUN` has the whole script in its name. */
function beginning(step: string): string {
  return step.length > 80 ? `${step.slice(0, 79)}…` : step
}

/**
 * A builder keeps a record of every attempt with its arguments, and so the credentials of a proxy that is one of them, and
 * those of a cache that is imported: such records go.
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
  const ofProxies = !build.proxySecrets && haveCredentials(stepProxies)
  if (!ofProxies && !recordsCredentials(build.caches.from)) return
  const builder = build.command.find(word => word.startsWith('--builder=')) ?? ''
  const notes = join(buildxDirectory(environment), 'refs', builder.slice('--builder='.length))
  const ownFiles = JSON.stringify(join(build.exportDirectory, '..', '/')).slice(0, -1)
  for (const node of await files.list(notes)) {
    for (const record of await files.list(join(notes, node))) {
      if (!(await files.readText(join(notes, node, record)))?.includes(ownFiles)) continue
      const removed = await commands.capture(['docker', 'buildx', 'history', 'rm', builder, record], {environment})
      if (removed.exitCode !== 0) {
        log.warning(
          `The builder keeps a record of this build that holds credentials; remove it with \`docker buildx history rm ${record}\`.`
        )
      }
    }
  }
}

function reportSteps({steps}: BuildProgress, seconds: number, log: Log): void {
  const making = steps.filter(makesLayer)
  const cached = making.filter(step => step.cached).length
  log.info(`${making.length} steps in ${formatDuration(seconds)}, ${cached} of them from the cache. The slowest:`)
  for (const step of slowestSteps(steps, 5)) log.info(`  ${formatDuration(step.seconds).padStart(12)}  ${step.name}`)
}
