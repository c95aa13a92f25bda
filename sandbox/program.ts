import {type ChildProcess, spawn} from 'node:child_process'
import {once} from 'node:events'
import {createInterface} from 'node:readline'
import {setTimeout} from 'node:timers/promises'

export interface ProgramOptions {
  /** Added to this process's own environment. */
  readonly environment?: Readonly<Record<string, string>>
  readonly log: (line: string) => void
}

/**
 * Runs a program to its end; both of its output streams go to `log`, line by line. Throws, with the program's last words,
 * when it cannot be started or ends with anything but 0.
 */
export async function runProgram(argv: readonly string[], options: ProgramOptions): Promise<void> {
  const {child, lastLines} = start(argv, options)
  await once(child, 'close')
  const end = child.exitCode ?? child.signalCode
  if (end !== 0) throw new Error(`${argv[0] ?? ''} ended with ${String(end)}: ${lastLines.join('\n')}`)
}

export interface RunningProgram {
  /** Asks the program to end and, after 5 seconds, makes it. */
  stop(): Promise<void>
}

/**
 * Starts a program that stays in the foreground and waits until `ready` says true (for 10 seconds at most). The kernel
 * ends the program when this process dies without stopping it. Throws, with the program's last words, when it ends early
 * or never gets ready.
 */
export async function startProgram(
  argv: readonly string[],
  {ready, ...options}: ProgramOptions & {readonly ready: () => Promise<boolean>}
): Promise<RunningProgram> {
  const {child, lastLines} = start(['setpriv', '--pdeathsig', 'TERM', '--', ...argv], options)
  const ended = once(child, 'close')
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null
  const stop = async (): Promise<void> => {
    if (isRunning()) child.kill('SIGTERM')
    const inTime = await Promise.race([ended.then(() => true), setTimeout(5000, false, {ref: false})])
    if (!inTime) child.kill('SIGKILL')
    await ended
  }
  for (let attempt = 0; attempt < 200 && isRunning(); attempt++) {
    if (await ready()) return {stop}
    await setTimeout(50)
  }
  await stop()
  throw new Error(`${argv[0] ?? ''} did not get ready: ${lastLines.join('\n')}`)
}

function start(
  [program = '', ...rest]: readonly string[],
  {environment, log}: ProgramOptions
): {child: ChildProcess; lastLines: readonly string[]} {
  const child = spawn(program, rest, {stdio: ['ignore', 'pipe', 'pipe'], env: {...process.env, ...environment}})
  const lastLines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({input: stream}).on('line', line => {
      log(line)
      lastLines.push(line)
      if (lastLines.length > 10) lastLines.shift()
    })
  }
  return {child, lastLines}
}
