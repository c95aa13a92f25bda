import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {createInterface} from 'node:readline'

export interface CommandOptions {
  readonly directory?: string
  /** All that the command gets. */
  readonly environment?: Readonly<Record<string, string>>
}

/**
 * Runs a command without blocking this process, which may be serving it. Resolves with what it printed to standard output.
 * Throws with the last lines of its standard error when it fails.
 */
export async function command(argv: readonly string[], {directory, environment}: CommandOptions = {}): Promise<string> {
  const [program = '', ...words] = argv
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(directory === undefined ? {} : {cwd: directory}),
    ...(environment === undefined ? {} : {env: environment})
  })
  const printed: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => printed.push(chunk))
  const complaints: string[] = []
  createInterface({input: child.stderr}).on('line', line => {
    complaints.push(line)
    if (complaints.length > 20) complaints.shift()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${argv.join(' ')} exited with ${String(code)}:\n${complaints.join('\n')}`)
  return Buffer.concat(printed).toString()
}

/** What `work` resolved with, and the seconds that it took. */
export async function timed<T>(work: () => Promise<T>): Promise<{readonly value: T; readonly seconds: number}> {
  const started = performance.now()
  const value = await work()
  return {value, seconds: (performance.now() - started) / 1000}
}
