import {join} from 'node:path'
import type {PlannedBuilder} from '../engine/choose-builder.js'
import type {EngineFacts} from '../engine/survey-engine.js'
import type {Inputs} from '../inputs.js'
import type {ImageDigests} from '../network/image-digests.js'
import {parseImageReference} from '../network/images.js'
import type {Network} from '../network/network.js'
import {primingOf} from '../network/primed-base.js'
import type {ProxySettings} from '../network/proxy.js'
import {sourcePolicy} from '../network/source-policy.js'
import {stepProxies} from '../network/step-proxies.js'
import {mirroredName} from '../network/survey-mirrors.js'
import {parseDockerfile, withoutSyntax} from '../recipes/dockerfile.js'
import {withPrimedBases} from '../recipes/primed-stages.js'
import {chooseFrontend, takesSecretVariables, type Frontend} from '../recipes/frontend.js'
import {haveCredentials, proxySecretLines, withoutNetwork, withProxySecrets} from '../recipes/step-options.js'
import {bakeCommand} from './bake-command.js'
import {bakeOverride} from './bake-override.js'
import type {InventoriedComponent} from './inventory.js'
import {planCaches} from './plan-caches.js'
import type {PlannedBuild, PlannedFile} from './plan.js'

/** What the plans of all builds of a run have in common. */
export interface BuildSettings {
  readonly inputs: Inputs
  readonly network: Network
  readonly imageDigests: ImageDigests
  readonly engine: EngineFacts
  readonly builder: PlannedBuilder
  /** A directory of this run alone, for files, exports and caches. */
  readonly workDirectory: string
  /** Unlike that of any other run. */
  readonly unique: string
  readonly place: PlanPlace
}

/** Where a run takes place, as far as the plan is concerned. */
export interface PlanPlace {
  /** Absolute. */
  readonly workspace: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Decides how one component is built: the command, the files outside the tree, the caches. */
export function planBuild(component: InventoriedComponent, settings: BuildSettings): PlannedBuild {
  const {inputs, network, builder, engine, workDirectory} = settings
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
  const policy = sourcePolicy(network, {adds: sources.adds, proxied: builder.kind === 'created'})
  const policyFile = {path: join(directory, 'source-policy.json'), content: `${JSON.stringify(policy, undefined, 2)}\n`}
  const environment = {
    BUILDX_NO_DEFAULT_ATTESTATIONS: '1',
    // Nobody reads what it says of the commit, and `git show` would fetch the parent's tree, past all mirrors (docker/buildx
    // build/git.go).
    BUILDX_GIT_INFO: '0',
    ...(policy === undefined ? {} : {EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: policyFile.path})
  }
  const secrets = proxySecrets ? proxySecretLines(proxies) : []
  const {caches, cacheFrom, cacheTo, permissions} = planCaches(component, settings, {
    dockerfile: dockerfile.content,
    frontend,
    policy: policy && JSON.stringify(policy),
    environment,
    files: policy === undefined ? [] : [policyFile],
    secrets,
    directory
  })
  const override: PlannedFile = {
    path: join(directory, 'bake-override.json'),
    content: bakeOverride(treeBuild, {
      dockerfile: dockerfile.path,
      platforms: inputs.platforms,
      output: `type=local,dest=${exportDirectory}`,
      cacheFrom,
      cacheTo,
      secrets
    })
  }
  const command = {builder: builder.name, buildx: engine.buildx, workDirectory}
  return {
    component: component.component,
    bundle: component.component === 'daemon' ? 'binary-daemon' : 'binary-client',
    recipe: component.recipe.name,
    source,
    frontend,
    platforms: inputs.platforms,
    command: bakeCommand(treeBuild.bakeTarget, override.path, command, permissions),
    workingDirectory: source.directory,
    environment,
    files: [
      dockerfile,
      {path: `${dockerfile.path}.dockerignore`, content: treeBuild.dockerignore},
      override,
      ...(policy === undefined ? [] : [policyFile])
    ],
    proxySecrets,
    exportDirectory,
    caches,
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

/** The tree's Dockerfile with what its steps need from us: options of `RUN`, and stages below those that download. */
function outOfTree(
  {treeBuild, sources}: InventoriedComponent,
  frontend: Frontend,
  secretProxies: ProxySettings | undefined,
  network: Network
): string {
  const text = frontend.kind === 'built-in' ? withoutSyntax(treeBuild.dockerfile) : treeBuild.dockerfile
  const walled = network.strict ? withoutNetwork(text, sources.quietSteps) : text
  const proxied = secretProxies === undefined ? walled : withProxySecrets(walled, secretProxies)
  const bases = sources.images.flatMap(image => (image.downloads ? image.bases : []))
  // Last, because it moves lines.
  return withPrimedBases(proxied, bases, primingOf(network))
}
