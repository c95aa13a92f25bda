import {ConfigurationError} from '../errors.js'
import type {Inputs} from '../inputs.js'
import {buildkitdConfiguration} from '../network/buildkitd-configuration.js'
import {formatImageReference, parseImageReference, type ImageReference} from '../network/images.js'
import type {Network, ReachableMirror} from '../network/network.js'
import {isInNetwork, isLoopbackHost} from '../network/proxy.js'
import {mirrorName} from '../network/source-policy.js'
import {nativePlatform} from './platforms.js'
import type {EngineFacts} from './survey-engine.js'
import type {Version} from './versions.js'

/** The builder of a plan, and why it is that one. */
export interface PlannedBuilder {
  readonly kind: 'existing' | 'created'
  readonly name: string
  readonly driver: string
  readonly why: string
  /** Undefined when it is only known once the builder runs. */
  readonly buildkit?: Version
  readonly platform: string
  readonly exportsCaches: boolean
  /** Only of a created one. */
  readonly creation?: {
    /** What the daemon pulls, on a mirror or not. */
    readonly image: string
    /** The image by the name that it has without mirrors. */
    readonly upstreamImage: string
    /** Shares the machine's network, because a mirror or proxy is on the machine's loopback. */
    readonly hostNetwork: boolean
    readonly configuration?: string
  }
}

/** buildx's own choice for the docker-container driver (docker/buildx driver/bkimage). */
const defaultBuildkitImage = 'moby/buildkit:buildx-stable-1'

/**
 * The named builder, else the current one if it can do what is asked, else a new one of the docker-container driver.
 * `unique` makes the name of a new one unlike any other.
 *
 * @throws ConfigurationError when the builder that must be used cannot reach a mirror, or when `strict` forbids to pull BuildKit's own image the only way there is.
 */
export function chooseBuilder(inputs: Inputs, network: Network, engine: EngineFacts, unique: string): PlannedBuilder {
  const {builder, server} = engine
  const platform = nativePlatform(engine)
  const existing = (why: string): PlannedBuilder => ({
    kind: 'existing',
    name: builder.name,
    driver: builder.driver,
    why,
    platform,
    exportsCaches: builder.exportsCaches,
    ...(builder.buildkit === undefined ? {} : {buildkit: builder.buildkit})
  })
  const refused = builder.driver === 'docker' ? refusedMirrors(network, engine) : []
  if (inputs.builder !== undefined) {
    if (refused.length > 0) throw plainHttpError(refused, builder.name)
    return existing("named by 'builder'")
  }
  const needsCaches = inputs.cache !== 'off' || inputs.cacheTo.length > 0
  const cacheReason = needsCaches && !builder.exportsCaches ? 'cannot export layer caches' : undefined
  const mirrorReason = refused[0] === undefined ? undefined : `would refuse the plain-HTTP mirror ${refused[0].host}`
  const platformReason =
    inputs.platforms.length < 2 || builder.exportsCaches ? undefined : 'builds one platform at a time'
  const reason = cacheReason ?? mirrorReason ?? platformReason
  if (reason === undefined)
    return existing(`the current builder, which ${needsCaches ? 'can export layer caches' : 'suffices'}`)
  const configuration = buildkitdConfiguration(network.registryMirrors)
  const upstreamImage = inputs.buildkitImage ?? defaultBuildkitImage
  const image = inputs.buildkitImage ?? mirrored(defaultBuildkitImage, network, engine)
  if (network.strict) requireImageRoute(image, network, engine)
  return {
    kind: 'created',
    name: `build-moby-${unique}`,
    driver: 'docker-container',
    why: `the current builder '${builder.name}' (driver ${builder.driver}) ${reason}`,
    platform: server?.platform ?? platform,
    exportsCaches: true,
    creation: {
      image,
      upstreamImage,
      hostNetwork: usesLoopback(network),
      ...(configuration === undefined ? {} : {configuration})
    }
  }
}

/** The mirrors that speak plain HTTP where the daemon insists on HTTPS. */
export function refusedMirrors({registryMirrors}: Network, engine: EngineFacts): readonly ReachableMirror[] {
  return registryMirrors.filter(mirror => !daemonReaches(mirror, engine))
}

