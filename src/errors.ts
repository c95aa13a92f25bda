/** The user has to change something: an input, the machine, the ref. Shown as it is, without a stack. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}

/** A step failed although everything asked for made sense: a download, a build, an upload. */
export class StepError extends Error {
  override readonly name = 'StepError'
  readonly step: string

  constructor(step: string, message: string, options?: ErrorOptions) {
    super(`${step}: ${message}`, options)
    this.step = step
  }
}

/** The run was cancelled from outside. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError'
}

/** Whether something was thrown because the run is cancelled: by us, or by what waits for a signal of Node's. */
export function isCancellation(error: unknown): boolean {
  const name = typeof error === 'object' && error !== null && 'name' in error ? error.name : undefined
  return name === 'CancelledError' || name === 'AbortError'
}

/** What tar, zstd, Node.js and BuildKit say when a disk is full. */
export const noRoom = /no space left on device|disk quota exceeded/i

/** One error that lists every problem found. */
export function problemsError(title: string, problems: readonly string[]): ConfigurationError {
  return new ConfigurationError([`${title}:`, ...problems.map(problem => `  - ${problem}`)].join('\n'))
}

/** Any thrown value as text, with the chain of causes. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const text = error.message === '' ? error.name : error.message
  return error.cause === undefined ? text : `${text}\n  because: ${describeError(error.cause)}`
}
