import {readdir, rm, symlink} from 'node:fs/promises'
import {join, resolve} from 'node:path'
import {isFeatureAvailable, restoreCache, saveCache} from '@actions/cache'
import {describeError} from '../errors.js'
import type {CacheStore, Log} from '../ports.js'
import {type Environment, variable} from './environment.js'
import {fillDirectory} from './fresh-directory.js'

// @actions/cache 6.3.0 hashes the path string into the entry's version and stores file names relative to
// GITHUB_WORKSPACE (src/internal/cacheUtils.ts, getCacheVersion and resolvePaths). An absolute path, or one below
// RUNNER_TEMP, would differ between runners, or be restored elsewhere where the workspace is nested at another depth.
// So all content goes through this one name in the workspace, a link to wherever the content really is. The `*` keeps
// the link itself out of the archive.
const linkName = '.build-moby-cache'
const paths = [`${linkName}/*`]

/**
 * GitHub's cache service (@actions/cache), or undefined when the runner offers none: `ACTIONS_RUNTIME_TOKEN` or the
 * service's URL is missing. The working directory has to be the workspace, as the runner sees to.
 *
 * The link `.build-moby-cache` exists in the workspace only while an entry is transferred. Links at the top of a saved
 * directory that lead nowhere are left out. When the service is failing, a call takes about half a minute: the library's
 * own attempts.
 */
export function githubCache(environment: Environment, log: Log): CacheStore | undefined {
  if (!isFeatureAvailable() || variable(environment, 'ACTIONS_RUNTIME_TOKEN') === undefined) return undefined
  const link = join(variable(environment, 'GITHUB_WORKSPACE') ?? process.cwd(), linkName)
  const permitted = permissions(environment)
  const said = new Set<string>()
  let last: Promise<unknown> = Promise.resolve()

  /** One transfer after the other, because they share the link; anything thrown becomes a warning and `otherwise`. */
  async function transfer<T>(failed: string, otherwise: T, work: () => Promise<T>): Promise<T> {
    const turn = last.then(work).catch((error: unknown) => {
      log.warning(`${failed}: ${describeError(error)}`)
      return otherwise
    })
    last = turn
    return await turn
  }

  async function linked<T>(directory: string, work: () => Promise<T>): Promise<T> {
    await rm(link, {recursive: true, force: true})
    await symlink(resolve(directory), link)
    try {
      return await work()
    } finally {
      await rm(link, {recursive: true, force: true})
    }
  }

  function sayOnce(message: string): void {
    if (!said.has(message)) log.info(message)
    said.add(message)
  }

  return {
    location: 'GitHub Actions cache',

    async restore(directory, key, prefixes) {
      if (!permitted.read) {
        sayOnce(`The cache is not read: this run's cache mode is '${permitted.mode}'.`)
        return undefined
      }
      return await transfer<string | undefined>(`Cache entry ${key} was not restored`, undefined, () =>
        fillDirectory(directory, async fresh => {
          // The library says what went wrong and returns undefined, having left half of a damaged entry behind.
          const found = await linked(fresh, () => restoreCache([...paths], key, [...prefixes]))
          if (found !== undefined && (await readdir(fresh)).length === 0) throw new Error(`${found} has no content`)
          return found
        })
      )
    },

    async save(directory, key) {
      if (!permitted.write) {
        sayOnce(`Nothing is saved in the cache: this run's cache mode is '${permitted.mode}'.`)
        return false
      }
      return await transfer(`Cache entry ${key} was not saved`, false, async () => {
        if ((await readdir(directory)).length === 0) throw new Error(`${directory} is empty`)
        // The library would compress everything before it asks whether the key is taken.
        if (permitted.read && (await restoreCache([...paths], key, [], {lookupOnly: true})) === key) {
          log.info(`Cache entry ${key} exists already and stays as it is.`)
          return false
        }
        return (await linked(directory, () => saveCache([...paths], key))) !== -1
      })
    }
  }
}

/**
 * What `ACTIONS_CACHE_MODE` allows: none, read, write (both ways) or write-only; anything else allows everything
 * (@actions/cache 6.3.0, src/internal/config.ts).
 */
function permissions(environment: Environment): {mode: string; read: boolean; write: boolean} {
  const mode = (environment.ACTIONS_CACHE_MODE ?? '').trim().toLowerCase()
  return {mode, read: mode !== 'none' && mode !== 'write-only', write: mode !== 'none' && mode !== 'read'}
}
