import {ConfigurationError, problemsError} from '../errors.js'
import {proxySettings, proxyUrl, type ProxySettings} from '../network/proxy.js'
import {redactUrl} from '../network/url.js'
import type {Commands, CommandResult, Files} from '../ports.js'
import {surveyClientProxies} from './client-proxies.js'
import {objectOf, parseObject, stringsOf, textOf} from './json.js'
import {buildkitInEngine, findVersion, formatVersion, isAtLeast, type Version} from './versions.js'

/** How buildx reaches a builder (docs.docker.com/build/builders/drivers). */
export type Driver = 'docker' | 'docker-container' | 'kubernetes' | 'remote'

/** What is known of the builder that would be used if none were created. */
export interface BuilderFacts {
  readonly name: string
  readonly driver: string
  /** Undefined when it is not running yet, or does not say. */
  readonly buildkit?: Version
  /** What it can build for, its own platform first. */
  readonly platforms: readonly string[]
  /** Whether it can export layer caches: all can, but for the docker driver on a graph driver. */
  readonly exportsCaches: boolean
}

/** What is known of Docker on this machine. */
export interface EngineFacts {
  readonly buildx: Version
  /** The daemon behind the docker CLI; absent when only a remote builder is there. */
  readonly server?: {
    readonly version: string
    readonly containerdImageStore: boolean
    /** Registries that the daemon reaches over plain HTTP: hosts and networks in CIDR form. */
    readonly insecureRegistries: readonly string[]
    /** URLs of the mirrors of Docker Hub that the daemon has of its own, without credentials. */
    readonly registryMirrors: readonly string[]
    /** The proxies that the daemon has of its own, without credentials. */
    readonly proxies: ProxySettings
    readonly platform: string
  }
  readonly builder: BuilderFacts
  /** The proxies in the docker client's configuration, which buildx gives to build steps. May carry credentials. */
  readonly clientProxies: ProxySettings
}

/** buildx 0.13 has `--progress=rawjson`, which the log and the step times come from (docker/buildx v0.13.0). */
export const minimumBuildx: Version = [0, 13, 0]
/** BuildKit 0.11 has source policies, which the mirrors rest on (moby/buildkit v0.11.0), and is in Engine 24. */
export const minimumBuildkit: Version = [0, 11, 0]

/**
 * Asks docker and buildx what they are, and which proxies they have. `requested` is the builder the user named, if any.
 *
 * @throws ConfigurationError with the remedy when there is no docker CLI, no buildx, no such builder, no daemon that the
 * builder needs, or one of them is too old.
 */
export async function surveyEngine(
  requested: string | undefined,
  ports: {readonly commands: Commands; readonly files: Files},
  environment: Readonly<Record<string, string>>
): Promise<EngineFacts> {
  const docker = (...words: readonly string[]) => ports.commands.capture(['docker', ...words], {environment})
  // Side by side, because what they take is mostly their start.
  const [client, plugin, server, inspected] = await Promise.all([
    docker('--version'),
    docker('buildx', 'version'),
    docker('info', '--format', '{{json .}}'),
    docker('buildx', 'inspect', ...(requested === undefined ? [] : [requested]))
  ])
  if (client.exitCode !== 0) {
    throw new ConfigurationError(
      'the docker command was not found. Install Docker Engine with the buildx plugin (docs.docker.com/engine/install), or use a runner that has it.'
    )
  }
  const buildx = versionOfBuildx(plugin)
  if (inspected.exitCode !== 0 && requested !== undefined) {
    throw new ConfigurationError(
      `'builder' names ${requested}, which buildx cannot inspect: ${lastLine(inspected)}. See \`docker buildx ls\`; leave 'builder' empty to have one chosen.`
    )
  }
  const daemon = parseDaemon(server.stdout)
  const builder = parseBuilder(inspected.stdout, daemon)
  if (daemon === undefined && (builder.driver === 'docker' || builder.driver === 'docker-container')) {
    throw new ConfigurationError(
      `the Docker daemon does not answer${environment.DOCKER_HOST === undefined ? '' : ` at DOCKER_HOST=${environment.DOCKER_HOST}`}: ${lastLine(server)}. Start it, point DOCKER_HOST to it, or name a remote builder with 'builder'.`
    )
  }
  if (inspected.exitCode !== 0) {
    throw new ConfigurationError(
      `buildx cannot inspect its current builder: ${lastLine(inspected)}. Choose another with \`docker buildx use\` or the variable BUILDX_BUILDER, or name one with 'builder'.`
    )
  }
  const problems = tooOld(buildx, builder)
  if (problems.length > 0) throw problemsError('Docker on this machine cannot run the build', problems)
  const clientProxies = await surveyClientProxies(ports, environment)
  return {buildx, builder, clientProxies, ...(daemon === undefined ? {} : {server: daemon})}
}

