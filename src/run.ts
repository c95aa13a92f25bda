import {join} from 'node:path'
import {both} from './both.js'
import {makeBundles, uploadBundles, type PublishedBundle} from './bundles/publish.js'
import {createBuilder} from './build/builder.js'
import {configureDockerProxies} from './build/docker-configuration.js'
import {executeBuild, type BuildResult} from './build/execute.js'
import {clientRoutes, dockerEnvironment} from './engine/environment.js'
import {StepError} from './errors.js'
import {savedText, type CacheAccount} from './cache/account.js'
import {
  restoreCaches,
  restoredAccounts,
  saveCaches,
  takeCaches,
  usedCaches,
  type CacheContext,
  type RestoredCaches
} from './cache/caches.js'
import {saveGitObjects} from './cache/git-objects.js'
import {measureMounts} from './cache/mount-build.js'
import {originOf} from './cache/kept-bundles.js'
import {findReusable, keepForReuse} from './cache/reuse-bundles.js'
import type {TakenMounts} from './cache/save-mounts.js'
import {keptIfPossible, savingRule} from './cache/saving.js'
import type {Inputs} from './inputs.js'
import {decide, type Decision} from './decide.js'
import {checkEndpoints} from './check-endpoints.js'
import {haveCredentials} from './recipes/step-options.js'
import {stepProxies} from './network/step-proxies.js'
import {requireRoutes} from './plan/make-plan.js'
import type {Plan} from './plan/plan.js'
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
  /** The time of day, for people. */
  readonly now: () => Date
  /** A digest of this very program. */
  readonly identify: () => Promise<string>
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
    const reused = await findReusable(plan, inputs, place, workDirectory, ports)
    const endpoints = reused === undefined ? await checkEndpoints(decision, inputs, ports) : []
    if (reused === undefined && plan.builder.kind === 'created') {
      state = {...state, builder: plan.builder.name}
      ports.saveState(state)
    }
    const built = reused === undefined ? await build(decision, inputs, place, workDirectory, ports) : []
    const results = built.map(({result}) => result)
    const bundles = reused?.bundles ?? (await makeBundles(results, inputs, place, ports))
    const {outputDirectory} = place
    const finished = (caches: readonly CacheAccount[]) => ({
      plan,
      planFile,
      endpoints,
      results,
      caches,
      ...(reused === undefined ? {} : {reused}),
      outputDirectory,
      seconds: (clock() - started) / 1000
    })
    // Before the upload, so that later steps find the bundles even if it fails; but a cancelled run has none.
    await ports.pause(0)
    const restored = [
      ...decision.gitObjects.map(({account}) => account),
      ...(reused === undefined ? built.flatMap(({caches}) => restoredAccounts(caches)) : [reused.account])
    ]
    ports.writeOutputs(runOutputs({...finished(restored), bundles}))
    // One waits for the network, the other one for the disk, which the bundles had to themselves.
    const [published, ready] = await both(
      uploadBundles(bundles, inputs, place, ports),
      takeFromBuilder(built, inputs, place, ports)
    )
    // Nobody waits for the caches, and nothing unverified is kept.
    const caches = [
      ...(await keepCaches(decision, ready, inputs, place, ports)),
      ...(reused === undefined ? await keepBundles(plan, bundles, place, workDirectory, ports) : [reused.account])
    ]
    const outcome = {...finished(caches), bundles: published}
    const summary = renderSummary(outcome)
    await files.write(join(outputDirectory, 'summary.md'), summary)
    await ports.appendSummary(summary)
    ports.writeOutputs(runOutputs(outcome))
  } finally {
    await cleanUp(state, ports, environment)
  }
}

/** A finished build, and what was found of its caches. */
interface Built {
  readonly result: BuildResult
  readonly caches: RestoredCaches
  readonly context: CacheContext
}

