import {chooseBuilder, type PlannedBuilder} from '../engine/choose-builder.js'
import {inheritedVariables} from '../engine/environment.js'
import {planeNotes} from '../engine/plane-notes.js'
import type {EngineFacts} from '../engine/survey-engine.js'
import {ConfigurationError} from '../errors.js'
import type {Inputs} from '../inputs.js'
import type {Endpoint, RoutedEndpoint} from '../network/endpoint.js'
import type {ImageDigests} from '../network/image-digests.js'
import {formatImageReference, parseImageReference} from '../network/images.js'
import type {Network} from '../network/network.js'
import {endpointsOf, hostsOf} from '../recipes/endpoints.js'
import type {InventoriedComponent} from './inventory.js'
import {planBuild, type PlanPlace} from './plan-build.js'
import type {Plan, PlannedBuild} from './plan.js'
import {routeEndpoints} from './routes.js'

/** What a plan follows from, besides the inputs. */
export interface PlanFacts {
  readonly components: readonly InventoriedComponent[]
  readonly engine: EngineFacts
  readonly network: Network
  /** What the registries have now for the images that the builds start from. */
  readonly imageDigests: ImageDigests
  /** A directory of this run alone, for files, exports and caches. */
  readonly workDirectory: string
  /** Makes the names of a created builder and of cache entries unlike any other. */
  readonly unique: string
  readonly place: PlanPlace
}

/**
 * Decides everything about a run.
 *
 * @throws ConfigurationError when the inputs ask for what this engine or these mirrors cannot do.
 */
export function makePlan(inputs: Inputs, facts: PlanFacts): Plan {
  const {components, network, engine} = facts
  const builder = chooseBuilder(inputs, network, engine, facts.unique)
  const parts = components.map(component => ({
    component,
    build: planBuild(component, {...facts, inputs, builder})
  }))
  const endpoints = [
    ...builderEndpoints(builder, network, engine),
    ...routeEndpoints(
      parts.flatMap(part => componentEndpoints(part, builder)),
      network,
      builder,
      engine
    )
  ]
  return {
    schema: 1,
    builder,
    builds: parts.map(({build}) => build),
    endpoints,
    inheritedVariables: [...new Set([...inheritedVariables, ...parts.flatMap(({build}) => build.caches.variables)])],
    notes: [
      ...new Set(parts.flatMap(({build}) => build.frontend.why ?? [])),
      ...new Set(parts.flatMap(({build}) => build.caches.notes)),
      ...planeNotes(inputs, network, engine, builder, endpoints)
    ]
  }
}

/**
 * Refuses to build what `strict` would stop half way.
 *
 * @throws ConfigurationError with every endpoint that has no route, and the input that would give it one.
 */
export function requireRoutes({endpoints}: Plan): void {
  const refused = endpoints.filter(({route}) => route.via === 'refused')
  if (refused.length === 0) return
  const lines = refused.map(({kind, what, route}) => `  - ${kind} ${what}: set '${route.inputs[0] ?? ''}'`)
  throw new ConfigurationError(
    `'strict' refuses what has neither a mirror nor a proxy nor permission ('=direct'):\n${lines.join('\n')}`
  )
}

/** BuildKit's own image, which the daemon pulls as `chooseBuilder` has decided: strictness was minded there. */
function builderEndpoints(builder: PlannedBuilder, network: Network, engine: EngineFacts): RoutedEndpoint[] {
  if (builder.creation === undefined) return []
  const {image, upstreamImage} = builder.creation
  const what = formatImageReference(parseImageReference(upstreamImage))
  const registryMirrors = image === upstreamImage ? [] : network.registryMirrors
  const endpoint = {kind: 'image', what, hosts: hostsOf('image', what), fetcher: 'dockerd'} as const
  return routeEndpoints([endpoint], {...network, registryMirrors, strict: false}, builder, engine)
}

function componentEndpoints(
  {component: {component, source, sources}, build: {frontend}}: {component: InventoriedComponent; build: PlannedBuild},
  {driver}: PlannedBuilder
): Endpoint[] {
  const checkout: Endpoint = {
    kind: 'git',
    what: source.url,
    hosts: URL.canParse(source.url) ? [new URL(source.url).hostname] : [],
    fetcher: 'git'
  }
  const builderFetcher = driver === 'docker' ? 'dockerd' : 'buildkitd'
  const frontendImage = frontend.image === undefined ? {} : {frontendImage: frontend.image}
  return [checkout, ...endpointsOf(sources, {component, builderFetcher, ...frontendImage})]
}
