import {markdownTable} from '../../src/format.js'
import type {Arm, CaseResult} from './cases.js'
import {phasesText, type Measurement} from './measurement.js'
import {spread, spreadCells} from './spread.js'

/** All cases as a table, and below it the ratios of those that have a target. */
export function casesReport(results: readonly CaseResult[], later: readonly string[]): string {
  const rows = results.map(({arm, situation, measurements}) => {
    const times = spread(measurements.map(({seconds}) => seconds))
    const distance = ({seconds}: Measurement) => Math.abs(seconds - times.median)
    const [middle] = measurements.toSorted((one, other) => distance(one) - distance(other))
    return [arm, situation, ...spreadCells(times, 1), phasesText(middle?.phases ?? {})]
  })
  const table = markdownTable(['by', 'situation', 'min', 'median', 'max', 'parts of the median, s'], rows)
  return `${table}\n\n${ratiosTable(results, later)}`
}

function ratiosTable(results: readonly CaseResult[], later: readonly string[]): string {
  const [near, far] = later.map(ref => `later: ${ref}`)
  const rows = [
    overheadRow(results),
    ratioRow(results, near, '≤ 0.25'),
    ratioRow(results, far, '≤ 0.6'),
    ratioRow(results, 'same commit', '≤ 0.5'),
    ratioRow(results, 'cold', ''),
    absoluteRow(results, 'unchanged, reuse', '≤ 10')
  ].flat()
  return markdownTable(['figure', 'measured', 'target'], rows)
}

type Rows = readonly (readonly string[])[]

/** What the action adds to the bare command. */
function overheadRow(results: readonly CaseResult[]): Rows {
  const bare = measured(results, 'bare', 'cold, checkout there')
  const ours = measured(results, 'ours', 'cold, checkout there, cache off')
  if (bare.length === 0 || ours.length === 0) return []
  const limit = 0.03 * spread(bare).median + 3
  const added = compared(ours, bare, (one, other) => one - other, 1)
  return [['overhead over the bare command, s', added, `≤ 3 % + 3 s = ${limit.toFixed(1)}`]]
}

/** Ours against peer A. */
function ratioRow(results: readonly CaseResult[], situation: string | undefined, target: string): Rows {
  if (situation === undefined) return []
  const ours = measured(results, 'ours', situation)
  const peer = measured(results, 'peer A', situation)
  if (ours.length === 0 || peer.length === 0) return []
  return [[`ours against peer A, ${situation}, ×`, compared(ours, peer, (one, other) => one / other, 2), target]]
}

function absoluteRow(results: readonly CaseResult[], situation: string, target: string): Rows {
  const times = measured(results, 'ours', situation)
  return times.length === 0 ? [] : [[`ours, ${situation}, s`, spread(times).median.toFixed(1), target]]
}

/** Of the runs of each round, which followed each other: the median, and in brackets the extremes. */
function compared(
  ones: readonly number[],
  others: readonly number[],
  compare: (one: number, other: number) => number,
  digits: number
): string {
  const rounds = ones.map((one, round) => compare(one, others[round] ?? NaN))
  const [min, median, max] = spreadCells(spread(rounds), digits)
  return `${median} (${min} to ${max})`
}

/** In seconds, in the order of the rounds; none when the case was not asked for. */
function measured(results: readonly CaseResult[], arm: Arm, situation: string): readonly number[] {
  const found = results.find(result => result.arm === arm && result.situation === situation)
  return found?.measurements.map(({seconds}) => seconds) ?? []
}
