import {createHash} from 'node:crypto'
import {join} from 'node:path'
import type {PlannedBuilder} from '../engine/choose-builder.js'
import type {EngineFacts} from '../engine/survey-engine.js'
import {isAtLeast} from '../engine/versions.js'
import type {Inputs} from '../inputs.js'
import {namedContextOf, parseImageReference} from '../network/images.js'
import type {Network} from '../network/network.js'
import {isPriming, primedDockerfile} from '../network/primed-base.js'
import type {ProxySettings} from '../network/proxy.js'
import {sourcePolicy} from '../network/source-policy.js'
import {stepProxies} from '../network/step-proxies.js'
import {mirroredName} from '../network/survey-mirrors.js'
import {parseDockerfile, withoutSyntax} from '../recipes/dockerfile.js'
import {chooseFrontend, takesSecretVariables, type Frontend} from '../recipes/frontend.js'
import {haveCredentials, proxySecretLines, withoutNetwork, withProxySecrets} from '../recipes/step-options.js'
import {bakeOverride, type PrimedImage} from './bake-override.js'
import type {InventoriedComponent} from './inventory.js'
import type {PlannedBuild, PlannedCache, PlannedFile} from './plan.js'

/** What the plans of all builds of a run have in common. */
export interface BuildSettings {
  readonly inputs: Inputs
  readonly network: Network
  readonly engine: EngineFacts
  readonly builder: PlannedBuilder
  /** A directory of this run alone, for files, exports and caches. */
  readonly workDirectory: string
}

/** Decides how one component is built: the command, the files outside the tree, the caches. */
export function planBuild(component: InventoriedComponent, settings: BuildSettings): PlannedBuild {
  const {inputs, network, builder, workDirectory} = settings
  const {source, treeBuild, sources} = component
  const frontend = planFrontend(component, settings)
  const directory = join(workDirectory, component.component)
  const exportDirectory = join(directory, 'export')
  const proxies = stepProxies(network, [])
  const proxySecrets = haveCredentials(proxies) && takesSecretVariables(frontend, builder.buildkit)
  const dockerfile: PlannedFile = {
    path: join(directory, 'Dockerfile'),
    content: outOfTree(component, frontend, proxySecrets ? proxies : undefined, network)
  }
  const primed = primedImages(component, network)
  const policy = sourcePolicy(network, {adds: sources.adds, proxied: builder.kind === 'created'})
  const policyFile = {path: join(directory, 'source-policy.json'), content: `${JSON.stringify(policy, undefined, 2)}\n`}
  const cache = planCache(component, settings, directory, [
    source.commit,
    dockerfile.content,
    JSON.stringify([treeBuild.arguments, primed, policy])
  ])
  const override: PlannedFile = {
    path: join(directory, 'bake-override.json'),
    content: bakeOverride(
      treeBuild,
      primed,
      inputs.platforms,
      {dockerfile: dockerfile.path, exportDirectory, emptyContext: join(directory, 'empty')},
      cache,
      proxySecrets ? proxySecretLines(proxies) : []
    )
  }
  return {
    component: component.component,
    bundle: component.component === 'daemon' ? 'binary-daemon' : 'binary-client',
    recipe: component.recipe.name,
    source,
    frontend,
    platforms: inputs.platforms,
    command: bakeCommand(treeBuild.bakeTarget, settings, override.path),
    workingDirectory: source.directory,
    environment: {
      BUILDX_NO_DEFAULT_ATTESTATIONS: '1',
      ...(policy === undefined ? {} : {EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: policyFile.path})
    },
    files: [
      dockerfile,
      {path: `${dockerfile.path}.dockerignore`, content: treeBuild.dockerignore},
      override,
      ...(policy === undefined ? [] : [policyFile])
    ],
    proxySecrets,
    exportDirectory,
    ...(cache === undefined ? {} : {cache}),
    stamp: {binary: treeBuild.stampedBinary, version: source.version, commit: source.shortCommit}
  }
}

function planFrontend(
  {treeBuild, mirrorHasFrontend}: InventoriedComponent,
  {network, builder}: BuildSettings
): Frontend {
  const syntax = parseDockerfile(treeBuild.dockerfile).syntax
  const reference = syntax === undefined ? undefined : parseImageReference(syntax)
  const mirror = network.registryMirrors.find(({registry}) => registry === reference?.registry)
  const name = mirror === undefined || reference === undefined ? '' : mirroredName(mirror, reference)
  return chooseFrontend(treeBuild.dockerfile, mirrorHasFrontend, name, builder.buildkit)
}

/** The tree's Dockerfile with what its steps need from us. Lines keep their numbers. */
function outOfTree(
  {treeBuild, sources}: InventoriedComponent,
  frontend: Frontend,
  secretProxies: ProxySettings | undefined,
  network: Network
): string {
  const text = frontend.kind === 'built-in' ? withoutSyntax(treeBuild.dockerfile) : treeBuild.dockerfile
  const walled = network.strict ? withoutNetwork(text, sources.quietSteps) : text
  return secretProxies === undefined ? walled : withProxySecrets(walled, secretProxies)
}

function primedImages({sources}: InventoriedComponent, network: Network): PrimedImage[] {
  if (!isPriming(network)) return []
  return sources.images
    .filter(({downloads}) => downloads)
    .map(({image, spelled, platform}) => ({
      namedContext: namedContextOf(image),
      dockerfile: primedDockerfile(spelled, network, platform)
    }))
}

function planCache(
  {component, source}: InventoriedComponent,
  {inputs, builder}: BuildSettings,
  directory: string,
  content: readonly string[]
): PlannedCache | undefined {
  if (inputs.cache === 'off' || !builder.exportsCaches) return undefined
  const platforms = (inputs.platforms.length === 0 ? [builder.platform] : inputs.platforms)
    .join('+')
    .replaceAll('/', '_')
  const own = inputs.cacheKey === '' ? '' : `${inputs.cacheKey}-`
  const family = `${own}build-moby-layers-1-${component}-${platforms}-${inputs.target}-`
  const line = /^\d+\.\d+/.exec(source.version)?.[0] ?? 'other'
  const digest = createHash('sha256').update(content.join('\0')).digest('hex').slice(0, 16)
  return {
    key: `${family}${line}-${digest}`,
    prefixes: [`${family}${line}-`, family],
    importDirectory: join(directory, 'cache-from'),
    exportDirectory: join(directory, 'cache-to')
  }
}

function bakeCommand(target: string, {builder, engine, workDirectory}: BuildSettings, override: string): string[] {
  return [
    'docker',
    'buildx',
    'bake',
    `--builder=${builder.name}`,
    '--file=docker-bake.hcl',
    `--file=${override}`,
    '--progress=rawjson',
    // Older ones let bake read and write everywhere (docker/buildx v0.18.0).
    ...(isAtLeast(engine.buildx, [0, 18, 0])
      ? [`--allow=fs.read=${workDirectory}`, `--allow=fs.write=${workDirectory}`]
      : []),
    target
  ]
}
