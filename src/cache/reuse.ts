import {createHash} from 'node:crypto'
import {formatVersion, type Version} from '../engine/versions.js'
import type {Inputs} from '../inputs.js'
import type {EndpointKind, RoutedEndpoint} from '../network/endpoint.js'
import type {ImageDigests} from '../network/image-digests.js'
import {formatImageReference, parseImageReference} from '../network/images.js'
import type {InventoriedComponent} from '../plan/inventory.js'
import type {Plan, PlannedBuild} from '../plan/plan.js'
import {digestOf, keyFamily, platformsPart} from './keys.js'

/** Everything that decides about the bytes of a run's bundles, as far as it can be known without building. */
export interface ReuseFacts {
  readonly schema: 1
  /** Stands for the program that plans, gathers, verifies and packs. */
  readonly program: string
  readonly verify: Inputs['verify']
  readonly builds: readonly BuildFacts[]
}

/**
 * Neither paths nor mirrors, proxies and caches are among them, since the bytes do not depend on these. Texts are there as
 * their digests.
 */
export interface BuildFacts {
  readonly component: PlannedBuild['component']
  /** Stands for the whole tree, its Dockerfile and bake file included. */
  readonly commit: string
  readonly recipe: string
  readonly bakeTarget: string
  readonly stage: string
  readonly platforms: readonly string[]
  readonly stamp: PlannedBuild['stamp']
  readonly dockerfile: string
  readonly dockerignore: string
  readonly arguments: string
  /** An image, or the BuildKit that it is built into. */
  readonly frontend: string
  /** Digests of all base images and of the frontend, by their full names, sorted. */
  readonly images: Readonly<Record<string, string>>
}

/** The finished bundles of this very run's content. */
export interface ReusableBundles {
  /** Ends in something that no other run has, so that a damaged entry can be followed by a sound one. */
  readonly key: string
  /** The rest of the key: every entry below it has these facts. */
  readonly prefix: string
  readonly facts: ReuseFacts
  /** In words, for people. */
  readonly compared: readonly string[]
  readonly notCompared: readonly string[]
}

/** What `reuse` comes to: where the finished bundles of an unchanged run are kept, or why nothing can prove that. */
export type PlannedReuse = ReusableBundles | {readonly why: string}

/** What a plan does not tell of its content. */
export interface ReuseContext {
  readonly components: readonly Pick<InventoriedComponent, 'component' | 'treeBuild' | 'sources'>[]
  readonly imageDigests: ImageDigests
  /** A digest of the running program. */
  readonly program: string
  readonly unique: string
}

/** Finds out what must be equal for the bundles of another run to be those that this plan would build. */
export function planReuse(
  {verify, cacheKey, target}: Inputs,
  plan: Pick<Plan, 'builder' | 'builds' | 'endpoints'>,
  {components, imageDigests, program, unique}: ReuseContext
): PlannedReuse {
  const parts = components.flatMap(component => {
    const build = plan.builds.find(candidate => candidate.component === component.component)
    return build === undefined ? [] : [{component, build, images: imagesOf(component, build)}]
  })
  const unknown = [...new Set(parts.flatMap(({images}) => images))].filter(image => !imageDigests.has(image))
  if (unknown.length > 0) {
    return {why: `no registry tells the digest of ${unknown.join(', ')}, so nothing proves that it is unchanged`}
  }
  const builds = parts.map(({component, build, images}): BuildFacts => {
    const {bakeTarget, stage, dockerfile, dockerignore, arguments: given} = component.treeBuild
    return {
      component: build.component,
      commit: build.source.commit,
      recipe: build.recipe,
      bakeTarget,
      stage,
      platforms: build.platforms.length === 0 ? [plan.builder.platform] : build.platforms,
      stamp: build.stamp,
      dockerfile: sha256(dockerfile),
      dockerignore: sha256(dockerignore),
      arguments: sha256(JSON.stringify(Object.entries(given).sort(byName))),
      frontend: build.frontend.image ?? builtInto(plan.builder.buildkit),
      images: Object.fromEntries(images.map(image => [image, imageDigests.get(image) ?? '']))
    }
  })
  const facts: ReuseFacts = {schema: 1, program, verify, builds}
  const names = builds.map(({component}) => component).join('+')
  const family = keyFamily('bundles', cacheKey, [names, platformsPart(builds[0]?.platforms ?? []), target])
  const prefix = `${family}${digestOf([JSON.stringify(facts)])}-`
  return {
    key: prefix + unique,
    prefix,
    facts,
    compared: comparedWords(builds),
    notCompared: notComparedWords(plan.endpoints)
  }
}

function imagesOf({sources}: ReuseContext['components'][number], {frontend}: PlannedBuild): string[] {
  const frontendImage = frontend.image === undefined ? [] : [parseImageReference(frontend.image)]
  const names = [...sources.images.map(({image}) => image), ...frontendImage].map(formatImageReference)
  return [...new Set(names)].sort()
}

function builtInto(buildkit: Version | undefined): string {
  return `built into BuildKit ${buildkit === undefined ? 'of unknown version' : formatVersion(buildkit)}`
}

function comparedWords(builds: readonly BuildFacts[]): string[] {
  const images = new Set(builds.flatMap(build => Object.keys(build.images)))
  return [
    ...builds.map(({component, commit}) => `the commit of the ${component} (${commit.slice(0, 7)})`),
    'the build arguments, target, platforms and stamps',
    `the digests of ${[...images].map(shortName).join(', ')}`,
    'Build Moby itself and what it verifies'
  ]
}

// Go's downloads are missing here: their versions and checksums are in the tree.
const fetched: Readonly<Partial<Record<EndpointKind, string>>> = {
  apt: 'packages of Debian and Ubuntu',
  apk: 'packages of Alpine',
  git: 'git repositories',
  http: 'files',
  pip: 'packages of Python',
  gem: 'packages of Ruby'
}

/** What builds fetch by a name that may stand for something else tomorrow. */
function notComparedWords(endpoints: readonly RoutedEndpoint[]): string[] {
  const kinds = new Set(endpoints.filter(({from}) => from !== undefined).map(({kind}) => kind))
  const words = Object.entries(fetched).flatMap(([kind, name]) => (kinds.has(kind as EndpointKind) ? [name] : []))
  return words.length === 0 ? [] : [`what the Dockerfile's steps fetch besides: ${words.join(', ')}`]
}

/** As people write it: without `docker.io/library/`. */
function shortName(image: string): string {
  return image.replace(/^docker\.io\/(library\/)?/, '')
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function byName([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : 1
}
