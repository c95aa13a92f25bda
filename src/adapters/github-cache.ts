import {readdir, rm, symlink} from 'node:fs/promises'
import {join, resolve} from 'node:path'
import {describeError} from '../errors.js'
import type {CacheEntry, CacheStore, Log} from '../ports.js'
import {cacheReport, type CacheTrouble} from './cache-report.js'
import {type Environment, onEnterpriseServer, variable} from './environment.js'
import {fillDirectory} from './fresh-directory.js'
import {observeCall, StalledError, type WaitingLimits} from './library-call.js'

type Library = typeof import('@actions/cache')

// @actions/cache 6.3.0 hashes the path string into the entry's version and stores file names relative to
// GITHUB_WORKSPACE (src/internal/cacheUtils.ts, getCacheVersion and resolvePaths). An absolute path, or one below
// RUNNER_TEMP, would differ between runners, or be restored elsewhere where the workspace is nested at another depth.
// So all content goes through this one name in the workspace, a link to wherever the content really is. The `*` keeps
// the link itself out of the archive.
const linkName = '.build-moby-cache'
const paths = [`${linkName}/*`]

// A service that works sends its first byte within seconds, and what takes two minutes to fetch is hardly worth it: moby
// itself compiles in that time. The library alone waits 3 minutes for an answer, five times over, and 10 minutes for each
// 128 MiB of a download.
const patience: WaitingLimits = {idleMilliseconds: 30_000, totalMilliseconds: 120_000}

/**
 * GitHub's cache service (@actions/cache), or undefined when the runner offers none: `ACTIONS_RUNTIME_TOKEN` or the
 * service's URL is missing. The working directory has to be the workspace, as the runner sees to.
 *
 * The link `.build-moby-cache` exists in the workspace only while an entry is transferred, one after the other. Links at
 * the top of a saved directory that lead nowhere are left out. Once the service fails (after the library's own attempts,
 * about half a minute, or when it exceeds `limits`), it is not asked again. A token that may not read or write ends only
 * that. An entry that cannot be unpacked is passed over; when it has the exact key, which cannot be saved again, the
 * content is kept under that key with `.2` behind it.
 */
