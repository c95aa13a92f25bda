import {readFile} from 'node:fs/promises'
import {dirname, resolve} from 'node:path'
import {parse} from 'yaml'

/** What a workflow may write after `with:`. */
export type InputValue = string | number | boolean | null

/** A JavaScript action as its action.yml describes it; paths are absolute. */
export interface ActionDefinition {
  /** Defaults by input name; undefined for an input that has none. */
  readonly inputs: Readonly<Record<string, InputValue | undefined>>
  readonly main: string
  readonly post?: string
  readonly postIf: string
}

interface ActionYaml {
  inputs?: Record<string, {default?: InputValue} | null>
  runs: {main: string; post?: string; 'post-if'?: string}
}

/** Reads an action.yml; its unquoted scalars follow YAML 1.2's core schema, as the runner's do. */
export async function readAction(path: string): Promise<ActionDefinition> {
  const {inputs = {}, runs} = parse(await readFile(path, 'utf8'), {schema: 'core'}) as ActionYaml
  const folder = dirname(path)
  return {
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input?.default])),
    main: resolve(folder, runs.main),
    ...(runs.post === undefined ? {} : {post: resolve(folder, runs.post)}),
    postIf: runs['post-if'] ?? 'always()'
  }
}

/**
 * The `INPUT_*` variables of a step, after actions/runner v2.336.0 (src/Runner.Worker/ActionRunner.cs): given values
 * first, then each other input's default, or nothing; upper case, and only spaces become underscores. `contexts` holds
 * the values of expressions in defaults, for example `github.token`. Undeclared inputs are passed on, and returned as
 * `unexpected`.
 */
export function inputVariables(
  action: ActionDefinition,
  given: Readonly<Record<string, InputValue>>,
  contexts: Readonly<Record<string, string>>
): {variables: Record<string, string>; unexpected: readonly string[]} {
  const variables: Record<string, string> = {}
  for (const [name, value] of Object.entries(given)) variables[variableName(name)] = scalarText(value)
  for (const [name, value] of Object.entries(action.inputs)) {
    variables[variableName(name)] ??= evaluate(scalarText(value ?? null), contexts)
  }
  const declared = Object.keys(action.inputs).map(variableName)
  return {variables, unexpected: Object.keys(given).filter(name => !declared.includes(variableName(name)))}
}

function variableName(input: string): string {
  return `INPUT_${input.replaceAll(' ', '_').toUpperCase()}`
}

/** Numbers come out as .NET's G15 writes them: `1.50` is `1.5`. */
function scalarText(value: InputValue): string {
  if (value === null) return ''
  return typeof value === 'number' ? String(Number(value.toPrecision(15))) : String(value)
}

function evaluate(text: string, contexts: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) => {
    const value = contexts[expression]
    if (value === undefined) throw new Error(`the harness was given no value for the expression '${expression}'`)
    return value
  })
}

/** Whether a post step runs after a main step that ended so. */
export function isPostDue(condition: string, conclusion: 'success' | 'failure' | 'cancelled'): boolean {
  const expression = /^(?:\$\{\{)?\s*(.*?)\s*(?:\}\})?$/.exec(condition)?.[1] ?? ''
  if (expression === 'always()') return true
  if (expression === '!cancelled()') return conclusion !== 'cancelled'
  const status = /^(success|failure|cancelled)\(\)$/.exec(expression)?.[1]
  if (status === undefined) throw new Error(`the harness does not know the condition '${condition}'`)
  return status === conclusion
}
