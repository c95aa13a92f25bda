import {basename, join} from 'node:path'
import {CancelledError, describeError} from '../errors.js'
import {formatSize} from '../format.js'
import type {CacheStore, Commands, Files, Log} from '../ports.js'
import {type Git, succeed} from '../source/git.js'
import type {RemoteRefs} from '../source/refs.js'
import {repositoryIdentity} from '../source/repository.js'
import type {History} from '../source/source.js'
import type {CacheAccount} from './account.js'
import {type GitEntry, packBytes, packDirectory, readEntry} from './git-entry.js'
import {gatherEntry} from './git-gather.js'
import {digestOf, keyFamily} from './keys.js'

export interface GitCachePorts {
  readonly commands: Commands
  readonly files: Files
  readonly log: Log
  readonly cache: CacheStore
}

/** Where the objects of one repository are kept. */
export interface GitCacheKeys {
  /** What the repository is, however it is reached. */
  readonly repository: string
  readonly history: History
  /** Stands for every ref as it is now. */
  readonly key: string
  /** The same ref before, then any other of the repository. */
  readonly prefixes: readonly string[]
}

/** Objects that were there before anything was fetched. */
export interface RestoredObjects {
  readonly entry: {readonly key: string; readonly bytes?: number}
  /** Whether they leave some out, which git then fetches when it needs them. */
  readonly isPartial: boolean
  /** Size of the packs. */
  readonly packBytes: number
  /** The packs that are not of the history. */
  readonly filesPacks: readonly string[]
}

/** The objects of a checkout that this run made, for `saveGitObjects` at its end. */
export interface GitObjects {
  readonly account: CacheAccount
  readonly keys: GitCacheKeys
  /** Absolute: the checkout. */
  readonly directory: string
  /** The whole environment for git, without any way to a remote. */
  readonly environment: Readonly<Record<string, string>>
  /** Names of the packs with the history, and of no other. */
  readonly historyPacks: readonly string[]
  /** Sizes of packs. */
  readonly restoredBytes: number
  readonly receivedBytes: number
}

/**
 * The keys for a repository at `url`. All its refs share what they have; a ref prefers what was saved for it, because the
 * files of distant releases differ, and two pinned tags would otherwise replace each other's entry every night.
 */
export function gitCacheKeys(
  repository: {readonly url: string; readonly refs: RemoteRefs; readonly ref: string},
  {prefix, history}: {readonly prefix: string; readonly history: History}
): GitCacheKeys {
  const identity = repositoryIdentity(repository.url)
  const name = identity.split('/').slice(-2).join('/')
  const family = keyFamily('git', prefix, [name, digestOf([identity]), history])
  const own = `${family}${digestOf([repository.ref])}-`
  const state = [...repository.refs].map(([ref, commit]) => `${ref} ${commit}`).sort()
  return {repository: identity, history, key: `${own}${digestOf(state)}`, prefixes: [own, family]}
}

/**
 * Fills an empty repository that knows its origin with objects that were kept, and with the refs that lead to them, for a
 * fetch to complete and correct. Of an entry nothing is taken but packs and the names of branches and tags, and git
 * computes anew what every object is called: what is damaged or forged is not found by its name. Returns undefined on a
 * miss; when an entry cannot be used, after saying so, and the repository may then hold remains of it.
 *
 * @throws CancelledError
 */
export async function restoreGitObjects(
  git: Git,
  keys: GitCacheKeys,
  {files, log, cache}: GitCachePorts
): Promise<RestoredObjects | undefined> {
  // In the repository, so that packs are moved and not copied into their place.
  const place = join(git.directory, '.git', 'restored')
  const entry = await cache.restore(place, keys.key, keys.prefixes)
  if (entry === undefined) return undefined
  try {
    return {entry, ...(await takeOver(git, keys, await readEntry(place, files), place, files))}
  } catch (error) {
    if (error instanceof CancelledError) throw error
    log.warning(`The git objects in cache entry ${entry.key} are not used: ${describeError(error)}`)
    return undefined
  } finally {
    await files.remove(place)
  }
}

