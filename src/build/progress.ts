import type {Log} from '../ports.js'
import {formatDuration} from '../report/format.js'

/** One step of a build, as BuildKit counts them. */
export interface Step {
  readonly name: string
  readonly seconds: number
  readonly cached: boolean
}

/** What a build came to, step by step. */
export interface BuildProgress {
  /** Finished steps, without BuildKit's own such as loading the Dockerfile. */
  readonly steps: readonly Step[]
  /** The step that failed, with the end of its output. */
  readonly failure?: {readonly step: string; readonly message: string; readonly output: readonly string[]}
  /** Lines that were no progress: errors of buildx itself. */
  readonly messages: readonly string[]
}

/** One line of `--progress=rawjson` (moby/buildkit client/graph.go, SolveStatus). */
interface SolveStatus {
  readonly vertexes?: readonly {
    readonly digest: string
    readonly name: string
    readonly started?: string
    readonly completed?: string
    readonly cached?: boolean
    readonly error?: string
  }[]
  readonly logs?: readonly {readonly vertex: string; readonly data: string}[]
  readonly warnings?: readonly {readonly short?: string}[]
}

interface RunningStep {
  name: string
  started?: number
  announced: boolean
  output: string[]
  partial: string
}

const linesKept = 2000

/**
 * Reads a build's progress line by line and tells it to the log as it happens: a line when a step starts, and when it
 * ends a foldable group with its output, so that parallel steps never mix. `collapse` returns the finished account.
 */
export function progressReader(log: Log): {onLine(line: string): void; collapse(): BuildProgress} {
  const running = new Map<string, RunningStep>()
  const finished = new Map<string, Step>()
  const messages: string[] = []
  let failure: BuildProgress['failure']

  const stepFor = (digest: string, name = ''): RunningStep => {
    const known = running.get(digest)
    if (known !== undefined) return known
    const step: RunningStep = {name, announced: false, output: [], partial: ''}
    running.set(digest, step)
    return step
  }

  const onVertex = (vertex: NonNullable<SolveStatus['vertexes']>[number]): void => {
    if (finished.has(vertex.digest)) return
    const step = stepFor(vertex.digest, vertex.name)
    step.name = vertex.name
    if (vertex.started !== undefined) step.started ??= Date.parse(vertex.started)
    const counted = isCounted(vertex.name)
    if (vertex.error !== undefined && vertex.error !== '') {
      // A cancelled step is no cause.
      if (vertex.error.includes('context canceled')) return
      failure ??= {step: vertex.name, message: vertex.error, output: outputOf(step).slice(-200)}
      return
    }
    if (vertex.completed === undefined) {
      if (step.started !== undefined && !step.announced && counted) {
        step.announced = true
        log.info(`▸ ${vertex.name}`)
      }
      return
    }
    const cached = vertex.cached ?? false
    const seconds = step.started === undefined ? 0 : (Date.parse(vertex.completed) - step.started) / 1000
    finished.set(vertex.digest, {name: vertex.name, seconds, cached})
    if (!counted) return
    const title = cached ? `✔ ${vertex.name} (cached)` : `✔ ${vertex.name} (${formatDuration(seconds)})`
    const output = outputOf(step)
    if (output.length === 0) log.info(title)
    else {
      log.startGroup(title)
      for (const line of output) log.info(line)
      log.endGroup()
    }
    running.delete(vertex.digest)
  }

  return {
    onLine(line) {
      const status = parseStatus(line)
      if (status === undefined) {
        if (line.trim() !== '') {
          messages.push(line)
          log.debug(line)
        }
        return
      }
      for (const {vertex, data} of status.logs ?? []) {
        const step = stepFor(vertex)
        const lines = (step.partial + Buffer.from(data, 'base64').toString('utf8')).split(/\r?\n/)
        step.partial = lines.pop() ?? ''
        step.output.push(...lines)
        if (step.output.length > linesKept) step.output.splice(0, step.output.length - linesKept)
      }
      for (const vertex of status.vertexes ?? []) onVertex(vertex)
      for (const {short} of status.warnings ?? []) {
        if (short !== undefined) log.debug(`BuildKit warns: ${Buffer.from(short, 'base64').toString('utf8')}`)
      }
    },

    collapse() {
      const steps = [...finished.values()].filter(step => isCounted(step.name))
      return {steps, messages, ...(failure === undefined ? {} : {failure})}
    }
  }
}

/** The slowest steps that really ran, slowest first. */
export function slowestSteps(steps: readonly Step[], count: number): readonly Step[] {
  return steps
    .filter(step => !step.cached && step.seconds >= 0.1)
    .toSorted((one, other) => other.seconds - one.seconds)
    .slice(0, count)
}

function isCounted(name: string): boolean {
  return !name.startsWith('[internal]') && !/^\[[^\]]*internal\]/.test(name)
}

function outputOf(step: RunningStep): readonly string[] {
  return step.partial === '' ? step.output : [...step.output, step.partial]
}

function parseStatus(line: string): SolveStatus | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const parsed: unknown = JSON.parse(line)
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined
  } catch {
    return undefined
  }
}