export function githubCache(environment: Environment, log: Log, limits = patience): CacheStore | undefined {
  if (!isOffered(environment)) return undefined
  const link = join(variable(environment, 'GITHUB_WORKSPACE') ?? process.cwd(), linkName)
  const {mode, ...permitted} = permissions(environment)
  const open = {...permitted}
  const said = new Set<string>()
  const damaged = new Set<string>()
  let last: Promise<unknown> = Promise.resolve()

  function sayOnce(level: 'info' | 'warning', message: string, topic = message): void {
    if (!said.has(topic)) log[level](message)
    said.add(topic)
  }

  /** One transfer after the other, because they share the link. */
  async function transfer<T>(directory: string, work: () => Promise<T>): Promise<T> {
    const turn = last.then(async () => {
      await rm(link, {recursive: true, force: true})
      await symlink(resolve(directory), link)
      try {
        return await work()
      } finally {
        await rm(link, {recursive: true, force: true})
      }
    })
    last = turn.catch(() => undefined)
    return await turn
  }

  /** One call of the library: what it returns, how many bytes that were, and what went wrong when it returns nothing. */
  async function call<T>(work: (library: Library) => Promise<T>): Promise<{
    value?: T
    bytes?: number
    trouble?: CacheTrouble
  }> {
    const report = cacheReport(log)
    try {
      // Loaded when it is needed: that takes longer than all that a run does before it.
      const library = await import('@actions/cache')
      const value = await observeCall(() => work(library), report.take, limits)
      const [bytes, trouble] = [report.bytes(), report.trouble()]
      return {value, ...(bytes === undefined ? {} : {bytes}), ...(trouble === undefined ? {} : {trouble})}
    } catch (error) {
      const kind = error instanceof StalledError ? 'service' : 'machine'
      return {trouble: {kind, reason: describeError(error)}}
    }
  }

  /** Says what went wrong, once, and remembers what not to try again. `failed` begins the sentence. */
  function settle(failed: string, {kind, reason: words}: CacheTrouble): void {
    const reason = words.replace(/\.$/, '')
    if (kind === 'service') {
      open.read = open.write = false
      sayOnce('warning', `${failed}: ${reason}. The run goes on without GitHub's cache.`, kind)
    } else if (kind === 'read denied') {
      open.read = false
      sayOnce('warning', `${failed}: ${reason}. Nothing more is read from GitHub's cache in this run.`, kind)
    } else if (kind === 'write denied') {
      open.write = false
      sayOnce('warning', `${failed}: ${reason}. Nothing more is saved in GitHub's cache in this run.`, kind)
    } else if (kind === 'taken') {
      log.info(`${failed}: another run is saving it, or never finished.`)
    } else {
      const topic = kind === 'no room' ? kind : kind === 'damaged' ? failed : reason
      sayOnce('warning', `${failed}: ${reason}. The run goes on without it.`, topic)
    }
  }

  async function lookUp(key: string, prefixes: readonly string[]): Promise<string | undefined> {
    const {value, trouble} = await call(library =>
      library.restoreCache([...paths], key, [...prefixes], {lookupOnly: true})
    )
    if (trouble !== undefined) settle(`Cache entry ${key} was not looked up`, trouble)
    return value
  }

  async function fetchInto(
    directory: string,
    key: string,
    prefixes: readonly string[]
  ): Promise<CacheEntry | undefined> {
    const failed = `Cache entry ${key} was not restored`
    let trouble: CacheTrouble | undefined
    try {
      const entry = await fillDirectory(directory, async fresh => {
        const result = await transfer(fresh, async () =>
          open.read ? await call(library => library.restoreCache([...paths], key, [...prefixes])) : {}
        )
        const {value, bytes} = result
        trouble = result.trouble
        if (value === undefined) return undefined
        if ((await readdir(fresh)).length > 0) return {key: value, ...(bytes === undefined ? {} : {bytes})}
        trouble = {kind: 'damaged', reason: 'it has no content'}
        return undefined
      })
      if (entry !== undefined) return entry
    } catch (error) {
      trouble = {kind: 'machine', reason: describeError(error)}
    }
    if (trouble?.kind === 'damaged') return await fetchAnother(directory, key, prefixes, trouble.reason)
    if (trouble !== undefined) settle(failed, trouble)
    return undefined
  }

  /** After a damaged entry: the library does not say which one it was. */
  async function fetchAnother(
    directory: string,
    key: string,
    prefixes: readonly string[],
    reason: string
  ): Promise<CacheEntry | undefined> {
    const found = (await lookUp(key, prefixes)) ?? key
    settle(`Cache entry ${found} is damaged and was not restored`, {kind: 'damaged', reason})
    if (found !== key || key.endsWith(replacementSuffix)) return undefined
    damaged.add(key)
    const replacement = `${key}${replacementSuffix}`
    const entry = await fetchInto(directory, replacement, prefixes)
    return entry?.key === replacement ? {...entry, key} : entry
  }

  async function store(directory: string, key: string): Promise<CacheEntry | undefined> {
    const failed = `Cache entry ${key} was not saved`
    const name = damaged.has(key) ? `${key}${replacementSuffix}` : key
    if ((await readdir(directory)).length === 0) throw new Error(`${directory} is empty`)
    // The library would compress everything before it asks whether the key is taken.
    if (open.read && (await lookUp(name, [])) === name) {
      log.info(`Cache entry ${key} exists already and stays as it is.`)
      return undefined
    }
    const {value, bytes, trouble} = await transfer(directory, async () =>
      open.write ? await call(library => library.saveCache([...paths], name)) : {}
    )
    if (trouble !== undefined) settle(failed, trouble.kind === 'damaged' ? {...trouble, kind: 'machine'} : trouble)
    if (value === undefined || value === -1) return undefined
    return {key, ...(bytes === undefined ? {} : {bytes})}
  }

  return {
    location: 'GitHub Actions cache',

    accepts() {
      if (!permitted.write) sayOnce('info', `Nothing is saved in the cache: this run's cache mode is '${mode}'.`)
      return open.write
    },

    async find(key, prefixes) {
      return open.read ? await lookUp(key, prefixes) : undefined
    },

    async restore(directory, key, prefixes) {
      if (!permitted.read) sayOnce('info', `The cache is not read: this run's cache mode is '${mode}'.`)
      return open.read ? await fetchInto(directory, key, prefixes) : undefined
    },

    async save(directory, key) {
      if (!this.accepts()) return undefined
      try {
        return await store(directory, key)
      } catch (error) {
        settle(`Cache entry ${key} was not saved`, {kind: 'machine', reason: describeError(error)})
        return undefined
      }
    }
  }
}

const replacementSuffix = '.2'

/** The library's own rule (isFeatureAvailable), and the token, without which it throws. */
function isOffered(environment: Environment): boolean {
  const second = !onEnterpriseServer(environment) && variable(environment, 'ACTIONS_CACHE_SERVICE_V2') !== undefined
  const needed = ['ACTIONS_RUNTIME_TOKEN', second ? 'ACTIONS_RESULTS_URL' : 'ACTIONS_CACHE_URL']
  return needed.every(name => variable(environment, name) !== undefined)
}

/**
 * What `ACTIONS_CACHE_MODE` allows: none, read, write (both ways) or write-only; anything else allows everything
 * (@actions/cache 6.3.0, src/internal/config.ts).
 */
function permissions(environment: Environment): {mode: string; read: boolean; write: boolean} {
  const mode = (environment.ACTIONS_CACHE_MODE ?? '').trim().toLowerCase()
  return {mode, read: mode !== 'none' && mode !== 'write-only', write: mode !== 'none' && mode !== 'read'}
}
