import {join} from 'node:path'
import {
  gitCacheKeys,
  type GitObjects,
  gitObjectsOf,
  restoreGitObjects,
  type RestoredObjects
} from '../cache/git-objects.js'
import {packsOf} from '../cache/git-entry.js'
import {ConfigurationError, StepError} from '../errors.js'
import {redactUrl} from '../network/url.js'
import type {Commands, Files, Log} from '../ports.js'
import {environmentFor, openRemote} from './connection.js'
import {changedFiles, inspectPlace, type Place} from './existing-checkout.js'
import {gitEnvironment} from './git-environment.js'
import {type Git, gitIn} from './git.js'
import {type Beginning, checkOut, fetchFiles, fetchHistory, initialize, locateCommit, type Transfer} from './history.js'
import {listRemote, type RemoteListing} from './list-remote.js'
import {checkPin, type ResolvedRef, resolveRef, unusualRef} from './refs.js'
import {describeRoute, routesTo} from './route.js'
import type {Source, SourcePorts, SourceRequest} from './source.js'
import {type CommitFacts, daemonTagGlobs, isDaemonTag, isStampable, shortHash, stampOf} from './version.js'

/** A checkout, and its objects for a cache where it is one that this run made. */
export interface AcquiredSource {
  readonly source: Source
  readonly objects?: GitObjects
}

/**
 * Checks a ref out with its full commit and tag history. A directory that is a checkout of the repository is completed;
 * one that was absent or empty is filled from `ports.cache` first, and left as it was when this fails. `listed` saves asking a second time after `listRemote`
 * of the same repository. Throws a ConfigurationError for what the user has to change, a StepError for what failed.
 */
export async function acquireSource(
  request: SourceRequest,
  ports: SourcePorts,
  listed?: RemoteListing
): Promise<AcquiredSource> {
  if (request.version !== undefined && !isStampable(request.version)) {
    throw new ConfigurationError(`Input 'version': must have letters, digits, dots and hyphens only`)
  }
  const {place, origin} = await lookAtDirectory(request, ports)
  const unusual = unusualRef(request.ref)
  const isListed = listed !== undefined && (unusual === undefined || listed.refs.has(unusual))
  const listing = isListed ? listed : await listRemote(request, ports)
  const {remote, route, refs, head} = listing
  const asked = request.ref === 'HEAD' ? (head ?? request.ref) : request.ref
  const ref = resolveRef(asked, refs, remote.inputs.ref, remote.repository.name)
  if (ref.commit !== undefined) checkPin(ref, ref.commit, request.commit)
  if (ref.passedOver !== undefined) {
    ports.log.warning(`${asked} means ${ref.fullName}; for the other, give ${ref.passedOver}`)
  }

  const {directory} = request
  const git = gitIn(directory, environmentFor(remote, route, request, {directory, ...origin}), ports)
  const transfer: Transfer = {
    git,
    ports,
    task: {
      url: redactUrl(remote.repository.url),
      route: describeRoute(route, request.proxies),
      repositoryInput: remote.inputs.repository,
      retries: request.retries
    }
  }
  ports.log.info(`${remote.repository.name} ${asked}${commitNote(ref)}; route: ${transfer.task.route}`)
  try {
    if (place.kind === 'checkout') return {source: await complete(request, listing, ref, place, transfer, ports)}
    return await make(request, listing, ref, place, transfer, ports)
  } catch (error) {
    await restore(directory, place, ports)
    throw error
  }
}

/** Whether no tracked file of a checkout differs from its commit. `environment` is the program's own. */
export async function isClean(
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
  ports: {readonly commands: Commands; readonly log: Log}
): Promise<boolean> {
  return (await changedFiles(gitIn(directory, ownEnvironment(directory, environment), ports))).length === 0
}

/** For git that asks no remote. */
function ownEnvironment(directory: string, base: SourceRequest['environment']): Record<string, string> {
  return gitEnvironment({base, directories: [directory], credentials: [], rewrites: [], proxies: {}})
}

async function lookAtDirectory(
  request: SourceRequest,
  ports: SourcePorts
): Promise<{readonly place: Place; readonly origin: {readonly origin?: string}}> {
  const remote = await openRemote(request, ports)
  const routes = routesTo(remote.repository.url, request)
  const environment = environmentFor(remote, routes[0], request, {directory: request.directory})
  const urls = [remote.repository.url, ...routes.map(({target}) => target)]
  const place = await inspectPlace(gitIn(request.directory, environment, ports), urls, ports.files)
  return {place, origin: place.kind === 'checkout' && place.origin !== undefined ? {origin: place.origin} : {}}
}

type NewPlace = Exclude<Place, {readonly kind: 'checkout'}>

/** Completes a checkout that somebody made. */
async function complete(
  request: SourceRequest,
  listing: RemoteListing,
  ref: ResolvedRef,
  place: Extract<Place, {readonly kind: 'checkout'}>,
  transfer: Transfer,
  {files}: SourcePorts
): Promise<Source> {
  if (place.origin === undefined) await begin(listing, transfer, files)
  return (await fill(request, listing, ref, place, {...place, prune: false}, transfer, files)).source
}

