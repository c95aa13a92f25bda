import {describeError} from '../errors.js'
import {makesLayer, progressReader} from '../build/progress.js'
import type {PlannedExport, PlannedLayers} from '../plan/plan.js'
import type {CacheStore, Commands, Files, Log} from '../ports.js'
import {collector} from '../recipes/reusable-layers.js'
import type {CacheAccount} from './account.js'
import {layoutProblem} from './layout.js'
import {linkLayers, removeSharedLayers, replaceLinks} from './thin-layout.js'

export interface LayerPorts {
  readonly commands: Commands
  readonly files: Files
  readonly log: Log
  readonly cache: CacheStore
}

/**
 * Fetches an entry to where the build looks for it. What is damaged is taken away again, so that it costs nothing but its
 * transfer. Never rejects for the sake of a cache.
 */
export async function restoreLayers(
  planned: PlannedLayers,
  kind: 'result' | 'layers',
  of: string,
  {files, log, cache}: Omit<LayerPorts, 'commands'>
): Promise<CacheAccount> {
  const {importDirectory} = planned
  const nothing = {kind, of, exact: false}
  const entry = await cache.restore(importDirectory, planned.key, planned.prefixes)
  if (entry === undefined) return nothing
  const problem = await layoutProblem(importDirectory, files)
  if (problem !== undefined) {
    log.warning(`The cache entry ${entry.key} is damaged and not used: ${problem}`)
    await files.remove(importDirectory)
    return {...nothing, note: 'damaged, not used'}
  }
  return {kind, of, restored: entry, exact: entry.key.startsWith(planned.content)}
}

/**
 * Makes restored layers known where the build exports its own, so that those are not exported again. Never rejects: without
 * this, exporting takes longer.
 */
export async function lendLayers(
  {importDirectory}: PlannedLayers,
  {exportDirectory}: PlannedLayers,
  {files, log}: Pick<LayerPorts, 'files' | 'log'>
): Promise<void> {
  try {
    await linkLayers(importDirectory, exportDirectory, files)
  } catch (error) {
    log.debug(`All layers are exported: ${describeError(error)}`)
  }
}

/**
 * Lets the builder write the layers that other commits can use. All of them are on the builder after a build, so that no
 * step runs. Returns whether it did; what went wrong has been said.
 *
 * @throws CancelledError when the run is cancelled.
 */
export async function exportLayers(
  planned: PlannedLayers & PlannedExport,
  environment: Readonly<Record<string, string>>,
  {commands, files, log}: Omit<LayerPorts, 'cache'>
): Promise<boolean> {
  try {
    for (const {path, content} of planned.files) await files.write(path, content)
    await files.remove(planned.exportDirectory)
  } catch (error) {
    log.warning(`The layers are not kept: ${String(error)}`)
    return false
  }
  const reader = progressReader(quiet(log))
  const exitCode = await commands.stream(planned.command, {
    workingDirectory: planned.workingDirectory,
    environment: {...environment, ...planned.environment},
    onLine: line => {
      reader.onLine(line)
    }
  })
  const {steps, failure, messages} = reader.collapse()
  // The collector's own steps always run, and copy nothing.
  const ran = steps.filter(step => makesLayer(step) && !step.cached && !step.name.startsWith(`[${collector} `))
  for (const {name, seconds} of ran) log.debug(`For the layers ran again: ${name} (${seconds.toFixed(1)} s)`)
  if (exitCode === 0) return true
  log.warning(
    `The layers are not kept: docker buildx bake exited with ${exitCode}: ${failure?.message ?? messages.at(-1) ?? ''}`
  )
  return false
}

/**
 * Keeps what was exported, unless it was restored just so; without the layers that lie in `besides` already, if that is
 * given.
 */
export async function saveLayers(
  planned: PlannedLayers,
  account: CacheAccount,
  {files, log, cache}: Omit<LayerPorts, 'commands'>,
  besides?: string
): Promise<CacheAccount> {
  if (account.exact) return account
  const {exportDirectory} = planned
  if (besides !== undefined) {
    try {
      await removeSharedLayers(exportDirectory, besides, files)
    } catch (error) {
      log.debug(`The ${account.kind} of the ${account.of} stays as it was exported: ${describeError(error)}`)
    }
  }
  // BuildKit goes on without a word when an export fails (`ignore-error`).
  const problem = await replaceLinks(exportDirectory, files).then(
    () => layoutProblem(exportDirectory, files),
    describeError
  )
  if (problem !== undefined) {
    log.warning(
      `The ${account.kind} of the ${account.of} is not kept: the builder has exported nothing that can be used (${problem})`
    )
    return account
  }
  const saved = await cache.save(exportDirectory, planned.key)
  return {...account, ...(saved && {saved})}
}

/** A log in which the steps of a build are details. */
function quiet(log: Log): Log {
  const detail = (message: string) => {
    log.debug(message)
  }
  return {
    debug: detail,
    info: detail,
    notice: detail,
    warning: detail,
    error: detail,
    startGroup: detail,
    endGroup: () => undefined,
    mask: secret => {
      log.mask(secret)
    }
  }
}
