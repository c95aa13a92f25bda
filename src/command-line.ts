import {problemsError} from './errors.js'
import {redactText} from './network/url.js'

/** An option: an input of the action, or one of the command line alone. */
export interface Option {
  readonly name: string
  readonly description: string
  readonly default: string
}

/** What the command line asks for. */
export type Invocation =
  | {readonly kind: 'help'}
  | {
      readonly kind: 'run'
      /** Raw texts of the inputs by name, defaults included. */
      readonly raw: Readonly<Record<string, string>>
      readonly output?: string
      readonly cacheDirectory?: string
    }

/** Options that stand in for GitHub's services. */
export const folderOptions: readonly Option[] = [
  {name: 'output', description: 'Where bundles, archives, plan.json and summary.md go.', default: './out'},
  {name: 'cache-directory', description: 'Where caches are kept between runs.', default: '~/.cache/build-moby'}
]

/**
 * Reads `[plan] --name value --name=value …`. An option given again adds a line, for the inputs that are lists.
 *
 * @throws ConfigurationError that lists every unknown word.
 */
export function parseCommandLine(words: readonly string[], inputs: readonly Option[]): Invocation {
  if (words.includes('--help') || words.includes('-h')) return {kind: 'help'}
  const known = new Set([...inputs, ...folderOptions].map(({name}) => name))
  const given = new Map<string, string>()
  const problems: string[] = []
  const rest = [...words]
  if (rest[0] === 'plan' || rest[0] === 'build') given.set('mode', rest.shift() ?? '')
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [, name, inline] = /^--([a-z-]+)(?:=([^]*))?$/.exec(word) ?? []
    if (name === undefined || !known.has(name)) {
      problems.push(`'${redactText(word.split('=')[0] ?? '')}' is no option; see --help`)
      // What follows is its value, perhaps a secret.
      if (name !== undefined && inline === undefined && rest[0]?.startsWith('--') === false) rest.shift()
      continue
    }
    const value = inline ?? rest.shift()
    if (value === undefined) problems.push(`'--${name}' needs a value`)
    else given.set(name, given.has(name) && name !== 'mode' ? `${given.get(name) ?? ''}\n${value}` : value)
  }
  if (problems.length > 0) throw problemsError('Invalid command line', problems)
  const raw: Record<string, string> = {}
  for (const {name, default: fallback} of inputs) {
    // Expressions such as ${{ github.token }} have a meaning in a workflow only.
    raw[name] = given.get(name) ?? (fallback.includes('${{') ? '' : fallback)
  }
  const output = given.get('output')
  const cacheDirectory = given.get('cache-directory')
  return {
    kind: 'run',
    raw,
    ...(output === undefined ? {} : {output}),
    ...(cacheDirectory === undefined ? {} : {cacheDirectory})
  }
}

/** The text of `--help`. */
export function renderHelp(inputs: readonly Option[]): string {
  const options = [...inputs, ...folderOptions].flatMap(({name, description, default: fallback}) => {
    const shown = fallback === '' || fallback.includes('${{') ? '' : ` (default: ${fallback})`
    return [`  --${name}${shown}`, ...wrap(description, 90).map(line => `      ${line}`)]
  })
  return [
    'Usage: build-moby [plan] --ref REF [--OPTION VALUE …]',
    '',
    'Builds Docker from any moby ref, or with `plan` prints what a build would do.',
    'An option that takes lines may be given several times.',
    '',
    'Options, each the input of the same name of the GitHub Action:',
    ...options,
    ''
  ].join('\n')
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
