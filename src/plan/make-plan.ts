import {createHash} from 'node:crypto'
import {join} from 'node:path'
import {chooseBuilder, usesLoopback, type PlannedBuilder} from '../engine/choose-builder.js'
import {inheritedVariables} from '../engine/environment.js'
import type {EngineFacts} from '../engine/survey-engine.js'
import {isAtLeast} from '../engine/versions.js'
import type {Inputs} from '../inputs.js'
import {namedContextOf, parseImageReference} from '../network/images.js'
import {haveCredentials, proxySecretLines, withProxySecrets} from '../network/proxy-secrets.js'
import {isPriming, primedDockerfile, type Priming} from '../network/primed-base.js'
import {sourcePolicy} from '../network/source-policy.js'
import {mirroredName, type ReachableMirror} from '../network/survey-mirrors.js'
import {parseDockerfile, withoutSyntax} from '../recipes/dockerfile.js'
import {externalSources, type ExternalSources} from '../recipes/external-sources.js'
import {chooseFrontend, takesSecretVariables, type Frontend} from '../recipes/frontend.js'
import type {BuildOrder, Recipe, Tree, TreeBuild} from '../recipes/recipe.js'
import {bakeOverride, type PrimedImage} from './bake-override.js'
import type {Plan, PlannedBuild, PlannedCache, PlannedFile, PlannedSource} from './plan.js'
import {routesOf} from './routes.js'

/** A checked-out tree with its recipe and what was found out about it. */
export interface Component {
  readonly component: 'daemon' | 'client'
  readonly source: PlannedSource
  readonly tree: Tree
  readonly recipe: Recipe
  /** Whether the mirror has the frontend that the tree's Dockerfile asks for; undefined when nobody knows. */
  readonly mirrorHasFrontend?: boolean
}

/** What a plan follows from, besides the inputs. */
export interface PlanFacts {
  readonly components: readonly Component[]
  readonly engine: EngineFacts
  readonly mirrors: readonly ReachableMirror[]
  /** A directory of this run alone, for files, exports and caches. */
  readonly workDirectory: string
  /** Makes the name of a created builder unlike any other. */
  readonly unique: string
}

/**
 * Decides everything about a run.
 *
 * @throws ConfigurationError when the inputs ask for what this engine or these mirrors cannot do.
 */
export function makePlan(inputs: Inputs, facts: PlanFacts): Plan {
  const builder = chooseBuilder(inputs, facts.engine, facts.mirrors, facts.unique)
  const parts = facts.components.map(component => planComponent(component, inputs, facts, builder))
  return {
    schema: 1,
    builder,
    builds: parts.map(({build}) => build),
    routes: routesOf(parts, inputs, facts.mirrors, builder),
    inheritedVariables,
    notes: [...new Set(parts.flatMap(({build}) => build.frontend.why ?? [])), ...notes(inputs, facts, builder)]
  }
}

interface PlannedComponent {
  readonly build: PlannedBuild
  readonly sources: ExternalSources
}

