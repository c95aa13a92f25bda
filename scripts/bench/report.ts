import {markdownTable} from '../../src/format.js'
import type {Arm, CaseResult} from './cases.js'
import {phasesText, type Measurement} from './measurement.js'
import {spread, spreadCells, type Spread} from './spread.js'

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
    absoluteRow(results, 'unchanged, reuse', '≤ 10 s')
  ].flat()
  return markdownTable(['figure', 'measured', 'target'], rows)
}

type Rows = readonly (readonly string[])[]

/** What the action adds to the bare command. */
function overheadRow(results: readonly CaseResult[]): Rows {
  const bare = spreadOf(results, 'bare', 'cold, checkout there')
  const ours = spreadOf(results, 'ours', 'cold, checkout there, cache off')
  if (bare === undefined || ours === undefined) return []
  const limit = 0.03 * bare.median + 3
  const added = ours.median - bare.median
  return [['overhead over the bare command', `${added.toFixed(1)} s`, `≤ 3 % + 3 s = ${limit.toFixed(1)} s`]]
}

/** Ours against peer A: of the medians, and what the fastest and slowest runs of each make possible. */
function ratioRow(results: readonly CaseResult[], situation: string | undefined, target: string): Rows {
  if (situation === undefined) return []
  const ours = spreadOf(results, 'ours', situation)
  const peer = spreadOf(results, 'peer A', situation)
  if (ours === undefined || peer === undefined) return []
  const [best, middle, worst] = [ours.min / peer.max, ours.median / peer.median, ours.max / peer.min]
  const measured = `${middle.toFixed(2)} × (${best.toFixed(2)} to ${worst.toFixed(2)})`
  return [[`ours against peer A, ${situation}`, measured, target === '' ? '' : `${target} ×`]]
}

function absoluteRow(results: readonly CaseResult[], situation: string, target: string): Rows {
  const times = spreadOf(results, 'ours', situation)
  return times === undefined ? [] : [[`ours, ${situation}`, `${times.median.toFixed(1)} s`, target]]
}

function spreadOf(results: readonly CaseResult[], arm: Arm, situation: string): Spread | undefined {
  const found = results.find(result => result.arm === arm && result.situation === situation)
  return found === undefined ? undefined : spread(found.measurements.map(({seconds}) => seconds))
}
