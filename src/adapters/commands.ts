import {type ChildProcess, spawn} from 'node:child_process'
import {createInterface} from 'node:readline'
import type {Readable} from 'node:stream'
import {CancelledError} from '../errors.js'
import type {Commands, OutputStream} from '../ports.js'

// GitHub's runner kills 7.5 s after its interrupt (actions/runner ProcessInvoker.cs@v2.336.0); a child gets less.
const millisecondsFromInterruptToKill = 5000

/**
 * Commands of this machine. `cancelled` stops long work: docker and git get an interrupt, so that a build is cancelled in
 * the builder too, and are killed with all their children when they do not end within `millisecondsToKill`.
 *
 * Short queries go through @actions/exec; long work does not, because @actions/exec offers no way to end a child.
 */
export function systemCommands(cancelled: AbortSignal, millisecondsToKill = millisecondsFromInterruptToKill): Commands {
  return {
    async capture(argv, options = {}) {
      const [program = '', ...rest] = argv
      try {
        const {getExecOutput} = await import('@actions/exec')
        // It takes a command line: quoted, a path with a space stays one word.
        return await getExecOutput(JSON.stringify(program), rest, {
          silent: true,
          ignoreReturnCode: true,
          ...(options.workingDirectory === undefined ? {} : {cwd: options.workingDirectory}),
          ...(options.environment === undefined ? {} : {env: {...options.environment}})
        })
      } catch (error) {
        return {exitCode: 127, stdout: '', stderr: error instanceof Error ? error.message : String(error)}
      }
    },

    async stream(argv, options) {
      const [program = '', ...rest] = argv
      const isCancelled = () => cancelled.aborted
      if (isCancelled()) throw new CancelledError(`cancelled before ${program} ran`)
      // A process group of its own, so that an interrupt from a terminal reaches it once: through us.
      const child = spawn(program, rest, {
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
        ...(options.workingDirectory === undefined ? {} : {cwd: options.workingDirectory}),
        ...(options.environment === undefined ? {} : {env: {...options.environment}})
      })
      let kill: NodeJS.Timeout | undefined
      const stop = () => {
        signalGroup(child.pid, 'SIGINT')
        kill = setTimeout(() => {
          signalGroup(child.pid, 'SIGKILL')
        }, millisecondsToKill)
      }
      cancelled.addEventListener('abort', stop, {once: true})
      try {
        const [exitCode] = await Promise.all([
          ended(child),
          forEachLine(child.stdout, 'stdout', options.onLine),
          forEachLine(child.stderr, 'stderr', options.onLine)
        ])
        if (isCancelled()) throw new CancelledError(`cancelled while ${program} ran`)
        return exitCode
      } finally {
        cancelled.removeEventListener('abort', stop)
        clearTimeout(kill)
        // The child may be gone before its children.
        if (isCancelled()) signalGroup(child.pid, 'SIGKILL')
      }
    }
  }
}

async function ended(child: ChildProcess): Promise<number> {
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      resolve(code ?? (signal === null ? 1 : 128))
    })
  })
}

async function forEachLine(
  readable: Readable,
  stream: OutputStream,
  onLine: (line: string, stream: OutputStream) => void
): Promise<void> {
  for await (const line of createInterface({input: readable, crlfDelay: Infinity})) onLine(line, stream)
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}