function planComponent(
  component: Component,
  inputs: Inputs,
  facts: PlanFacts,
  builder: PlannedBuilder
): PlannedComponent {
  const {source, recipe, tree} = component
  const treeBuild = recipe.plan(tree, buildOrder(source, inputs))
  const sources = externalSources(parseDockerfile(treeBuild.dockerfile), treeBuild.stage, {
    arguments: treeBuild.arguments,
    buildPlatform: builder.platform,
    targetPlatforms: inputs.platforms.length === 0 ? [builder.platform] : inputs.platforms
  })
  const frontend = planFrontend(component, treeBuild, facts, builder)
  const directory = join(facts.workDirectory, component.component)
  const exportDirectory = join(directory, 'export')
  const text = frontend.kind === 'built-in' ? withoutSyntax(treeBuild.dockerfile) : treeBuild.dockerfile
  const proxySecrets = haveCredentials(inputs.proxies) && takesSecretVariables(frontend, builder.buildkit)
  const dockerfile: PlannedFile = {
    path: join(directory, 'Dockerfile'),
    content: proxySecrets ? withProxySecrets(text, inputs.proxies) : text
  }
  const primed = primedImages(sources, inputs)
  const policy = sourcePolicy(facts.mirrors, inputs.gitMirrors, sources.adds)
  const policyFile = {path: join(directory, 'source-policy.json'), content: `${JSON.stringify(policy, undefined, 2)}\n`}
  const cache = planCache(component, inputs, builder, directory, [
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
      proxySecrets ? proxySecretLines(inputs.proxies) : []
    )
  }
  return {
    sources,
    build: {
      component: component.component,
      bundle: component.component === 'daemon' ? 'binary-daemon' : 'binary-client',
      recipe: recipe.name,
      source,
      frontend,
      platforms: inputs.platforms,
      command: bakeCommand(treeBuild.bakeTarget, builder, facts, override.path),
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
}

function buildOrder(source: PlannedSource, inputs: Inputs): BuildOrder {
  return {
    target: inputs.target,
    version: source.version,
    shortCommit: source.shortCommit,
    commitTime: source.commitTime,
    buildArguments: inputs.buildArguments,
    ...(inputs.product === undefined ? {} : {product: inputs.product}),
    ...(inputs.platformName === undefined ? {} : {platformName: inputs.platformName}),
    ...(inputs.packagerName === undefined ? {} : {packagerName: inputs.packagerName})
  }
}

function planFrontend(
  component: Component,
  treeBuild: TreeBuild,
  {mirrors}: PlanFacts,
  builder: PlannedBuilder
): Frontend {
  const syntax = parseDockerfile(treeBuild.dockerfile).syntax
  const reference = syntax === undefined ? undefined : parseImageReference(syntax)
  const mirror = mirrors.find(({registry}) => registry === reference?.registry)
  const name = mirror === undefined || reference === undefined ? '' : mirroredName(mirror, reference)
  return chooseFrontend(treeBuild.dockerfile, component.mirrorHasFrontend, name, builder.buildkit)
}

function primedImages(sources: ExternalSources, inputs: Inputs): PrimedImage[] {
  const priming: Priming = {
    ...(inputs.aptMirror === undefined ? {} : {aptMirror: inputs.aptMirror}),
    gitMirrors: inputs.gitMirrors,
    environment: {
      ...(inputs.goProxy === undefined ? {} : {GOPROXY: inputs.goProxy}),
      ...(inputs.goSumdb === undefined ? {} : {GOSUMDB: inputs.goSumdb})
    }
  }
  if (!isPriming(priming)) return []
  return sources.images
    .filter(({downloads}) => downloads)
    .map(({image, spelled}) => ({namedContext: namedContextOf(image), dockerfile: primedDockerfile(spelled, priming)}))
}

function planCache(
  {component, source}: Component,
  inputs: Inputs,
  builder: PlannedBuilder,
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

function bakeCommand(
  target: string,
  builder: PlannedBuilder,
  {engine, workDirectory}: PlanFacts,
  override: string
): string[] {
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

function notes(inputs: Inputs, {engine, mirrors}: PlanFacts, builder: PlannedBuilder): string[] {
  const lines = []
  const plain = mirrors.filter(({scheme}) => scheme === 'http').map(({host}) => host)
  if (plain.length > 0 && builder.kind === 'existing' && builder.driver !== 'docker') {
    lines.push(
      `The builder '${builder.name}' must have been told to use plain HTTP with ${plain.join(', ')}: [registry."${plain[0] ?? ''}"] http = true in its buildkitd.toml.`
    )
  }
  if (builder.kind === 'existing' && usesLoopback(inputs, [])) {
    lines.push(
      'A mirror or proxy is on a loopback address, which means the build container itself to a build step: give an address that containers reach.'
    )
  }
  const proxied = inputs.proxies.http !== undefined || inputs.proxies.https !== undefined
  if (proxied && builder.driver === 'docker' && !(engine.server?.proxied ?? false)) {
    lines.push(
      "The Docker daemon has no proxy of its own, so images and ADD sources that no mirror covers are fetched directly. Set 'proxies' in its daemon.json if that cannot work."
    )
  } else if (proxied && builder.kind === 'existing' && builder.driver !== 'docker') {
    lines.push(`The builder '${builder.name}' fetches images and ADD sources with the proxies it was created with.`)
  }
  if (inputs.cache !== 'off' && !builder.exportsCaches) {
    lines.push(`The builder '${builder.name}' cannot export layer caches, so none are kept.`)
  }
  return lines
}
