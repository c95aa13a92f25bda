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
 * Measures every case `rounds` times, each time on an engine with nothing in it. Cases that are compared run directly one after
 * the other, in reverse order every second round, so that a machine whose speed changes favours neither much.
 */
export async function measureCases(order: CasesOrder): Promise<readonly CaseResult[]> {
  const {world, builder, action, rounds, root, log} = order
  const results = new Map<string, CaseResult>()
  const measure = async ({arm, situation, run}: Case, directory: string): Promise<void> => {
    const label = `${arm}, ${situation}`
    const result = results.get(label) ?? {arm, situation, measurements: []}
    results.set(label, result)
    const name = `${label}-${result.measurements.length + 1}`.replaceAll(/[^\w.]+/g, '-')
    const {seconds, phases} = await withFreshEngine(world, builder, engine => run(engine, {name, directory}))
    result.measurements.push({seconds, phases})
    log(`${label}: ${seconds.toFixed(1)} s (${phasesText(phases)})`)
  }
  const from = await withFreshEngine(world, builder, engine => prepareRef(world.from, root, action, world, engine))
  const later: PreparedRef[] = []
  for (const ref of world.later) {
    later.push(await withFreshEngine(world, builder, engine => prepareRef(ref, root, action, world, engine)))
  }
  const comparisons = comparisonsOf(order, from, later)
  for (let round = 0; round < rounds; round++) {
    await withDirectory(root, async directory => {
      for (const cases of comparisons) {
        const asked = cases.filter(({group}) => order.arms.test(group))
        for (const each of round % 2 === 0 ? asked : asked.toReversed()) await measure(each, directory)
      }
    })
  }
  return [...results.values()]
}

interface Case {
  readonly arm: Arm
  /** With which of the arms it is asked for. */
  readonly group: Arm
  readonly situation: string
  readonly run: (engine: FreshEngine, place: CasePlace) => Promise<Measurement>
}

interface CasePlace {
  /** Of the run, fit for a file. */
  readonly name: string
  /** Of the round: what its first runs leave for the next ones. */
  readonly directory: string
}

/**
 * The cases of a round, those together that are compared with each other. `cold` fills what later ones copy, and reuse adds to it
 * at the end.
 */
function comparisonsOf(
  {world, action}: CasesOrder,
  from: PreparedRef,
  later: readonly PreparedRef[]
): readonly (readonly Case[])[] {
  const ours = (
    situation: string,
    prepared: PreparedRef,
    cacheOf: (directory: string) => string | Promise<string>,
    {
      inputs = {},
      group = 'ours',
      ...more
    }: {inputs?: Readonly<Record<string, string>>; checkout?: string; group?: Arm} = {}
  ): Case => ({
    arm: 'ours',
    group,
    situation,
    run: async (engine, {name, directory}) => {
      const run = {name, inputs: {ref: prepared.ref, ...inputs}, cache: await cacheOf(directory), ...more}
      return await measureAction(action, world, engine, run, () => Promise.resolve())
    }
  })
  const peer = (
    arm: 'peer A' | 'peer B',
    situation: string,
    prepared: PreparedRef,
    storeOf: (directory: string) => string | undefined | Promise<string> = () => undefined
  ): Case => ({
    arm,
    group: arm,
    situation,
    run: async (engine, {directory}) =>
      await peerWorkflow(prepared, world.repositoryUrl(engine.address), engine, await storeOf(directory))
  })
  const filled = (directory: string) => join(directory, 'ours')
  const filledByPeer = (directory: string) => join(directory, 'peer')
  const copyOf = (folder: (directory: string) => string) => (directory: string) => copied(folder(directory), directory)
  const checkoutThere = 'cold, checkout there'
  const likeBare = {inputs: {cache: 'off'}, checkout: from.checkout, group: 'bare'} as const

  return [
    [
      {arm: 'bare', group: 'bare', situation: checkoutThere, run: engine => bareBake(from, engine)},
      ours(`${checkoutThere}, cache off`, from, directory => join(directory, 'unused'), likeBare)
    ],
    [ours('cold', from, filled), peer('peer A', 'cold', from, filledByPeer), peer('peer B', 'cold', from)],
    [ours('same commit', from, copyOf(filled)), peer('peer A', 'same commit', from, copyOf(filledByPeer))],
    ...later.map((prepared, index) => {
      const situation = `later: ${prepared.ref}`
      return [
        ours(situation, prepared, copyOf(filled)),
        peer('peer A', situation, prepared, copyOf(filledByPeer)),
        ...(index === 0 ? [peer('peer B', situation, prepared)] : [])
      ]
    }),
    [ours('same commit, first with reuse', from, filled, {inputs: {reuse: 'true'}})],
    [ours('unchanged, reuse', from, filled, {inputs: {reuse: 'true'}})]
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