// dockerd falls back to plain HTTP for these registries only (docs.docker.com/reference/cli/dockerd, insecure-registries).
function daemonReaches(mirror: ReachableMirror, {server}: EngineFacts): boolean {
  if (mirror.scheme === 'https') return true
  const host = mirror.host.replace(/:\d+$/, '')
  return (
    isLoopbackHost(host) ||
    (server?.insecureRegistries ?? []).some(
      entry => entry === mirror.host || entry === host || isInNetwork(host, entry)
    )
  )
}

function plainHttpError(refused: readonly ReachableMirror[], builder: string): ConfigurationError {
  const hosts = refused.map(mirror => mirror.host)
  return new ConfigurationError(
    `'registry-mirrors': ${hosts.join(', ')} speaks plain HTTP, which the Docker daemon behind the builder '${builder}' refuses. Add {"insecure-registries": ${JSON.stringify(hosts)}} to its daemon.json and restart it, serve the mirror over HTTPS, or leave 'builder' empty to have a builder created that accepts it.`
  )
}

// The daemon pulls this one, without any source policy, and only from a mirror that it does not refuse.
function mirrored(image: string, network: Network, engine: EngineFacts): string {
  const reference = parseImageReference(image)
  const mirror = mirrorFor(reference, network)
  return mirror === undefined || !daemonReaches(mirror, engine)
    ? image
    : formatImageReference({...reference, registry: mirrorName(mirror)})
}

function mirrorFor({registry}: ImageReference, {registryMirrors}: Network): ReachableMirror | undefined {
  return registryMirrors.find(candidate => candidate.registry === registry)
}

/** The daemon's own `registry-mirrors` do not count: where they have not got an image, the daemon goes to Docker Hub. */
function requireImageRoute(image: string, network: Network, engine: EngineFacts): void {
  const reference = parseImageReference(image)
  const {registry} = reference
  const open =
    network.registryMirrors.some(({host}) => host === registry) ||
    network.direct.registries.includes(registry) ||
    isLoopbackHost(registry.replace(/:\d+$/, '')) ||
    engine.server?.proxies.https !== undefined
  if (open) return
  const mirror = mirrorFor(reference, network)
  const why =
    mirror === undefined
      ? `'registry-mirrors' has no line ${registry}=…`
      : `the daemon refuses the mirror ${mirror.host}, which speaks plain HTTP: add {"insecure-registries": ${JSON.stringify([mirror.host])}} to its daemon.json`
  throw new ConfigurationError(
    `'strict': the Docker daemon would pull BuildKit's own image ${image} directly from ${registry} (${why}). Permit that with the line ${registry}=direct in 'registry-mirrors', name an image on a mirror with 'buildkit-image', give the daemon a proxy ('proxies' in its daemon.json), or name a builder that exists already with 'builder'.`
  )
}

/** Whether a mirror or proxy is on the loopback of whoever uses it. */
export function usesLoopback(network: Network): boolean {
  return [...builderUrls(network), ...stepUrls(network)].some(isLoopbackUrl)
}

/** The mirrors that the builder asks, as URLs. */
export function builderUrls({registryMirrors, gitMirrors, downloadMirrors, proxies}: Network): string[] {
  return [
    ...registryMirrors.map(({scheme, host}) => `${scheme}://${host}`),
    ...[...gitMirrors, ...downloadMirrors].map(({to}) => to),
    ...present([proxies.http, proxies.https])
  ]
}

/** The mirrors and proxies that build steps ask. */
export function stepUrls(network: Network): string[] {
  const {aptMirror, apkMirror, goProxy, goSumdb, pipIndex, gemSource, gitMirrors, downloadMirrors, proxies} = network
  return present([
    aptMirror,
    apkMirror,
    ...(goProxy ?? '').split(/[,|]/),
    ...(goSumdb ?? '').split(' '),
    pipIndex,
    gemSource,
    ...[...gitMirrors, ...downloadMirrors].map(({to}) => to),
    proxies.http,
    proxies.https
  ])
}

/** Whether a URL leads to the loopback of whoever asks for it. */
export function isLoopbackUrl(url: string): boolean {
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname)
}

function present(values: readonly (string | undefined)[]): string[] {
  return values.filter(value => value !== undefined)
}
