import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from '@jest/globals'
import type {ActionResult} from './runner.js'

/** What a failed run may have left in the workspace, and what its one error must say. */
export interface Failure {
  readonly says: readonly (string | RegExp)[]
  /** Names in the workspace afterwards; none when absent. */
  readonly workspace?: readonly string[]
}

/**
 * Holds a run against what every failure owes the user: a non-zero exit, one error that says all it should, nothing made by
 * half, nothing published, and a post phase that leaves no temporary directory.
 */
export async function expectFailure(result: ActionResult, {says, workspace = []}: Failure): Promise<void> {
  const {main, post, temporaryDirectory} = result
  expect(main).toMatchObject({conclusion: 'failure', exitCode: 1, problems: [], summary: ''})
  const errors = errorsOf(result)
  expect(errors).toHaveLength(1)
  for (const text of says) expect(errors[0]).toMatch(text)
  expect(main.outputs).toEqual({})
  expect(post).toMatchObject({conclusion: 'success', exitCode: 0, annotations: []})
  expect((await readdir(result.workspace)).sort()).toEqual([...workspace].sort())
  expect(await leftIn(temporaryDirectory)).toEqual([])
}

export function errorsOf({main}: ActionResult): string[] {
  return main.annotations.filter(({level}) => level === 'error').map(({message}) => message)
}

/** What the action has left in the temporary directory, apart from the plan in its output directory. */
export async function leftIn(temporaryDirectory: string): Promise<string[]> {
  const left: string[] = []
  for (const name of await readdir(temporaryDirectory)) {
    if (name === '_runner_file_commands') continue
    if (!name.startsWith('build-moby-output-')) left.push(name)
    else left.push(...(await readdir(join(temporaryDirectory, name))).filter(file => file !== 'plan.json'))
  }
  return left
}
