import {cp, mkdtemp, readFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import type {Plan, PlannedBuild} from '../../src/plan/plan.js'
import {type BenchedAction, measureAction} from './action.js'
import type {FreshEngine} from './fresh-engine.js'
import type {World} from './world.js'

/** A ref with what is known about its build. */
export interface PreparedRef {
  readonly ref: string
  /** The plan without caches, as plan.json has it. */
  readonly plan: string
  readonly build: PlannedBuild
  /** A checkout with all of its history. */
  readonly checkout: string
}

/** Plans the build of a ref, and keeps the checkout in a new directory below `root`. */
export async function prepareRef(
  ref: string,
  root: string,
  action: BenchedAction,
  world: World,
  engine: FreshEngine
): Promise<PreparedRef> {
  const directory = await mkdtemp(join(root, 'ref-'))
  const checkout = join(directory, 'moby')
  const order = {name: `plan-${ref.replaceAll('/', '-')}`, inputs: {ref, mode: 'plan', cache: 'off'}, cache: directory}
  const {value: plan} = await measureAction(action, world, engine, order, async ({main, workspace}) => {
    await cp(join(workspace, 'moby'), checkout, {recursive: true, preserveTimestamps: true, verbatimSymlinks: true})
    return await readFile(main.outputs.plan ?? '', 'utf8')
  })
  return {ref, plan, build: onlyBuild(plan), checkout}
}

/** The planned build as if it were planned for another checkout and another directory for its files. */
export function relocatedBuild({plan, build}: PreparedRef, checkout: string, directory: string): PlannedBuild {
  const planned = dirname(dirname(build.files[0]?.path ?? ''))
  return onlyBuild(plan.replaceAll(build.source.directory, checkout).replaceAll(planned, directory))
}

function onlyBuild(plan: string): PlannedBuild {
  const {builds} = JSON.parse(plan) as Plan
  const [build] = builds
  if (build === undefined || builds.length > 1) throw new Error('the benchmark builds the daemon alone: client is none')
  return build
}
