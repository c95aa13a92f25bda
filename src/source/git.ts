import {StepError} from '../errors.js'
import type {CommandOptions, CommandResult, Commands, Log, OutputStream} from '../ports.js'
import {failureMessage, isPermanent, lastLines} from './git-failure.js'

/** Git in one directory, with one environment. */
export interface Git {
  readonly directory: string
  /** Asks; resolves whatever the exit code is. */
  ask(...command: readonly string[]): Promise<CommandResult>
  /** Asks; the output without the newline at its end. Rejects with a StepError when git fails. */
  text(...command: readonly string[]): Promise<string>
  /** Works, until it is cancelled; every line goes to the debug log. */
  work(...command: readonly string[]): Promise<GitRun>
  /** Asks a server, which may never answer, until it is cancelled. The lines are the answer, or what git says of a failure. */
  askServer(...command: readonly string[]): Promise<GitRun>
}

export interface GitRun {
  readonly exitCode: number
  /** What git printed. */
  readonly lines: readonly string[]
}

export function gitIn(
  directory: string,
  environment: Readonly<Record<string, string>>,
  {commands, log}: {readonly commands: Commands; readonly log: Log}
): Git {
  const options: CommandOptions = {environment}
  const ask = async (...command: readonly string[]) =>
    await commands.capture(['git', '-C', directory, ...command], options)
  return {
    directory,
    ask,
    async text(...command) {
      const {exitCode, stdout, stderr} = await ask(...command)
      if (exitCode === 0) return stdout.replace(/\n$/, '')
      const said = lastLines(stderr.split('\n'), 4).join('\n')
      throw new StepError('source', `git ${command[0] ?? ''} in ${directory} exited with ${exitCode}: ${said}`)
    },
    async work(...command) {
      const lines: string[] = []
      log.debug(`git ${command.join(' ')}`)
      const onLine = (line: string) => {
        lines.push(line)
        log.debug(line)
      }
      const exitCode = await commands.stream(['git', '-C', directory, ...command], {...options, onLine})
      return {exitCode, lines}
    },
    async askServer(...command) {
      const lines = {stdout: [] as string[], stderr: [] as string[]}
      const onLine = (line: string, stream: OutputStream) => lines[stream].push(line)
      const exitCode = await commands.stream(['git', '-C', directory, ...command], {...options, onLine})
      return {exitCode, lines: exitCode === 0 ? lines.stdout : lines.stderr}
    }
  }
}

/** Works; rejects with what git said last when it fails. */
export async function succeed(git: Git, ...command: readonly string[]): Promise<void> {
  const {exitCode, lines} = await git.work(...command)
  if (exitCode === 0) return
  throw new StepError('source', `git ${command[0] ?? ''} exited with ${exitCode}: ${lastLines(lines, 1).join('')}`)
}

/** What is needed to try again and to say what failed. */
export interface NetworkTask {
  /** To go before the URL: `fetch the history of`. */
  readonly task: string
  readonly url: string
  readonly route: string
  readonly repositoryInput: string
  readonly retries: number
}

/**
 * Runs git until it succeeds, at most `retries` times more than once, with pauses of 2, 4, 8 … seconds (a minute at
 * most). What trying again cannot help is not tried again. Rejects with a StepError that says all there is to know.
 */
export async function withRetries(
  {retries, ...task}: NetworkTask,
  run: () => Promise<GitRun>,
  {log, pause}: {readonly log: Log; readonly pause: (milliseconds: number) => Promise<void>}
): Promise<GitRun> {
  for (let attempts = 1; ; attempts++) {
    const result = await run()
    if (result.exitCode === 0) return result
    if (attempts > retries || isPermanent(result.lines)) {
      throw new StepError('source', failureMessage({...task, ...result, attempts}))
    }
    const seconds = Math.min(60, 2 ** attempts)
    const reason = lastLines(result.lines, 1)[0] ?? `git exited with ${result.exitCode}`
    log.warning(`Could not ${task.task} ${task.url}: ${reason}. Trying again in ${seconds} s.`)
    await pause(seconds * 1000)
  }
}
