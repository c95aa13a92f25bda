/** What several measurements of one thing say. */
export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** Of at least one measurement; the median of an even number is the mean of the two in the middle. */
export function spread(measured: readonly number[]): Spread {
  const sorted = measured.toSorted((one, other) => one - other)
  const middle = (sorted.length - 1) / 2
  const [lower = NaN, upper = NaN] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]]
  return {min: sorted[0] ?? NaN, median: (lower + upper) / 2, max: sorted.at(-1) ?? NaN}
}

/** `min`, `median` and `max` as cells of a table. */
export function spreadCells({min, median, max}: Spread, digits: number): [string, string, string] {
  return [min.toFixed(digits), median.toFixed(digits), max.toFixed(digits)]
}