function versionOfBuildx({exitCode, stdout}: CommandResult): Version {
  const version = findVersion(stdout)
  if (exitCode === 0 && version !== undefined) return version
  throw new ConfigurationError(
    `docker has no buildx plugin. Install buildx ${formatVersion(minimumBuildx)} or newer: the package docker-buildx-plugin of Docker's repositories, docker-buildx of Debian's, or docker/setup-buildx-action.`
  )
}

function tooOld(buildx: Version, builder: BuilderFacts): string[] {
  const problems = []
  if (!isAtLeast(buildx, minimumBuildx)) {
    problems.push(
      `buildx is ${formatVersion(buildx)}, at least ${formatVersion(minimumBuildx)} is needed (for --progress=rawjson): update the plugin`
    )
  }
  if (builder.buildkit !== undefined && !isAtLeast(builder.buildkit, minimumBuildkit)) {
    problems.push(
      `BuildKit of the builder '${builder.name}' is ${formatVersion(builder.buildkit)}, at least ${formatVersion(minimumBuildkit)} is needed (for source policies): update to Docker Engine 24 or newer, or name another builder with 'builder'`
    )
  }
  return problems
}

type Daemon = NonNullable<EngineFacts['server']>

function parseDaemon(json: string): Daemon | undefined {
  const info = parseObject(json)
  if (typeof info.ServerVersion !== 'string' || info.ServerVersion === '') return undefined
  const registries = objectOf(info.RegistryConfig)
  const insecureHosts = Object.entries(objectOf(registries.IndexConfigs))
    .filter(([, index]) => objectOf(index).Secure === false)
    .map(([host]) => host)
  return {
    version: info.ServerVersion,
    containerdImageStore: JSON.stringify(info.DriverStatus ?? '').includes('io.containerd.snapshotter'),
    insecureRegistries: [...insecureHosts, ...stringsOf(registries.InsecureRegistryCIDRs)],
    registryMirrors: stringsOf(registries.Mirrors).map(redactUrl),
    proxies: proxySettings(shownProxy(info.HttpProxy), shownProxy(info.HttpsProxy), textOf(info.NoProxy)),
    platform: platformOf(String(info.OSType), String(info.Architecture))
  }
}

/** `docker buildx inspect` prints one `Name: value` a line; it has no JSON form. */
function parseBuilder(text: string, daemon: Daemon | undefined): BuilderFacts {
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*(\\S.*)$`, 'm').exec(text)?.[1]?.trim()
  const driver = field('Driver') ?? 'docker'
  const stated = findVersion(field('BuildKit version') ?? field('Buildkit') ?? '')
  const engine = daemon === undefined || driver !== 'docker' ? undefined : findVersion(daemon.version)
  // Debian's engine says v0.0.0+unknown.
  const known = stated === undefined || stated.every(part => part === 0) ? engine && buildkitInEngine(engine) : stated
  const platforms = (field('Platforms') ?? '').split(',').map(platform => platform.trim().replace(/\*$/, ''))
  return {
    name: field('Name') ?? 'default',
    driver,
    ...(known === undefined ? {} : {buildkit: known}),
    platforms: platforms.filter(platform => platform !== ''),
    exportsCaches: driver !== 'docker' || (daemon?.containerdImageStore ?? false)
  }
}

function shownProxy(value: unknown): string | undefined {
  const proxy = textOf(value)
  return proxy === undefined ? undefined : redactUrl(proxyUrl(proxy))
}

function platformOf(os: string, machine: string): string {
  const architectures: Record<string, string> = {x86_64: 'amd64', aarch64: 'arm64', armv7l: 'arm/v7', armv6l: 'arm/v6'}
  return `${os}/${architectures[machine] ?? machine}`
}

function lastLine({stdout, stderr}: CommandResult): string {
  return (stderr.trim() === '' ? stdout : stderr).trim().split('\n').at(-1) ?? ''
}
