import {asInTree, isCutOff} from '../recipes/step-options.js'
import type {Log} from '../ports.js'
import {formatDuration} from '../format.js'

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
  readonly failure?: {
    readonly step: string
    readonly message: string
    readonly output: readonly string[]
    /** Whether we had cut the step off from the network. */
    readonly withoutNetwork: boolean
  }
  /** Why the layers of a step that were found in a cache could not be had. BuildKit then runs the step, or fails. */
  readonly unusableCache?: string
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

type Vertex = NonNullable<SolveStatus['vertexes']>[number]

interface ObservedStep {
  name: string
  /** Seconds by the time it began: BuildKit works on a base image twice, to look it up and to fetch it. */
  readonly intervals: Map<string, number>
  cached: boolean
  announced: boolean
  output: string[]
  partial: string
}

/**
 * What containerd says when it cannot unpack a layer, or gets another one than was named (core/mount/temp.go,
 * plugins/content/local/writer.go@v2.1). BuildKit may blame the step above it, which is not from the cache.
 */
const unusableLayer = /mount callback failed on|failed to extract layer|unexpected commit (?:digest|size)/

const linesKept = 2000
const nameLength = 160

/**
 * Reads a build's progress line by line and tells it to the log as it happens: a line when a step starts, and when it
 * ends a foldable group with its output, so that parallel steps never mix. `collapse` returns the finished account.
 */
export function progressReader(log: Log): {onLine(line: string): void; collapse(): BuildProgress} {
  const observed = new Map<string, ObservedStep>()
  const finished = new Set<ObservedStep>()
  const messages: string[] = []
  let failure: BuildProgress['failure']
  let unusableCache: string | undefined

  const stepFor = (digest: string): ObservedStep => {
    const known = observed.get(digest)
    if (known !== undefined) return known
    const step: ObservedStep = {
      name: '',
      intervals: new Map(),
      cached: false,
      announced: false,
      output: [],
      partial: ''
    }
    observed.set(digest, step)
    return step
  }

  const onVertex = ({digest, name, started, completed, cached = false, error = ''}: Vertex): void => {
    const step = stepFor(digest)
    step.name = shortName(name)
    if (error !== '') {
      // A cancelled step is no cause.
      if (!error.includes('context canceled')) {
        if (cached || unusableLayer.test(error)) unusableCache ??= error
        const output = outputOf(step).slice(-200)
        failure ??= {step: step.name, message: error, output, withoutNetwork: isCutOff(name)}
      }
      return
    }
    step.cached ||= cached
    if (started === undefined) return
    if (completed === undefined) {
      if (!step.announced && !step.cached && isCounted(name)) log.info(`▸ ${step.name}`)
      step.announced = true
      return
    }
    if (step.intervals.has(started)) return
    // The clock of a machine may be set back.
    const seconds = Math.max(0, Date.parse(completed) - Date.parse(started)) / 1000
    const again = finished.has(step)
    step.intervals.set(started, seconds)
    if (!isCounted(name)) return
    finished.add(step)
    if (again && (step.cached || seconds < 1)) return
    const title = `✔ ${step.name} (${step.cached ? 'cached' : formatDuration(seconds)})`
    const output = outputOf(step)
    if (output.length === 0) log.info(title)
    else {
      log.startGroup(title)
      for (const line of output) log.info(line)
      log.endGroup()
    }
    step.output = []
    step.partial = ''
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
        step.output.push(...lines.map(lastOverwritten))
        if (step.output.length > linesKept) step.output.splice(0, step.output.length - linesKept)
      }
      for (const vertex of status.vertexes ?? []) onVertex(vertex)
      for (const {short} of status.warnings ?? []) {
        if (short !== undefined) log.debug(`BuildKit warns: ${Buffer.from(short, 'base64').toString('utf8')}`)
      }
    },

    collapse() {
      const steps = [...finished].map(({name, intervals, cached}) => ({
        name,
        seconds: [...intervals.values()].reduce((sum, seconds) => sum + seconds, 0),
        cached
      }))
      return {
        steps,
        messages,
        ...(failure === undefined ? {} : {failure}),
        ...(unusableCache === undefined ? {} : {unusableCache})
      }
    }
  }
}

/** Whether a step runs something or copies files, unlike one that only finds or moves an image. */
export function makesLayer({name}: Pick<Step, 'name'>): boolean {
  return /^(\[[^\]]*\] )?(RUN|COPY|ADD|WORKDIR) /.test(name)
}

/** The slowest steps that really ran, slowest first. */
export function slowestSteps(steps: readonly Step[], count: number): readonly Step[] {
  return steps
    .filter(step => !step.cached && step.seconds >= 0.1)
    .toSorted((one, other) => other.seconds - one.seconds)
    .slice(0, count)
}

// BuildKit's own work, and the half of a `COPY --link` that it shows as a step of its own.
function isCounted(name: string): boolean {
  return !/^\[[^\]]*internal\]|^\[[^\]]*\] LINK /.test(name)
}

function shortName(name: string): string {
  const plain = asInTree(name).replace(/\s+/g, ' ')
  return plain.length <= nameLength ? plain : `${plain.slice(0, nameLength - 1)}…`
}

function outputOf(step: ObservedStep): readonly string[] {
  return step.partial === '' ? step.output : [...step.output, lastOverwritten(step.partial)]
}

/** What a terminal shows of a line in which a program went back to write over it. */
function lastOverwritten(line: string): string {
  return line.replace(/\r+$/, '').replace(/^.*\r/s, '')
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