/**
 * What came of the objects of a finished checkout. `restored` is what its fetch began with, `historyPacks` are all packs
 * that there were before the files of the commit were fetched.
 */
export async function gitObjectsOf(
  {
    repository,
    ...checkout
  }: Pick<GitObjects, 'directory' | 'environment' | 'historyPacks'> & {
    readonly repository: string
  },
  keys: GitCacheKeys,
  restored: RestoredObjects | undefined,
  files: Files
): Promise<GitObjects> {
  const all = await packBytes(join(checkout.directory, '.git'), files)
  const restoredBytes = restored?.packBytes ?? 0
  const receivedBytes = Math.max(0, all - restoredBytes)
  const share = all === 0 ? 0 : Math.floor((100 * restoredBytes) / all)
  const received = `received ${formatSize(receivedBytes)}`
  return {
    ...checkout,
    historyPacks: checkout.historyPacks.filter(pack => restored?.filesPacks.includes(pack) !== true),
    keys,
    restoredBytes,
    receivedBytes,
    account: {
      kind: 'git',
      of: repository,
      exact: restored?.entry.key === keys.key,
      note: restored === undefined ? received : `${received}, ${share} % was there`,
      ...(restored === undefined ? {} : {restored: restored.entry})
    }
  }
}

// A tenth more to fetch is not noticed next to the restoring itself; below a MiB, nothing is.
const notWorthAnEntry = {bytes: 1024 * 1024, share: 0.1}

/**
 * Keeps the objects of a checkout when nothing was restored, or when so much was fetched that the next run should not
 * fetch it again. What is kept is what a fresh checkout has, so that entries do not grow with what runs looked at.
 * Returns the account; after saying why, one without `saved` when that failed.
 *
 * @throws CancelledError
 */
export async function saveGitObjects(objects: GitObjects, ports: GitCachePorts): Promise<CacheAccount> {
  const {account, keys, restoredBytes, receivedBytes} = objects
  const {files, log, cache} = ports
  const enough = Math.max(notWorthAnEntry.bytes, notWorthAnEntry.share * restoredBytes)
  if (account.restored !== undefined && receivedBytes <= enough) return account
  const temporary = await files.makeTemporaryDirectory('build-moby-git-')
  try {
    const place = join(temporary, 'entry')
    await gatherEntry(objects, place, temporary, ports)
    const saved = await cache.save(place, keys.key)
    return saved === undefined ? account : {...account, saved}
  } catch (error) {
    if (error instanceof CancelledError) throw error
    log.warning(`The git objects of ${account.of} were not saved: ${describeError(error)}`)
    return account
  } finally {
    await files.remove(temporary)
  }
}

async function takeOver(
  git: Git,
  keys: GitCacheKeys,
  {repository, filter, refs, ...packs}: GitEntry,
  place: string,
  files: Files
): Promise<Omit<RestoredObjects, 'entry'>> {
  if (repository !== keys.repository) throw new Error(`it is of ${repository}`)
  if (filter !== undefined && keys.history === 'full') throw new Error('its history is not full')
  const own = join(git.directory, '.git')
  const paths = [...packs.history, ...packs.files].map(pack => join(packDirectory(own), pack))
  for (const path of paths) {
    await files.replace(join(place, basename(path)), path)
    if (filter !== undefined) await files.write(path.replace(/pack$/, 'promisor'), '')
  }
  // All of them come to an end before anything else happens to the directory.
  const indexed = await Promise.allSettled(paths.map(path => succeed(git, 'index-pack', path)))
  for (const result of indexed) if (result.status === 'rejected') throw result.reason
  await files.write(join(own, 'packed-refs'), refs.map(([name, id]) => `${id} ${name}\n`).join(''))
  // Before git knows where to fetch what is missing, because it would fetch commits one by one.
  await succeed(git, 'rev-list', '--count', '--all')
  if (filter !== undefined) {
    await git.text('config', 'core.repositoryFormatVersion', '1')
    await git.text('config', 'remote.origin.promisor', 'true')
    await git.text('config', 'remote.origin.partialclonefilter', filter)
  }
  return {isPartial: filter !== undefined, packBytes: await packBytes(own, files), filesPacks: packs.files}
}
