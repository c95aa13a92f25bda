import {join} from 'node:path'
import {formatImageReference, parseImageReference} from '../network/images.js'
import type {ImageDigests} from '../network/image-digests.js'
import type {BakeOrder} from '../plan/bake-override.js'
import type {InventoriedComponent} from '../plan/inventory.js'
import type {PlannedLayers} from '../plan/plan.js'
import type {BuildVariables} from '../recipes/needed-stages.js'
import {reusableLayers, type ReusableLayers} from '../recipes/reusable-layers.js'
import {digestOf, keyFamily, platformsPart} from './keys.js'

/** What a build's layers follow from, besides its tree. */
export interface LayerFacts {
  /** The text that is built, which lies outside the tree. */
  readonly dockerfile: string
  /** The image of its frontend, if there is one. */
  readonly frontendImage?: string
  /** Anything else that the result depends on. */
  readonly rest: readonly string[]
  readonly imageDigests: ImageDigests
  /** The input. */
  readonly cacheKey: string
  /** The input `target`. */
  readonly target: string
  readonly buildPlatform: string
  readonly targetPlatforms: readonly string[]
  /** A directory of this run and build alone. */
  readonly directory: string
  /** Makes the keys of new entries unlike any other. */
  readonly unique: string
}

/** The entries of a build's layers. */
export interface LayerPlan {
  readonly result?: PlannedLayers
  readonly layers?: PlannedLayers & {readonly export: LayerExport}
}

/** The build that exports the layers which other commits can use. */
export interface LayerExport {
  readonly dockerfile: string
  readonly stage: string
}

/**
 * Decides under which keys the layers of a build are kept.
 *
 * `result` holds the last layers, a few megabytes, and is of use to just the same build. There is none when the digest of an
 * image is unknown: BuildKit would find none of its layers under another digest, and all else would have been left alone
 * for it. `layers` holds those that do not depend on the commit, and below them those of the base image: BuildKit has no
 * chain of layers without its bottom.
 */
export function planLayers(component: InventoriedComponent, facts: LayerFacts): LayerPlan {
  const {treeBuild, source, tree, sources} = component
  const {dockerfile, imageDigests, frontendImage} = facts
  const parts = [component.component, platformsPart(facts.targetPlatforms), facts.target]
  const images = [
    ...sources.images.map(({image}) => image),
    ...(frontendImage === undefined ? [] : [parseImageReference(frontendImage)])
  ]
  const names = [...new Set(images.map(formatImageReference))].sort()
  const digests = names.map(name => `${name}=${imageDigests.get(name) ?? ''}`)
  // The tree's bake file gives arguments, too.
  const common = [tree['docker-bake.hcl'] ?? '', ...digests]
  const result = names.every(name => imageDigests.has(name))
    ? planned('result', `${keyFamily('result', facts.cacheKey, parts)}${source.shortCommit}-`, facts, [
        ...[source.commit, dockerfile, treeBuild.dockerignore, JSON.stringify(treeBuild.arguments)],
        ...common,
        ...facts.rest
      ])
    : undefined
  const reusable = reusableLayers(dockerfile, treeBuild.stage, variablesOf(component, facts), treeBuild.commitVariables)
  const family = keyFamily('layers', facts.cacheKey, parts)
  const given = Object.entries(treeBuild.arguments)
  return {
    ...(result && {result}),
    ...(reusable && {
      layers: {
        ...planned('layers', family, facts, [contentOf(reusable, given), ...common], [family]),
        export: {dockerfile: reusable.dockerfile, stage: reusable.stage}
      }
    })
  }
}

/** What the layers follow from: the Dockerfile with the arguments that it is given in place of its defaults. */
function contentOf(reusable: ReusableLayers, given: readonly (readonly [string, string])[]): string {
  const used = given.filter(([name]) => reusable.arguments.includes(name))
  const text = used.reduce(
    (content, [name]) => content.replaceAll(new RegExp(`^(ARG ${name})=\\S+$`, 'gm'), '$1'),
    reusable.dockerfile
  )
  return JSON.stringify([text, used])
}

/** Where a builder finds what was restored of these entries. */
export function importLines({result, layers}: LayerPlan): string[] {
  return [result, layers].flatMap(entry => (entry === undefined ? [] : [`type=local,src=${entry.importDirectory}`]))
}

/** Where the build itself leaves its last layers. */
export function resultExportLines({result}: LayerPlan): string[] {
  return result === undefined ? [] : [exportLine(result, ['mode=min'])]
}

/** What `bakeOverride` makes the build from that exports the layers. */
export function layerBake(
  layers: PlannedLayers & {readonly export: LayerExport},
  dockerfile: string,
  platforms: readonly string[],
  secrets: readonly string[]
): BakeOrder {
  return {
    dockerfile,
    stage: layers.export.stage,
    platforms,
    output: 'type=cacheonly',
    // What was restored and not used is not on the builder.
    cacheFrom: [`type=local,src=${layers.importDirectory}`],
    // Layers of images, too: a builder takes three times as long to unpack gzip as zstd.
    cacheTo: [exportLine(layers, ['mode=max', 'force-compression=true'])],
    secrets
  }
}

function exportLine({exportDirectory}: PlannedLayers, options: readonly string[]): string {
  return ['type=local', `dest=${exportDirectory}`, ...options, 'compression=zstd', 'ignore-error=true'].join()
}

function planned(
  kind: 'result' | 'layers',
  beginning: string,
  {directory, unique}: LayerFacts,
  content: readonly string[],
  older: readonly string[] = []
): PlannedLayers {
  const own = `${beginning}${digestOf(content)}-`
  return {
    key: `${own}${unique}`,
    content: own,
    prefixes: [own, ...older],
    importDirectory: join(directory, `${kind}-from`),
    exportDirectory: join(directory, `${kind}-to`)
  }
}

function variablesOf({treeBuild}: InventoriedComponent, facts: LayerFacts): BuildVariables {
  return {
    arguments: treeBuild.arguments,
    buildPlatform: facts.buildPlatform,
    targetPlatforms: facts.targetPlatforms
  }
}
