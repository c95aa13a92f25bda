import {randomUUID} from 'node:crypto'
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'

const kinds = {
  GITHUB_OUTPUT: 'set_output',
  GITHUB_STATE: 'save_state',
  GITHUB_ENV: 'set_env',
  GITHUB_PATH: 'add_path',
  GITHUB_STEP_SUMMARY: 'step_summary'
} as const

const summaryLimitBytes = 1024 * 1024

/** What a step wrote into the files that the runner gave it. */
export interface FileCommands {
  readonly outputs: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
  readonly environment: Readonly<Record<string, string>>
  /** Directories to put before PATH, the last first. */
  readonly path: readonly string[]
  readonly summary: string
  /** What is wrong with the files; a step with problems fails. */
  readonly problems: readonly string[]
}

/** Makes the fresh, empty files of one phase; `variables` names them, `read` takes in what they hold afterwards. */
export async function makeFileCommands(
  temporaryDirectory: string
): Promise<{variables: Record<string, string>; read(): Promise<FileCommands>}> {
  const directory = join(temporaryDirectory, '_runner_file_commands')
  await mkdir(directory, {recursive: true})
  const suffix = randomUUID()
  const path = (kind: keyof typeof kinds) => join(directory, `${kinds[kind]}_${suffix}`)
  const names = Object.keys(kinds) as (keyof typeof kinds)[]
  for (const name of names) await writeFile(path(name), '')

  return {
    variables: Object.fromEntries(names.map(name => [name, path(name)])),
    async read() {
      const problems: string[] = []
      const keyValues = async (name: keyof typeof kinds) => {
        try {
          return parseKeyValues(await readFile(path(name), 'utf8'))
        } catch (error) {
          problems.push(`${name}: ${String(error)}`)
          return {}
        }
      }
      const [outputs, state] = [await keyValues('GITHUB_OUTPUT'), await keyValues('GITHUB_STATE')]
      const environment = await keyValues('GITHUB_ENV')
      if ('NODE_OPTIONS' in environment) problems.push("GITHUB_ENV: Can't store NODE_OPTIONS")
      const lines = (await readFile(path('GITHUB_PATH'), 'utf8')).split('\n').filter(line => line !== '')
      const summary = await readFile(path('GITHUB_STEP_SUMMARY'), 'utf8')
      if (Buffer.byteLength(summary) > summaryLimitBytes) problems.push('GITHUB_STEP_SUMMARY: more than 1 MiB')
      return {outputs, state, environment, path: lines.toReversed(), summary, problems}
    }
  }
}

/**
 * Parses `NAME=value` lines and `NAME<<END` blocks as actions/runner v2.336.0 does (src/Runner.Worker/FileCommandManager.cs):
 * whichever of `=` and `<<` comes first decides, blank lines are skipped. Throws on anything else.
 */
export function parseKeyValues(text: string): Record<string, string> {
  const values: Record<string, string> = {}
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    if (line === '') continue
    const [, name, operator, rest = ''] = /^(.+?)(=|<<)(.*)$/.exec(line) ?? []
    if (name === undefined) throw new Error(`Invalid format '${line}'`)
    if (operator === '=') values[name] = rest
    else {
      const end = lines.indexOf(rest)
      if (rest === '' || end === -1) throw new Error(`Matching delimiter not found '${rest}'`)
      values[name] = lines
        .splice(0, end + 1)
        .slice(0, -1)
        .join('\n')
    }
  }
  return values
}
