import {randomUUID} from 'node:crypto'
import {join} from 'node:path'
import {sidecarText} from '../bundles/hash.js'
import {verifyStamps, type Bundle, type BundleOrder} from '../bundles/make-bundle.js'
import {bundleOrder, removeBundles, type BundlePlace, type PublishedBundle} from '../bundles/publish.js'
import {unpackArchive} from '../bundles/unpack.js'
import {CancelledError, describeError, StepError} from '../errors.js'
import type {Inputs} from '../inputs.js'
import type {Plan} from '../plan/plan.js'
import type {CacheEntry, CacheStore, Commands, Files, Log} from '../ports.js'
import type {CacheAccount} from './account.js'
import {factsFile, parseKept, renderKept, type KeptBundle, type Origin} from './kept-bundles.js'
import type {ReusableBundles} from './reuse.js'

export interface ReusePorts {
  readonly cache: CacheStore
  readonly commands: Commands
  readonly files: Files
  readonly log: Log
  /** Waits, and rejects as soon as the run is cancelled. */
  readonly pause: (milliseconds: number) => Promise<void>
}

/** Bundles of an unchanged earlier run, in place as if they had been built. */
export interface ReusedBundles {
  readonly bundles: readonly PublishedBundle[]
  readonly account: CacheAccount
  /** The run that built them. */
  readonly origin: Origin
  readonly compared: readonly string[]
  readonly notCompared: readonly string[]
}

const step = 'reuse'

/**
 * The bundles that an earlier run of the same content has kept, checked as those of a build are, in the output directory;
 * undefined when there are none. What is wrong with an entry is said once, and costs time only.
 */
export async function findReusable(
  plan: Plan,
  inputs: Inputs,
  place: BundlePlace,
  workDirectory: string,
  ports: ReusePorts
): Promise<ReusedBundles | undefined> {
  const {reuse} = plan
  const {cache, log} = ports
  if (reuse === undefined) return undefined
  if ('why' in reuse) {
    log.info(`Nothing is reused: ${reuse.why}.`)
    return undefined
  }
  const directory = join(workDirectory, 'reuse')
  const entry = await cache.restore(directory, reuse.key, [reuse.prefix])
  if (entry === undefined) {
    log.info(`Nothing is reused: no finished bundles of this content are in ${cache.location}.`)
    return undefined
  }
  try {
    return await takeOver(reuse, entry, plan, inputs, place, directory, ports)
  } catch (error) {
    if (error instanceof CancelledError) throw error
    await ports.pause(0)
    log.warning(`The finished bundles in ${entry.key} are not reused, so they are built: ${describeError(error)}`)
    return undefined
  } finally {
    await ports.files.remove(directory)
  }
}

/** Keeps finished bundles for runs of the same content. What goes wrong is a warning. */
export async function keepForReuse(
  {key, facts}: ReusableBundles,
  bundles: readonly Bundle[],
  origin: Origin,
  workDirectory: string,
  {cache, files, log}: Pick<ReusePorts, 'cache' | 'files' | 'log'>
): Promise<CacheAccount> {
  const account: CacheAccount = {kind: 'bundles', of: names(bundles), exact: false}
  const directory = join(workDirectory, 'keep')
  try {
    for (const {name, archive} of bundles) await files.copyFile(archive.path, join(directory, `${name}.tar.gz`))
    await files.write(join(directory, factsFile), renderKept(facts, origin, bundles))
  } catch (error) {
    log.warning(`The finished bundles are not kept for further runs: ${describeError(error)}`)
    return account
  }
  const saved = await cache.save(directory, key)
  await files.remove(directory)
  return saved === undefined ? account : {...account, saved}
}

async function takeOver(
  reuse: ReusableBundles,
  entry: CacheEntry,
  plan: Plan,
  inputs: Inputs,
  place: BundlePlace,
  directory: string,
  ports: ReusePorts
): Promise<ReusedBundles> {
  const {files, log} = ports
  const kept = parseKept((await files.readText(join(directory, factsFile))) ?? '', reuse.facts)
  if (kept === undefined) throw new StepError(step, `${factsFile} is not of this content`)
  const {outputDirectory} = place
  // Beside their place, so that they only have to be renamed.
  const staging = join(outputDirectory, `reuse.${randomUUID()}.partial`)
  const bundles: Bundle[] = []
  try {
    for (const build of plan.builds) {
      const bundle = kept.bundles.find(({name}) => name === build.bundle)
      if (bundle === undefined) throw new StepError(step, `it has no ${build.bundle}`)
      const stamps = await checkKept(bundle, bundleOrder(build, inputs, place), directory, staging, ports)
      const path = join(outputDirectory, `${bundle.name}.tar.gz`)
      bundles.push({
        ...bundle,
        directory: join(outputDirectory, bundle.name),
        archive: {path, ...bundle.archive},
        stamps
      })
    }
    await removeBundles(outputDirectory, files)
    for (const {name, directory: target, archive} of bundles) {
      await files.replace(join(staging, name), target)
      await files.copyFile(join(directory, `${name}.tar.gz`), archive.path)
      await files.write(`${archive.path}.sha256`, sidecarText(archive.sha256, `${name}.tar.gz`))
    }
  } finally {
    await files.remove(staging)
  }
  const {origin} = kept
  log.info(
    `Unchanged since ${origin.when}${origin.run === undefined ? '' : ` (${origin.run})`}: the bundles are reused.`
  )
  return {
    bundles: bundles.map(bundle => ({bundle})),
    account: {kind: 'bundles', of: names(bundles), restored: entry, exact: true},
    origin,
    compared: reuse.compared,
    notCompared: reuse.notCompared
  }
}

/** Unpacks a bundle below `staging`. It must be the one that was kept, and pass what that of a build has to pass. */
async function checkKept(
  {name, archive: {sha256}, files: expected}: KeptBundle,
  order: BundleOrder,
  directory: string,
  staging: string,
  ports: ReusePorts
): Promise<Bundle['stamps']> {
  const unpacked = join(staging, name)
  const path = join(directory, `${name}.tar.gz`)
  await unpackArchive({path, sha256, name, directory: unpacked, files: expected}, ports.files)
  await ports.pause(0)
  const programs = expected.map(file => ({path: file.path, source: join(unpacked, file.path)}))
  return await verifyStamps(order, programs, ports)
}

function names(bundles: readonly Bundle[]): string {
  return bundles.map(({name}) => name.replace('binary-', '')).join(' and ')
}