async function build(
  decision: Decision,
  inputs: Inputs,
  place: Place,
  workDirectory: string,
  ports: Ports
): Promise<Built[]> {
  const {plan, network} = decision
  const environment = builderEnvironment(decision, place)
  const {files, log} = ports
  await createBuilder(plan.builder, network, inputs.retries, workDirectory, environment, ports)
  const proxies = stepProxies(network, stepHosts(plan.endpoints))
  const settings = {endpoints: plan.endpoints, network, retries: inputs.retries, stepProxies: proxies}
  // All of them first: builds that share a cache mount would hide from each other what they use of it.
  const begun = []
  for (const planned of plan.builds) {
    const directory = join(workDirectory, planned.component)
    const configured = async (name: string, asSecrets: boolean) => ({
      ...environment,
      ...(await configureDockerProxies(proxies, asSecrets, join(directory, name), environment, files))
    })
    const own = await configured('docker', planned.proxySecrets)
    // Credentials among the arguments would stay in the records of the small builds that fetch and keep caches.
    const safe = await configured('docker-of-caches', true)
    const hidden = planned.proxySecrets || !haveCredentials(proxies)
    const context = {builder: plan.builder.name, environment: safe, buildEnvironment: hidden ? own : safe}
    const caches = inputs.cache === 'off' ? {} : await restoreCaches(planned, context, ports)
    begun.push({planned, own, context, caches})
  }
  const built = []
  for (const {planned, own, context, caches} of begun) {
    // The build before may have left something in the same mounts.
    if (built.length > 0 && caches.mounts !== undefined) await measureMounts(context, ports)
    log.info(`Building the ${planned.component}: ${planned.stamp.version}, build ${planned.stamp.commit}`)
    const result = await executeBuild(planned, settings, own, ports)
    if (!(await isClean(planned.source.directory, place.environment, ports))) {
      throw new StepError(
        `build ${planned.component}`,
        `the checkout ${planned.source.directory} has changed during the build, so its stamp would not be honest: see \`git status\` there`
      )
    }
    built.push({result, context, caches: usedCaches(caches, result)})
  }
  return built
}

/** A finished build, and what was taken out of the builder for its caches. */
interface ReadyForCaches extends Built {
  readonly taken?: TakenMounts | undefined
}

async function takeFromBuilder(
  built: readonly Built[],
  inputs: Inputs,
  place: Place,
  ports: Ports
): Promise<readonly ReadyForCaches[]> {
  if (inputs.cache === 'off' || !ports.cache.accepts()) return built
  const rule = savingRule(place.environment)
  const ready = []
  for (const each of built) {
    const {build} = each.result
    const take = () => takeCaches(build, each.caches, rule, each.context, ports)
    ready.push({...each, taken: await keptIfPossible(`cache mounts of the ${build.component}`, undefined, take, ports)})
  }
  return ready
}

async function keepCaches(
  {gitObjects}: Decision,
  built: readonly ReadyForCaches[],
  inputs: Inputs,
  place: Place,
  ports: Ports
): Promise<readonly CacheAccount[]> {
  const accounts = [...gitObjects.map(({account}) => account), ...built.flatMap(({caches}) => restoredAccounts(caches))]
  if (inputs.cache === 'off' || !ports.cache.accepts()) return accounts
  const rule = savingRule(place.environment)
  const kept: CacheAccount[] = []
  for (const objects of gitObjects) {
    const {account} = objects
    const enough = rule.what === 'missing' && account.restored !== undefined
    const save = () => (enough ? Promise.resolve(account) : saveGitObjects(objects, ports))
    const saved = await keptIfPossible(`git objects of ${account.of}`, account, save, ports)
    if (saved.saved !== undefined) ports.log.info(savedText(saved))
    kept.push(saved)
  }
  for (const {result, context, caches, taken} of built) {
    const {build} = result
    const save = () => saveCaches(build, caches, taken, rule, context, ports)
    kept.push(...(await keptIfPossible(`caches of the ${build.component}`, restoredAccounts(caches), save, ports)))
  }
  return kept
}

/** Keeps the bundles for runs that are to reuse them. */
async function keepBundles(
  {reuse}: Plan,
  bundles: readonly PublishedBundle[],
  {environment}: Place,
  workDirectory: string,
  ports: Ports
): Promise<readonly CacheAccount[]> {
  if (reuse === undefined || 'why' in reuse) return []
  const origin = originOf(ports.now(), environment)
  const made = bundles.map(({bundle}) => bundle)
  const keep = async () => [await keepForReuse(reuse, made, origin, workDirectory, ports)]
  return await keptIfPossible('bundles', [], keep, ports)
}

/** What docker needs from the surroundings to get at the planned builder. */
function builderEnvironment({plan, network, certificateFile}: Decision, place: Place): Record<string, string> {
  const inherited = dockerEnvironment(place.environment, plan.inheritedVariables)
  return {...inherited, ...clientRoutes(plan.builder.driver, inherited, network.proxies, certificateFile)}
}
