import {join} from 'node:path'
import type {Inputs, PrefixRule} from './inputs.js'
import {parseImageReference} from './network/images.js'
import {mirrorHasImage, type ReachableMirror} from './network/survey-mirrors.js'
import type {Component} from './plan/make-plan.js'
import type {Files, Prober} from './ports.js'
import {cliBake} from './recipes/cli-bake.js'
import {syntaxImage} from './recipes/frontend.js'
import {mobyBake} from './recipes/moby-bake.js'
import {recipeFor, treePaths, type Recipe, type Tree} from './recipes/recipe.js'
import {acquireSource} from './source/acquire-source.js'
import {clientRef} from './source/client-ref.js'
import {listRemote, type RemoteListing} from './source/list-remote.js'
import type {RemoteRequest, Source, SourcePorts} from './source/source.js'

/** What is to be built, checked out. */
export interface AcquiredComponents {
  /** The daemon first. */
  readonly components: readonly Component[]
  /** The rules of `git-mirrors` that are in effect: of several for one prefix, the one that answered. */
  readonly gitMirrors: readonly PrefixRule[]
}

/**
 * Checks out moby and, unless `client` is `none`, docker/cli at the ref that belongs to it, and recognises their trees.
 *
 * @throws ConfigurationError, StepError as `acquireSource`, `clientRef` and `recipeFor` do.
 */
export async function acquireComponents(
  inputs: Inputs,
  mirrors: readonly ReachableMirror[],
  place: {readonly workspace: string; readonly environment: Readonly<Record<string, string | undefined>>},
  ports: SourcePorts & {readonly prober: Prober}
): Promise<AcquiredComponents> {
  const remote = (repository: string, inputNames: {repository: string; ref: string}): RemoteRequest => ({
    repository,
    serverUrl: place.environment.GITHUB_SERVER_URL ?? 'https://github.com',
    workspace: place.workspace,
    mirrors: inputs.gitMirrors,
    proxies: inputs.proxies,
    retries: inputs.retries,
    environment: place.environment,
    inputNames,
    ...(inputs.token === undefined ? {} : {token: inputs.token})
  })
  const directory = join(place.workspace, inputs.path)
  const given = inputs.version === undefined ? {} : {version: inputs.version}
  const engineRemote = remote(inputs.repository, {repository: 'repository', ref: 'ref'})
  const listing = await listRemote({...engineRemote, ref: inputs.ref}, ports)
  const pinned = inputs.commit === undefined ? {} : {commit: inputs.commit}
  const engine = await acquireSource(
    {...engineRemote, ...given, ...pinned, ref: inputs.ref, directory, history: inputs.history},
    ports,
    listing
  )
  const components = [await component('daemon', engine, mobyBake, 'ref', inputs, mirrors, ports)]
  if (inputs.client !== 'none') {
    const clientRemote = remote(inputs.clientRepository, {repository: 'client-repository', ref: 'client'})
    const clientListing = await listRemote({...clientRemote, ref: inputs.client}, ports)
    const ref = clientRefFor(inputs, engine, clientListing, ports)
    const client = await acquireSource(
      {...clientRemote, ...given, ref, directory: `${directory}-cli`, history: inputs.history},
      ports,
      clientListing
    )
    components.push(await component('client', client, cliBake, 'client', inputs, mirrors, ports))
  }
  return {components, gitMirrors: effectiveRules(inputs.gitMirrors, listing)}
}

function clientRefFor({client}: Inputs, engine: Source, {refs}: RemoteListing, {log}: SourcePorts): string {
  if (client !== 'auto') return client
  const {ref, why} = clientRef(engine, refs)
  log.info(`The client is docker/cli ${ref}: ${why}.`)
  return ref
}

async function component(
  name: 'daemon' | 'client',
  source: Source,
  recipe: Recipe,
  input: string,
  {proxies}: Inputs,
  mirrors: readonly ReachableMirror[],
  {files, prober}: {readonly files: Files; readonly prober: Prober}
): Promise<Component> {
  const tree = await readTree(source.directory, files)
  const recognised = recipeFor(tree, [recipe], `${source.repository} at ${source.ref.name}`, input)
  const frontend = parseImageReference(syntaxImage(tree.Dockerfile ?? '') ?? '')
  const mirror = mirrors.find(({registry}) => registry === frontend.registry)
  const has = mirror === undefined ? undefined : await mirrorHasImage(mirror, frontend, proxies, prober)
  return {component: name, source, tree, recipe: recognised, ...(has === undefined ? {} : {mirrorHasFrontend: has})}
}

async function readTree(directory: string, files: Files): Promise<Tree> {
  const texts = await Promise.all(
    treePaths.map(async path => [path, await files.readText(join(directory, path))] as const)
  )
  return Object.fromEntries(texts)
}

function effectiveRules(rules: readonly PrefixRule[], {route}: RemoteListing): PrefixRule[] {
  const chosen = new Map<string, PrefixRule>()
  for (const rule of route.rule === undefined ? rules : [route.rule, ...rules]) {
    if (!chosen.has(rule.from)) chosen.set(rule.from, rule)
  }
  // Longer prefixes first, as git prefers them.
  return [...chosen.values()].sort((one, other) => other.from.length - one.from.length)
}
