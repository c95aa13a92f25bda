import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {ConfigurationError, describeError, isCancellation} from '../errors.js'
import type {Inputs} from '../inputs.js'
import {redactUrl} from '../network/url.js'
import type {Log} from '../ports.js'
import {type Environment, variable} from './environment.js'

/** One document under one name: what the main phase leaves for the post phase. */
export const stateName = 'state'

/** The inputs of a step by name, as the runner passes them (`INPUT_GIT-MIRRORS`). */
export function inputsOfStep(environment: Environment): Record<string, string> {
  const inputs: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith('INPUT_')) inputs[name.slice('INPUT_'.length).toLowerCase()] = value ?? ''
  }
  return inputs
}

/** What the main phase saved last, or undefined when it saved nothing (as getState of @actions/core 3.0.1). */
export function stateOfStep(environment: Environment): string | undefined {
  return variable(environment, `STATE_${stateName}`)
}

/** The first line of a log: what runs and what it is about to do. `directory` is that of a bundle, `dist/<entry>`. */
export function greeting({mode, repository, ref}: Inputs, directory: string): string {
  const task = mode === 'plan' ? 'plan a build of' : 'build'
  return `Build Moby ${actionVersion(directory)}, Node.js ${process.versions.node}: ${task} ${redactUrl(repository)} ${ref}`
}

function actionVersion(directory: string): string {
  const {version} = JSON.parse(readFileSync(join(directory, '..', '..', 'package.json'), 'utf8')) as {version: string}
  return version
}

/** Ends the process as failed: says why, with a stack only for what is no message to the user. */
export function reportFailure(error: unknown, log: Log): void {
  const aborted = isCancellation(error)
  if (aborted) log.info('Cancelled.')
  else log.error(describeError(error))
  if (error instanceof Error && !aborted && !(error instanceof ConfigurationError)) log.debug(error.stack ?? '')
  // 130 is what a shell makes of an interrupt.
  process.exitCode = aborted ? 130 : 1
}