/** Makes a new checkout, from objects that were kept if there are any, and without them if it fails with them. */
async function make(
  request: SourceRequest,
  listing: RemoteListing,
  ref: ResolvedRef,
  place: NewPlace,
  transfer: Transfer,
  ports: SourcePorts
): Promise<AcquiredSource> {
  const {files, log, cache} = ports
  const {directory, environment, history, cacheKey: prefix = ''} = request
  const {repository} = listing.remote
  const fillWith = async (restored?: RestoredObjects) => {
    const isFresh = restored === undefined
    const before = {hasCommits: !isFresh, isPartial: restored?.isPartial ?? false, prune: !isFresh}
    return await fill(request, listing, ref, place, before, transfer, files)
  }
  await begin(listing, transfer, files)
  if (cache === undefined) return {source: (await fillWith()).source}

  const keys = gitCacheKeys({url: repository.url, refs: listing.refs, ref: ref.fullName}, {prefix, history})
  const checkout = {directory, environment: ownEnvironment(directory, environment), repository: repository.name}
  const filled = async (restored?: RestoredObjects) => {
    const {source, historyPacks} = await fillWith(restored)
    return {source, objects: await gitObjectsOf({...checkout, historyPacks}, keys, restored, files)}
  }
  const restored = await restoreGitObjects(transfer.git, keys, {...ports, cache})
  if (restored !== undefined) {
    try {
      return await filled(restored)
    } catch (error) {
      if (!(error instanceof StepError)) throw error
      log.warning(`Once more, without the git objects of cache entry ${restored.entry.key}: ${error.message}`)
    }
  }
  await empty(directory, files)
  await begin(listing, transfer, files)
  return await filled()
}

async function begin({remote}: RemoteListing, {git}: Transfer, files: Files): Promise<void> {
  await files.makeDirectory(git.directory)
  await initialize(git, remote.repository.url)
}

async function fill(
  request: SourceRequest,
  {remote}: RemoteListing,
  ref: ResolvedRef,
  place: Place,
  before: Beginning,
  transfer: Transfer,
  files: Files
): Promise<{readonly source: Source; readonly historyPacks: readonly string[]}> {
  const {git} = transfer
  const {repository, inputs} = remote
  const history = await fetchHistory(transfer, {before, ref, wanted: request.history})
  const commit = await locateCommit(transfer, ref, {input: inputs.ref, repository: repository.name})
  checkPin(ref, commit, request.commit)
  const historyPacks = await packsOf(join(git.directory, '.git'), files)
  if (!before.hasCommits && history === 'blobless') await fetchFiles(transfer, commit)
  await checkOut(transfer, place, commit)

  const name = ref.kind === 'commit' ? commit : ref.name
  const facts = await commitFacts(git, {kind: ref.kind, name}, commit)
  const stamp = stampOf(facts)
  const source: Source = {
    repository: repository.name,
    url: transfer.task.url,
    directory: git.directory,
    ref: {kind: ref.kind, name, fullName: ref.kind === 'commit' ? commit : ref.fullName},
    commit,
    shortCommit: shortHash(commit),
    commitTime: facts.commitTime,
    ...stamp,
    version: request.version ?? stamp.version,
    history
  }
  return {source, historyPacks}
}

async function commitFacts(git: Git, ref: CommitFacts['ref'], commit: string): Promise<CommitFacts> {
  // Not `show`: even without a patch it compares trees, and fetches the parent's for that.
  const commitTime = Number(await git.text('log', '--max-count=1', '--no-show-signature', '--format=%ct', commit))
  const tagsHere = (await git.text('tag', '--points-at', commit)).split('\n')
  const nearest = await nearestDaemonTag(git, commit)
  return {ref, commit, commitTime, tagsHere, ...(nearest === undefined ? {} : {nearest})}
}

async function nearestDaemonTag(git: Git, commit: string): Promise<CommitFacts['nearest']> {
  const globs = [
    ...daemonTagGlobs.match.map(glob => `--match=${glob}`),
    ...daemonTagGlobs.exclude.map(glob => `--exclude=${glob}`)
  ]
  for (;;) {
    const {exitCode, stdout} = await git.ask('describe', '--tags', '--long', '--abbrev=40', ...globs, commit)
    const [, tag, distance] = /^(.+)-(\d+)-g[0-9a-f]{40}$/.exec(stdout.trim()) ?? []
    if (exitCode !== 0 || tag === undefined) return undefined
    if (isDaemonTag(tag)) return {tag, distance: Number(distance)}
    globs.push(`--exclude=${tag}`)
  }
}

async function restore(directory: string, place: Place, {files}: SourcePorts): Promise<void> {
  if (place.kind === 'absent') await files.remove(directory)
  if (place.kind === 'empty') await empty(directory, files)
}

async function empty(directory: string, files: Files): Promise<void> {
  for (const name of await files.list(directory)) await files.remove(join(directory, name))
}

function commitNote({commit}: ResolvedRef): string {
  return commit === undefined ? '' : ` is commit ${commit}`
}
