import {mkdir, mkdtemp, rename, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {type ActionResult, runAction} from '../../__tests__/support/runner.js'
import type {FreshEngine} from './fresh-engine.js'
import type {Measurement} from './measurement.js'
import type {World} from './world.js'

/** The action as it is benchmarked. */
export interface BenchedAction {
  /** Path of its action.yml. */
  readonly file: string
  /** The Node.js to run it with. */
  readonly node: string
  /** Where the log of each run is written. */
  readonly logs: string
}

export interface ActionOrder {
  /** Of the log's file. */
  readonly name: string
  readonly inputs: Readonly<Record<string, string>>
  /** The folder that stands in for GitHub's cache. */
  readonly cache: string
  /** A checkout of moby that is put into the workspace before the run starts, and taken back afterwards. */
  readonly checkout?: string
}

/**
 * Runs main and post as a runner does, on an empty runner. What the runner itself has done before, and what `read` looks at
 * afterwards, is not measured. Throws when the run fails.
 */
export async function measureAction<T>(
  {file, node, logs}: BenchedAction,
  world: World,
  engine: FreshEngine,
  order: ActionOrder,
  read: (result: ActionResult) => Promise<T>
): Promise<Measurement & {readonly value: T}> {
  const root = await mkdtemp(join(tmpdir(), 'build-moby-bench-'))
  let started = NaN
  try {
    const result = await runAction({
      action: file,
      node,
      root,
      with: {
        ...world.inputs(engine.address),
        ...(engine.builder === undefined ? {} : {builder: engine.builder}),
        ...order.inputs
      },
      environment: {...engine.environment, BUILD_MOBY_CACHE: order.cache},
      prepare: async workspace => {
        if (order.checkout !== undefined) await rename(order.checkout, join(workspace, 'moby'))
        started = performance.now()
      }
    })
    const seconds = (performance.now() - started) / 1000
    const {main, workspace} = result
    await mkdir(logs, {recursive: true})
    await writeFile(join(logs, `${order.name}.log`), `${main.log}\n\n${main.summary}\n`)
    if (order.checkout !== undefined) await rename(join(workspace, 'moby'), order.checkout)
    if (main.conclusion !== 'success')
      throw new Error(`${order.name} failed:\n${main.log.split('\n').slice(-30).join('\n')}`)
    return {seconds, phases: phasesOf(main.log), value: await read(result)}
  } finally {
    await rm(root, {recursive: true, force: true})
  }
}

/** What the log says of the parts of a run. */
function phasesOf(log: string): Record<string, number> {
  const git = [...log.matchAll(/^git \w+: ([\d.]+) s/gm)].reduce((sum, match) => sum + Number(match[1]), 0)
  const [, minutes = '0', seconds] = /^\d+ steps in (?:(\d+) min )?([\d.]+) s/m.exec(log) ?? []
  return {git, ...(seconds === undefined ? {} : {bake: Number(minutes) * 60 + Number(seconds)})}
}
