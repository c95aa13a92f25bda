import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {parse} from 'yaml'

/** One input or output of action.yml. */
export interface Definition {
  readonly name: string
  readonly description: string
  /** `''` when there is none. */
  readonly default: string
}

export interface ActionDefinition {
  readonly inputs: readonly Definition[]
  readonly outputs: readonly Definition[]
}

/** Reads an action.yml. Throws when it is missing or malformed. */
export function readActionDefinition(path: string): ActionDefinition {
  const document: unknown = parse(readFileSync(path, 'utf8'))
  return {inputs: definitions(document, 'inputs'), outputs: definitions(document, 'outputs')}
}

/** The action.yml that belongs to a bundle in `dist/<entry>`, `directory` being the bundle's. */
export function bundledActionDefinition(directory: string): ActionDefinition {
  return readActionDefinition(join(directory, '..', '..', 'action.yml'))
}

function definitions(document: unknown, section: string): Definition[] {
  return Object.entries(objectOf(objectOf(document)[section])).map(([name, value]) => {
    const {description, default: fallback} = objectOf(value)
    return {
      name,
      description: typeof description === 'string' ? description.trim() : '',
      default: typeof fallback === 'string' ? fallback : ''
    }
  })
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? {...value} : {}
}
