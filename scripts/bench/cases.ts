import {mkdtemp, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {type BenchedAction, measureAction} from './action.js'
import {bareBake, peerWorkflow} from './by-hand.js'
import {command} from './commands.js'
import type {BuilderKind} from './builder-kinds.js'
import {type FreshEngine, withFreshEngine} from './fresh-engine.js'
import {type Measurement, phasesText} from './measurement.js'
import {type PreparedRef, prepareRef} from './prepared-ref.js'
import type {World} from './world.js'

/** How a build is made: by hand, by this action, by a workflow with a layer cache (A) or without one (B). */
export type Arm = 'bare' | 'ours' | 'peer A' | 'peer B'

export interface CaseResult {
  readonly arm: Arm
  /** `cold`, `same commit`, `later: <ref>` … */
  readonly situation: string
  readonly measurements: Measurement[]
}

export interface CasesOrder {
  readonly world: World
  readonly builder: BuilderKind
  readonly action: BenchedAction
  readonly rounds: number
  /** A directory for everything. */
  readonly root: string
  /** Of the groups `bare`, `ours`, `peer A` and `peer B`, those to run. */
  readonly arms: RegExp
  readonly log: (line: string) => void
}

/**
 * Measures every case `rounds` times, each time on an engine with nothing in it. Within a round the arms follow each other in
 * another order than in the round before, so that a machine that gets slower does not favour one of them.
 */
export async function measureCases(order: CasesOrder): Promise<readonly CaseResult[]> {
  const {world, builder, action, rounds, root, log} = order
  const results = new Map<string, CaseResult>()
  const measure = async (
    arm: Arm,
    situation: string,
    run: (engine: FreshEngine, name: string) => Promise<Measurement>
  ): Promise<void> => {
    const label = `${arm}, ${situation}`
    const result = results.get(label) ?? {arm, situation, measurements: []}
    results.set(label, result)
    const name = `${label}-${result.measurements.length + 1}`.replaceAll(/[^\w.]+/g, '-')
    const {seconds, phases} = await withFreshEngine(world, builder, engine => run(engine, name))
    result.measurements.push({seconds, phases})
    log(`${label}: ${seconds.toFixed(1)} s (${phasesText(phases)})`)
  }
  const from = await withFreshEngine(world, builder, engine => prepareRef(world.from, root, action, world, engine))
  const later: PreparedRef[] = []
  for (const ref of world.later) {
    later.push(await withFreshEngine(world, builder, engine => prepareRef(ref, root, action, world, engine)))
  }
  const groups = armGroups(order, from, later, measure).filter(({arm}) => order.arms.test(arm))
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < groups.length; turn++) await groups[(round + turn) % groups.length]?.run()
  }
  return [...results.values()]
}

type Measure = (
  arm: Arm,
  situation: string,
  run: (engine: FreshEngine, name: string) => Promise<Measurement>
) => Promise<void>

function armGroups(
  {world, action, root}: CasesOrder,
  from: PreparedRef,
  later: readonly PreparedRef[],
  measure: Measure
): readonly {arm: Arm; run: () => Promise<void>}[] {
  const ours =
    (prepared: PreparedRef, cache: string, inputs: Readonly<Record<string, string>> = {}, checkout?: string) =>
    (engine: FreshEngine, name: string): Promise<Measurement> => {
      const more = checkout === undefined ? {} : {checkout}
      const run = {name, inputs: {ref: prepared.ref, ...inputs}, cache, ...more}
      return measureAction(action, world, engine, run, () => Promise.resolve())
    }
  const peer =
    (prepared: PreparedRef, store?: string) =>
    (engine: FreshEngine): Promise<Measurement> =>
      peerWorkflow(prepared, world.repositoryUrl(engine.address), engine, store)

  return [
    {
      arm: 'bare',
      run: async () => {
        await measure('bare', 'cold, checkout there', engine => bareBake(from, engine))
        const cache = join(root, 'unused')
        await measure('ours', 'cold, checkout there, cache off', ours(from, cache, {cache: 'off'}, from.checkout))
      }
    },
    {
      arm: 'ours',
      run: () =>
        withDirectory(root, async directory => {
          const filled = join(directory, 'filled')
          await measure('ours', 'cold', ours(from, filled))
          await measure('ours', 'same commit', ours(from, await copied(filled, directory)))
          for (const prepared of later) {
            await measure('ours', `later: ${prepared.ref}`, ours(prepared, await copied(filled, directory)))
          }
          await measure('ours', 'same commit, first with reuse', ours(from, filled, {reuse: 'true'}))
          await measure('ours', 'unchanged, reuse', ours(from, filled, {reuse: 'true'}))
        })
    },
    {
      arm: 'peer A',
      run: () =>
        withDirectory(root, async directory => {
          const filled = join(directory, 'filled')
          await measure('peer A', 'cold', peer(from, filled))
          await measure('peer A', 'same commit', peer(from, await copied(filled, directory)))
          for (const prepared of later) {
            await measure('peer A', `later: ${prepared.ref}`, peer(prepared, await copied(filled, directory)))
          }
        })
    },
    {
      arm: 'peer B',
      run: async () => {
        for (const prepared of [from, ...later.slice(0, 1)]) {
          await measure('peer B', prepared === from ? 'cold' : `later: ${prepared.ref}`, peer(prepared))
        }
      }
    }
  ]
}

async function withDirectory(root: string, use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(root, 'round-'))
  try {
    await use(directory)
  } finally {
    await rm(directory, {recursive: true, force: true})
  }
}

/** A copy that shares the files, which nobody changes, and keeps their times, by which the newest is chosen. */
async function copied(folder: string, parent: string): Promise<string> {
  const copy = await mkdtemp(join(parent, 'copy-'))
  await command(['cp', '-al', `${folder}/.`, copy])
  return copy
}
