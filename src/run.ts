import {join} from 'node:path'
import {makeBundles, uploadBundles} from './bundles/publish.js'
import {createBuilder} from './build/builder.js'
import {configureDockerProxies} from './build/docker-configuration.js'
import {executeBuild, type BuildResult} from './build/execute.js'
import {clientRoutes, dockerEnvironment} from './engine/environment.js'
import {StepError} from './errors.js'
import type {Inputs} from './inputs.js'
import {decide, type Decision} from './decide.js'
import {checkEndpoints} from './check-endpoints.js'
import {stepProxies} from './network/step-proxies.js'
import {requireRoutes} from './plan/make-plan.js'
import {stepHosts} from './plan/routes.js'
import type {ArtifactStore, CacheStore, Clock, Commands, Files, Log, Prober, Trust} from './ports.js'
import {planOutputs, runOutputs} from './report/outputs.js'
import {renderPlan} from './report/plan-text.js'
import {renderSummary} from './report/summary.js'
import {isClean} from './source/acquire-source.js'
import {cleanUp, type SavedState} from './state.js'

/** The outside, as one run is given it. */
export interface Ports {
  readonly commands: Commands
  readonly files: Files
  readonly log: Log
  readonly prober: Prober
  readonly trust: Trust
  readonly clock: Clock
  /** Waits, and rejects as soon as the run is cancelled. */
  readonly pause: (milliseconds: number) => Promise<void>
  readonly cache: CacheStore
  /** Where finished archives are published; absent when they just stay in the output directory. */
  readonly artifacts?: ArtifactStore
  /** Hands what has to be removed to the post phase, as soon as there is anything. */
  readonly saveState: (state: SavedState) => void
  readonly writeOutputs: (outputs: Readonly<Record<string, string>>) => void
  readonly appendSummary: (markdown: string) => Promise<void>
}

/** Where a run takes place. */
export interface Place {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Absolute. */
  readonly workspace: string
  /** Absolute: bundles, archives, plan.json and summary.md end up here. */
  readonly outputDirectory: string
  /** Of the machine itself, such as `linux/amd64`. */
  readonly platform: string
}

/** From the inputs to published, verified bundles: source, plan, build, bundles, report. */
export async function run(inputs: Inputs, place: Place, ports: Ports): Promise<void> {
  const {files, log, clock} = ports
  const started = clock()
  const environment = dockerEnvironment(place.environment)
  const workDirectory = await files.makeTemporaryDirectory('build-moby-')
  let state: SavedState = {workDirectory}
  ports.saveState(state)
  try {
    const decision = await decide(inputs, place, ports, workDirectory)
    const {plan} = decision
    const planFile = join(place.outputDirectory, 'plan.json')
    // An older summary would speak of other bundles than this plan.
    await files.remove(join(place.outputDirectory, 'summary.md'))
    await files.write(planFile, `${JSON.stringify(plan, undefined, 2)}\n`)
    if (inputs.mode === 'plan') {
      log.info(renderPlan(plan))
      ports.writeOutputs(planOutputs(plan, planFile))
      await checkEndpoints(decision, inputs, ports)
      return
    }
    log.startGroup('Plan')
    log.info(renderPlan(plan))
    log.endGroup()
    for (const note of plan.notes) log.notice(note)
    requireRoutes(plan)
    const endpoints = await checkEndpoints(decision, inputs, ports)
    if (plan.builder.kind === 'created') {
      state = {...state, builder: plan.builder.name}
      ports.saveState(state)
    }
    const results = await build(decision, inputs, place, workDirectory, ports)
    const bundles = await makeBundles(results, inputs, place, ports)
    const {outputDirectory} = place
    const finished = () => ({plan, planFile, endpoints, results, outputDirectory, seconds: (clock() - started) / 1000})
    // Before the upload, so that later steps find the bundles even if it fails; but a cancelled run has none.
    await ports.pause(0)
    ports.writeOutputs(runOutputs({...finished(), bundles}))
    const outcome = {...finished(), bundles: await uploadBundles(bundles, inputs, place, ports)}
    const summary = renderSummary(outcome)
    await files.write(join(place.outputDirectory, 'summary.md'), summary)
    await ports.appendSummary(summary)
    ports.writeOutputs(runOutputs(outcome))
  } finally {
    await cleanUp(state, ports, environment)
  }
}

async function build(
  {plan, network, certificateFile}: Decision,
  inputs: Inputs,
  place: Place,
  workDirectory: string,
  ports: Ports
): Promise<BuildResult[]> {
  const inherited = dockerEnvironment(place.environment)
  const environment = {
    ...inherited,
    ...clientRoutes(plan.builder.driver, inherited, network.proxies, certificateFile)
  }
  const {commands, files, log, clock, pause, cache} = ports
  await createBuilder(plan.builder, network, inputs.retries, workDirectory, environment, ports)
  const proxies = stepProxies(network, stepHosts(plan.endpoints))
  const settings = {endpoints: plan.endpoints, network, retries: inputs.retries, stepProxies: proxies}
  const results = []
  for (const planned of plan.builds) {
    log.info(`Building the ${planned.component}: ${planned.stamp.version}, build ${planned.stamp.commit}`)
    const directory = join(workDirectory, planned.component, 'docker')
    const proxied = await configureDockerProxies(proxies, planned.proxySecrets, directory, environment, files)
    const buildPorts = {commands, files, log, clock, pause, ...(inputs.cache === 'off' ? {} : {cache})}
    results.push(await executeBuild(planned, settings, {...environment, ...proxied}, buildPorts))
    if (!(await isClean(planned.source.directory, place.environment, ports))) {
      throw new StepError(
        `build ${planned.component}`,
        `the checkout ${planned.source.directory} has changed during the build, so its stamp would not be honest: see \`git status\` there`
      )
    }
  }
  return results
}
