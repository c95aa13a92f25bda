import {join} from 'node:path'
import type {BuildResult} from '../build/execute.js'
import {StepError} from '../errors.js'
import type {Inputs} from '../inputs.js'
import type {PlannedBuild} from '../plan/plan.js'
import type {ArtifactStore, Commands, Files, Log, PublishedArtifact} from '../ports.js'
import {checkExport, makeBundle, type Bundle, type BundleOrder} from './make-bundle.js'

/** A bundle and where it went. */
export interface PublishedBundle {
  readonly bundle: Bundle
  readonly artifact?: PublishedArtifact
}

/** Where bundles are made, and for whom. */
export interface BundlePlace {
  readonly outputDirectory: string
  /** Of this machine, such as `linux/amd64`. */
  readonly platform: string
}

/** What is asked of the bundle of a build. */
export function bundleOrder(
  build: PlannedBuild,
  {verify}: Pick<Inputs, 'verify'>,
  {outputDirectory, platform}: BundlePlace
): BundleOrder {
  return {
    name: build.bundle,
    exportDirectory: build.exportDirectory,
    outputDirectory,
    machinePlatform: platform,
    stamp: build.stamp,
    verify: verify === 'version',
    modifiedTime: build.source.commitTime
  }
}

/** Removes the bundles that an earlier run left: they are not of this one, even if this one makes no client. */
export async function removeBundles(outputDirectory: string, files: Files): Promise<void> {
  for (const name of ['binary-client', 'binary-daemon']) {
    for (const stale of [name, `${name}.tar.gz`, `${name}.tar.gz.sha256`]) {
      await files.remove(join(outputDirectory, stale))
    }
  }
}

/**
 * Makes the bundles of all builds, or none: every export is checked before the first one is made.
 *
 * @throws StepError as `checkExport` and `makeBundle` do.
 */
export async function makeBundles(
  results: readonly BuildResult[],
  inputs: Inputs,
  place: BundlePlace,
  ports: {readonly files: Files; readonly commands: Commands; readonly log: Log}
): Promise<PublishedBundle[]> {
  const checked = []
  for (const {build} of results) {
    const order = bundleOrder(build, inputs, place)
    checked.push({order, exported: await checkExport(order, ports)})
  }
  await removeBundles(place.outputDirectory, ports.files)
  const made: PublishedBundle[] = []
  for (const {order, exported} of checked) made.push({bundle: await makeBundle(order, ports, exported)})
  return made
}

/**
 * Uploads each bundle's archive and its checksum as one artifact, unless `upload` is off.
 *
 * @throws StepError that says where the finished bundles lie.
 */
export async function uploadBundles(
  made: readonly PublishedBundle[],
  {upload, artifactPrefix, compressionLevel, retentionDays}: Inputs,
  {outputDirectory}: {readonly outputDirectory: string},
  {
    artifacts,
    log,
    pause
  }: {
    readonly artifacts?: ArtifactStore
    readonly log: Log
    readonly pause: (milliseconds: number) => Promise<void>
  }
): Promise<readonly PublishedBundle[]> {
  if (!upload || artifacts === undefined) return made
  const options = {compressionLevel, ...(retentionDays === undefined ? {} : {retentionDays})}
  const uploaded: PublishedBundle[] = []
  for (const {bundle} of made) {
    const name = `${artifactPrefix}${bundle.name}`
    const {path} = bundle.archive
    // A cancelled run publishes nothing more.
    await pause(0)
    const artifact = await artifacts.publish(name, [path, `${path}.sha256`], options).catch((error: unknown) => {
      throw new StepError(
        'upload',
        `${name} could not be uploaded to ${artifacts.location}. The bundles are finished and lie in ${outputDirectory}: upload them in a further step, or set 'upload' to false.`,
        {cause: error}
      )
    })
    log.info(`Published ${name}: ${artifact.url}`)
    uploaded.push({bundle, artifact})
  }
  return uploaded
}
