import {join} from 'node:path'
import type {GitObjects} from './cache/git-objects.js'
import type {Inputs} from './inputs.js'
import {parseImageReference} from './network/images.js'
import type {PrefixRule, ReachableMirror} from './network/network.js'
import {mirrorHasImage} from './network/survey-mirrors.js'
import type {Component} from './plan/inventory.js'
import type {Files, Prober} from './ports.js'
import {cliBake} from './recipes/cli-bake.js'
import {syntaxImage} from './recipes/frontend.js'
import {mobyBake} from './recipes/moby-bake.js'
import {isScript, recipeFor, treeDirectories, treePaths, type Recipe, type Tree} from './recipes/recipe.js'
import {acquireSource} from './source/acquire-source.js'
import {clientRef} from './source/client-ref.js'
import {listRemote, type RemoteListing} from './source/list-remote.js'
import type {Route} from './source/route.js'
import type {Source, SourcePorts} from './source/source.js'

/** What is to be built, checked out. */
export interface AcquiredComponents {
  /** The daemon first. */
  readonly components: readonly Component[]
  /** The rules of `git-mirrors`, the one that answered for moby first. */
  readonly gitMirrors: readonly PrefixRule[]
  /** Of the checkouts that were made: for `saveGitObjects` at the end of the run. Empty without a cache. */
  readonly gitObjects: readonly GitObjects[]
}

/** How the checkouts get out, besides what the inputs say. */
export interface CheckoutNetwork {
  readonly registryMirrors: readonly ReachableMirror[]
  readonly certificates?: string
  /** File with every certificate authority that git shall trust; git's own choice when absent. */
  readonly certificateFile?: string
}

/**
 * Checks out moby and, unless `client` is `none`, docker/cli at the ref that belongs to it, and recognises their trees.
 *
 * @throws ConfigurationError, StepError as `acquireSource`, `clientRef` and `recipeFor` do.
 */
export async function acquireComponents(
  inputs: Inputs,
  network: CheckoutNetwork,
  place: {readonly workspace: string; readonly environment: Readonly<Record<string, string | undefined>>},
  ports: SourcePorts & {readonly prober: Prober}
): Promise<AcquiredComponents> {
  const remote = (repository: string, inputNames: {repository: string; ref: string}) => ({
    repository,
    serverUrl: place.environment.GITHUB_SERVER_URL ?? 'https://github.com',
    workspace: place.workspace,
    mirrors: inputs.gitMirrors,
    direct: inputs.direct.git,
    strict: inputs.strict,
    proxies: inputs.proxies,
    retries: inputs.retries,
    environment: place.environment,
    inputNames,
    cacheKey: inputs.cacheKey,
    ...(network.certificateFile === undefined ? {} : {certificateFile: network.certificateFile}),
    ...(inputs.token === undefined ? {} : {token: inputs.token})
  })
  const directory = join(place.workspace, inputs.path)
  const given = inputs.version === undefined ? {} : {version: inputs.version}
  const engineRemote = remote(inputs.repository, {repository: 'repository', ref: 'ref'})
  const listing = await listRemote({...engineRemote, ref: inputs.ref}, ports)
  const pinned = inputs.commit === undefined ? {} : {commit: inputs.commit}
  const {source: engine, objects} = await acquireSource(
    {...engineRemote, ...given, ...pinned, ref: inputs.ref, directory, history: inputs.history},
    ports,
    listing
  )
  const gitObjects = [objects]
  const components = [await component('daemon', engine, mobyBake, 'ref', inputs, network, ports)]
  if (inputs.client !== 'none') {
    const clientRemote = remote(inputs.clientRepository, {repository: 'client-repository', ref: 'client'})
    const clientListing = await listRemote({...clientRemote, ref: inputs.client}, ports)
    const ref = clientRefFor(inputs, engine, clientListing, ports)
    const client = await acquireSource(
      {...clientRemote, ...given, ref, directory: `${directory}-cli`, history: inputs.history},
      ports,
      clientListing
    )
    gitObjects.push(client.objects)
    components.push(await component('client', client.source, cliBake, 'client', inputs, network, ports))
  }
  return {
    components,
    gitMirrors: answeringRules(inputs.gitMirrors, listing.route),
    gitObjects: gitObjects.filter(kept => kept !== undefined)
  }
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
  {registryMirrors, certificates}: CheckoutNetwork,
  {files, prober}: {readonly files: Files; readonly prober: Prober}
): Promise<Component> {
  const tree = await readTree(source.directory, files)
  const recognised = recipeFor(tree, [recipe], `${source.repository} at ${source.ref.name}`, input)
  const frontend = parseImageReference(syntaxImage(tree.Dockerfile ?? '') ?? '')
  const mirror = registryMirrors.find(({registry}) => registry === frontend.registry)
  const has =
    mirror === undefined
      ? undefined
      : await mirrorHasImage(mirror, frontend, {proxies, ...(certificates === undefined ? {} : {certificates})}, prober)
  return {component: name, source, tree, recipe: recognised, ...(has === undefined ? {} : {mirrorHasFrontend: has})}
}

/** The rule that answered comes first; where the direct way did, those that had not answered before it are left out. */
function answeringRules(rules: readonly PrefixRule[], {url, rule}: Route): readonly PrefixRule[] {
  return rule === undefined ? rules.filter(({from}) => !url.startsWith(from)) : [rule, ...rules]
}

async function readTree(directory: string, files: Files): Promise<Tree> {
  const scripts = await Promise.all(treeDirectories.map(path => scriptsBelow(directory, path, files)))
  const texts = await Promise.all(
    [...treePaths, ...scripts.flat()].map(async path => [path, await files.readText(join(directory, path))] as const)
  )
  return Object.fromEntries(texts)
}

async function scriptsBelow(directory: string, path: string, files: Files): Promise<string[]> {
  const names = await files.list(join(directory, path))
  const found = await Promise.all(
    names.map(async name => {
      const inner = `${path}/${name}`
      const kind = await files.kind(join(directory, inner))
      if (kind === 'directory') return scriptsBelow(directory, inner, files)
      return kind === 'file' && isScript(inner) ? [inner] : []
    })
  )
  return found.flat()
}
