import {ConfigurationError} from '../errors.js'
import type {Inputs} from '../inputs.js'
import {formatImageReference, parseImageReference} from '../network/images.js'
import {isInNetwork, isLoopbackHost} from '../network/proxy.js'
import {mirrorName} from '../network/source-policy.js'
import type {ReachableMirror} from '../network/survey-mirrors.js'
import {buildkitdConfiguration} from '../network/buildkitd-configuration.js'
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
    readonly image: string
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
 * @throws ConfigurationError when the builder that must be used cannot reach a mirror.
 */
export function chooseBuilder(
  inputs: Inputs,
  engine: EngineFacts,
  mirrors: readonly ReachableMirror[],
  unique: string
): PlannedBuilder {
  const {builder, server} = engine
  const platform = builder.platforms[0] ?? server?.platform ?? 'linux/amd64'
  const existing = (why: string): PlannedBuilder => ({
    kind: 'existing',
    name: builder.name,
    driver: builder.driver,
    why,
    platform,
    exportsCaches: builder.exportsCaches,
    ...(builder.buildkit === undefined ? {} : {buildkit: builder.buildkit})
  })
  const refused = builder.driver === 'docker' ? mirrors.filter(mirror => !daemonReaches(mirror, engine)) : []
  if (inputs.builder !== undefined) {
    if (refused.length > 0) throw plainHttpError(refused, builder.name)
    return existing("named by 'builder'")
  }
  const cacheReason = inputs.cache === 'off' || builder.exportsCaches ? undefined : 'cannot export layer caches'
  const mirrorReason = refused[0] === undefined ? undefined : `would refuse the plain-HTTP mirror ${refused[0].host}`
  const platformReason =
    inputs.platforms.length < 2 || builder.exportsCaches ? undefined : 'builds one platform at a time'
  const reason = cacheReason ?? mirrorReason ?? platformReason
  if (reason === undefined)
    return existing(`the current builder, which ${inputs.cache === 'off' ? 'suffices' : 'can export layer caches'}`)
  const configuration = buildkitdConfiguration(mirrors)
  return {
    kind: 'created',
    name: `build-moby-${unique}`,
    driver: 'docker-container',
    why: `the current builder '${builder.name}' (driver ${builder.driver}) ${reason}`,
    platform: server?.platform ?? platform,
    exportsCaches: true,
    creation: {
      image: inputs.buildkitImage ?? mirrored(defaultBuildkitImage, mirrors, engine),
      hostNetwork: usesLoopback(inputs, mirrors),
      ...(configuration === undefined ? {} : {configuration})
    }
  }
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
function mirrored(image: string, mirrors: readonly ReachableMirror[], engine: EngineFacts): string {
  const reference = parseImageReference(image)
  const mirror = mirrors.find(
    candidate => candidate.registry === reference.registry && daemonReaches(candidate, engine)
  )
  return mirror === undefined ? image : formatImageReference({...reference, registry: mirrorName(mirror)})
}

/** Whether a mirror or proxy is on the loopback of whoever uses it. */
export function usesLoopback(
  {aptMirror, goProxy, gitMirrors, proxies}: Inputs,
  mirrors: readonly ReachableMirror[]
): boolean {
  const urls = [
    aptMirror,
    ...(goProxy ?? '').split(/[,|]/),
    ...gitMirrors.map(({to}) => to),
    proxies.http,
    proxies.https
  ]
  const hosts = urls.flatMap(url => (url !== undefined && URL.canParse(url) ? [new URL(url).hostname] : []))
  return [...hosts, ...mirrors.map(({host}) => host.replace(/:\d+$/, ''))].some(isLoopbackHost)
}
