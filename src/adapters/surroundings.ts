import {randomUUID} from 'node:crypto'
import {setMaxListeners} from 'node:events'
import {homedir, tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {platformOfMachine} from '../bundles/platform.js'
import type {Log} from '../ports.js'
import type {Place, Ports} from '../run.js'
import {systemCommands} from './commands.js'
import {variable, type Environment} from './environment.js'
import {systemFiles} from './files.js'
import {folderArtifacts} from './folder-artifacts.js'
import {folderCache} from './folder-cache.js'
import {githubArtifacts} from './github-artifacts.js'
import {githubCache} from './github-cache.js'
import {httpProber} from './http-prober.js'
import {programDigest} from './program-digest.js'
import {processTrust} from './trust.js'
import {appendSummary} from './runner.js'

/** Folders that stand in for GitHub's services, as the command line may name them. */
export interface Folders {
  readonly output?: string
  readonly cache?: string
}

// What GitHub gives a repository: 10 GiB, and 7 days for what nobody uses.
const folderCacheLimits = {maximumBytes: 10 * 2 ** 30, maximumAgeMilliseconds: 7 * 24 * 60 * 60 * 1000}

/**
 * Where this process runs and what it can use there: GitHub's services in a runner that has them, else folders
 * (`BUILD_MOBY_OUTPUT`, `BUILD_MOBY_CACHE`). `cancelled` ends long work.
 */
export function surroundings(
  environment: Environment,
  log: Log,
  cancelled: AbortSignal,
  folders: Folders = {}
): {readonly place: Place; readonly ports: Omit<Ports, 'saveState' | 'writeOutputs'>} {
  const workspace = resolve(variable(environment, 'GITHUB_WORKSPACE') ?? '.')
  const temporaryRoot = variable(environment, 'RUNNER_TEMP') ?? tmpdir()
  const commands = systemCommands(cancelled)
  const githubStore = githubArtifacts(environment)
  if (githubStore === undefined && environment.GITHUB_ACTIONS === 'true') {
    log.warning(
      'This runner has no artifact service that can be used, so bundles go to a folder of the workspace only.'
    )
  }
  const outputDirectory =
    githubStore === undefined
      ? resolve(folders.output ?? variable(environment, 'BUILD_MOBY_OUTPUT') ?? join(workspace, 'out'))
      : join(temporaryRoot, `build-moby-output-${randomUUID().slice(0, 8)}`)
  const cacheDirectory =
    folders.cache ??
    variable(environment, 'BUILD_MOBY_CACHE') ??
    join(variable(environment, 'XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'build-moby')
  const githubEntries = githubCache(environment, log)
  if (githubEntries === undefined && environment.GITHUB_ACTIONS === 'true') {
    log.info(`This runner has no cache service: caches go to ${cacheDirectory}, which helps if that outlives the job.`)
  }
  return {
    place: {environment, workspace, outputDirectory, platform: platformOfMachine(process.platform, process.arch)},
    ports: {
      commands,
      files: systemFiles(temporaryRoot),
      log,
      prober: httpProber(),
      trust: processTrust(environment),
      clock: () => performance.now(),
      now: () => new Date(),
      identify: () => programDigest(import.meta.dirname),
      pause: async milliseconds => {
        await delay(milliseconds, undefined, {signal: cancelled})
      },
      cache: githubEntries ?? folderCache(resolve(cacheDirectory), folderCacheLimits, commands, log),
      artifacts: githubStore ?? folderArtifacts(outputDirectory),
      appendSummary
    }
  }
}

/** A signal that fires when the runner or the user cancels: the runner sends an interrupt first, then a termination. */
export function cancellation(): AbortSignal {
  const controller = new AbortController()
  // One for everything that waits at a time.
  setMaxListeners(0, controller.signal)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      controller.abort()
    })
  }
  return controller.signal
}
