import {join} from 'node:path'
import {type ActionResult, type ActionRun, runAction} from './runner.js'

const root = join(import.meta.dirname, '..', '..')

/** The committed action. */
export const actionFile = join(root, 'action.yml')

/** The program that the command line starts. */
export const commandLine = join(root, 'dist/cli/index.js')

/** The Node that GitHub runs the action with; this one where the Makefile did not provide it. */
export const node24 = process.env.BUILD_MOBY_NODE24 ?? process.execPath

/** Runs the committed action as GitHub's runner does: dist/main, then dist/post, on Node 24. */
export async function runBuiltAction(run: Omit<ActionRun, 'action' | 'node'>): Promise<ActionResult> {
  return runAction({...run, action: actionFile, node: node24})
}
