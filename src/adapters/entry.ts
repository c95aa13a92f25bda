import {CancelledError, ConfigurationError, describeError} from '../errors.js'
import type {Log} from '../ports.js'

/** The inputs of a step by name, as the runner passes them (`INPUT_GIT-MIRRORS`). */
export function inputsOfStep(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const inputs: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith('INPUT_')) inputs[name.slice('INPUT_'.length).toLowerCase()] = value ?? ''
  }
  return inputs
}

/** Ends the process as failed: says why, with a stack only for what is no message to the user. */
export function reportFailure(error: unknown, log: Log): void {
  const aborted = error instanceof CancelledError || (error instanceof Error && error.name === 'AbortError')
  if (aborted) log.info('Cancelled.')
  else log.error(describeError(error))
  if (error instanceof Error && !aborted && !(error instanceof ConfigurationError)) log.debug(error.stack ?? '')
  // 130 is what a shell makes of an interrupt.
  process.exitCode = aborted ? 130 : 1
}
