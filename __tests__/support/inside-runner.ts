import {mkdir} from 'node:fs/promises'
import {join} from 'node:path'
import {type Annotation, stepOutput} from './runner-commands.js'

export interface Inside<T> {
  readonly value: T
  readonly annotations: readonly Annotation[]
  /** As people see it on GitHub. */
  readonly log: string
}

/**
 * Runs `work` in this very process as if it were a step: the toolkit reads `process.env` when it is called and writes
 * its commands to standard output. The environment is what is given plus PATH, HOME, a workspace and a temporary
 * directory below `root`, which are made, and everything is put back afterwards.
 */
export async function insideRunner<T>(
  root: string,
  variables: Readonly<Record<string, string>>,
  work: () => Promise<T>
): Promise<Inside<T>> {
  const before = {
    environment: {...process.env},
    directory: process.cwd(),
    write: process.stdout.write.bind(process.stdout)
  }
  const workspace = join(root, 'workspace')
  const temporaryDirectory = join(root, 'temporary')
  for (const path of [workspace, temporaryDirectory]) await mkdir(path, {recursive: true})
  const output = stepOutput(new Set())
  const shown: string[] = []
  setEnvironment({
    PATH: before.environment.PATH,
    HOME: before.environment.HOME,
    GITHUB_WORKSPACE: workspace,
    RUNNER_TEMP: temporaryDirectory,
    ...variables
  })
  process.chdir(workspace)
  process.stdout.write = (chunk: unknown) => {
    for (const line of String(chunk).split(/\r?\n/)) shown.push(output.take(line) ?? '')
    return true
  }
  try {
    const value = await work()
    return {value, annotations: output.annotations, log: shown.filter(line => line !== '').join('\n')}
  } finally {
    process.stdout.write = before.write
    process.chdir(before.directory)
    setEnvironment(before.environment)
  }
}

function setEnvironment(variables: Readonly<Record<string, string | undefined>>): void {
  for (const name of Object.keys(process.env))
    if (variables[name] === undefined) Reflect.deleteProperty(process.env, name)
  Object.assign(process.env, Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined)))
}
