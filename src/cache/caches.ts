import {both} from '../both.js'
import type {BuildResult} from '../build/execute.js'
import {makesLayer} from '../build/progress.js'
import type {PlannedBuild} from '../plan/plan.js'
import type {CacheStore, Clock, Commands, Files, Log} from '../ports.js'
import {cacheNames, foundText, savedText, type CacheAccount} from './account.js'
import {exportLayers, lendLayers, restoreLayers, saveLayers} from './layers.js'
import {restoreMounts, type RestoredMounts} from './mounts.js'
import {keepMounts, takeMounts, type TakenMounts} from './save-mounts.js'
import type {SavingRule} from './saving.js'

/** How small builds get at the builder. */
export interface BuilderAccess {
  readonly builder: string
  /** For docker, with no proxy that carries credentials among the arguments of a build. */
  readonly environment: Readonly<Record<string, string>>
}

/** What the caches of a build need of the run. */
export interface CacheContext extends BuilderAccess {
  /** For docker where it may build steps of the tree. */
  readonly buildEnvironment: Readonly<Record<string, string>>
}

export interface CachePorts {
  readonly commands: Commands
  readonly files: Files
  readonly log: Log
  readonly clock: Clock
  readonly cache: CacheStore
}

/** What was found of a build's caches. */
export interface RestoredCaches {
  readonly result?: CacheAccount
  readonly layers?: CacheAccount
  readonly mounts?: RestoredMounts
}

/**
 * Restores what is kept of a build. With the result of this very build nothing else is needed, so nothing else is
 * transferred.
 */
export async function restoreCaches(
  {component, caches}: PlannedBuild,
  context: CacheContext,
  ports: CachePorts
): Promise<RestoredCaches> {
  const say = (account: CacheAccount | undefined) => {
    if (account !== undefined) ports.log.info(`From ${ports.cache.location}: ${foundText(account)}`)
  }
  const result = caches.result && (await restoreLayers(caches.result, 'result', component, ports))
  say(result)
  if (result?.exact === true) return {result}
  const restoreReusable = async () => {
    const layers = caches.layers && (await restoreLayers(caches.layers, 'layers', component, ports))
    say(layers)
    if (layers?.restored !== undefined && caches.result && caches.layers) {
      await lendLayers(caches.layers, caches.result, ports)
    }
    return layers
  }
  // One of them may be transferred while the other one is checked, or while the builder is asked.
  const layersRestored = restoreReusable()
  const needed = async () => {
    const layers = await layersRestored.catch(() => undefined)
    return layers?.exact === true ? caches.layers?.importDirectory : undefined
  }
  const mountsRestored = caches.mounts && restoreMounts(caches.mounts, component, context, ports, needed)
  const [layers, mounts] = await both(layersRestored, Promise.resolve(mountsRestored))
  if (mounts?.account.restored === undefined) say(mounts?.account)
  return {...(result && {result}), ...(layers && {layers}), ...(mounts && {mounts})}
}

/** What was found, as far as the build could use it: in place of what it could not, new entries are to be made. */
export function usedCaches(
  restored: RestoredCaches,
  {progress, withoutLayers}: Pick<BuildResult, 'progress' | 'withoutLayers'>
): RestoredCaches {
  const {result, layers, mounts} = restored
  if (withoutLayers) {
    const unusable = (account: CacheAccount) =>
      account.restored === undefined ? account : unused(account, 'damaged, not used')
    return {
      ...(result && {result: unusable(result)}),
      ...(layers && {layers: unusable(layers)}),
      ...(mounts && {mounts: {...mounts, images: undefined}})
    }
  }
  const ran = progress.steps.some(step => makesLayer(step) && !step.cached)
  return result?.exact === true && ran ? {...restored, result: unused(result, 'not used by the builder')} : restored
}

function unused({kind, of}: CacheAccount, note: string): CacheAccount {
  return {kind, of, exact: false, note}
}

/** The accounts of what was looked for, in order. */
export function restoredAccounts({result, layers, mounts}: RestoredCaches): readonly CacheAccount[] {
  return [result, layers, mounts?.account].filter(account => account !== undefined)
}

/** Takes out of the builder what is to be kept of a finished build's cache mounts. Undefined when nothing is to be kept. */
export async function takeCaches(
  {caches: {mounts}}: PlannedBuild,
  restored: RestoredCaches,
  rule: SavingRule,
  context: BuilderAccess,
  ports: CachePorts
): Promise<TakenMounts | undefined> {
  if (restored.result?.exact === true || mounts === undefined || restored.mounts === undefined) return undefined
  if (!isWanted(rule, restored.mounts.account)) return undefined
  return await takeMounts(mounts, restored.mounts, context, ports)
}

/** Keeps what a finished build has that was not restored, as far as the rule allows. Returns the account of every cache. */
export async function saveCaches(
  {component, caches}: PlannedBuild,
  restored: RestoredCaches,
  taken: TakenMounts | undefined,
  rule: SavingRule,
  context: CacheContext,
  ports: CachePorts
): Promise<readonly CacheAccount[]> {
  if (restored.result?.exact === true) return restoredAccounts(restored)
  const {log} = ports
  const keep = async (account: CacheAccount, isKept: boolean, save: () => Promise<CacheAccount>) => {
    if (!isKept) log.info(`The ${cacheNames[account.kind]} of the ${component} are not saved: ${rule.why ?? ''}`)
    const kept = isKept ? await save() : account
    if (kept.saved !== undefined) log.info(savedText(kept))
    return kept
  }
  const {layers, mounts, result} = caches
  const accounts: CacheAccount[] = []
  if (result && restored.result) {
    const account = restored.result
    const besides = restored.layers?.restored === undefined ? undefined : layers?.importDirectory
    // Of use to just this commit, which a ref whose entries nobody else sees leaves soon.
    const isKept = isWanted(rule, account, restored.layers)
    accounts.push(await keep(account, isKept, () => saveLayers(result, account, ports, besides)))
  }
  // Before the layers: they gain most.
  if (mounts && restored.mounts) {
    const {account} = restored.mounts
    const save = async () => (taken === undefined ? account : await keepMounts(mounts, taken, ports))
    accounts.push(await keep(account, isWanted(rule, account), save))
  }
  if (layers && restored.layers) {
    const account = restored.layers
    const save = async () => {
      const exported = account.exact || (await exportLayers(layers, context.buildEnvironment, ports))
      return exported ? await saveLayers(layers, account, ports) : account
    }
    accounts.push(await keep(account, account.exact || isWanted(rule, account), save))
  }
  return accounts
}

function isWanted(rule: SavingRule, ...accounts: readonly (CacheAccount | undefined)[]): boolean {
  return rule.what === 'all' || accounts.every(account => account?.restored === undefined)
}
