/** One run of one case. */
export interface Measurement {
  /** Of the whole run. */
  readonly seconds: number
  /** Parts of it by name, in seconds. */
  readonly phases: Readonly<Record<string, number>>
}

/** The phases one after the other: `checkout 3.1, bake 140.2`. */
export function phasesText(phases: Readonly<Record<string, number>>): string {
  return Object.entries(phases)
    .map(([name, seconds]) => `${name} ${seconds.toFixed(1)}`)
    .join(', ')
}
