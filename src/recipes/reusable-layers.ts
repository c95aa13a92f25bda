import {
  declarations,
  directiveLines,
  parseDockerfile,
  type Dockerfile,
  type Instruction,
  type Stage
} from './dockerfile.js'
import {neededStages, type BuildVariables, type NeededStage} from './needed-stages.js'

/** The part of a Dockerfile whose layers serve other commits, too. */
export interface ReusableLayers {
  /** A Dockerfile of its own, which takes nothing from the build's context. */
  readonly dockerfile: string
  /** Its stage that leads to all the others. It holds no files. */
  readonly stage: string
  /** Names of the build arguments that it declares. */
  readonly arguments: readonly string[]
}

/** The name of `ReusableLayers.stage`. */
export const collector = 'build-moby-layers'

/**
 * Cuts the stages that `target` needs before the first step that depends on the tree or on a variable of
 * `commitVariables`. What is kept has the same text and so the same cache keys as in the whole build
 * (docs.docker.com/build/cache/invalidation). Undefined when no step is kept.
 */
export function reusableLayers(
  text: string,
  target: string,
  variables: BuildVariables,
  commitVariables: readonly string[]
): ReusableLayers | undefined {
  const dockerfile = parseDockerfile(text)
  const stages = cutStages(dockerfile, target, variables, commitVariables)
  const collected = ends(stages)
  if (collected.length === 0) return undefined
  const linesOf = lineReader(text, dockerfile)
  const kept = dockerfile.stages
    .slice(0, Math.max(...stages.keys()) + 1)
    .map((stage, index) => ({stage, cut: stages.get(index)}))
  const body = kept.flatMap(({stage, cut}) =>
    // Without its place in the order, a stage that is named by its number would be another one.
    cut === undefined
      ? [stage.name === undefined ? 'FROM scratch' : `FROM scratch AS ${stage.name}`]
      : [...linesOf(stage.line), ...cut.kept.flatMap(step => withoutVariables(step, commitVariables, linesOf))]
  )
  const declared = kept
    .flatMap(({cut}) => cut?.kept.filter(({keyword}) => keyword === 'ARG').flatMap(declarations) ?? [])
    .map(({name}) => name)
    .filter(name => !commitVariables.includes(name))
  const named = kept.flatMap(({stage, cut}) => (cut === undefined ? [] : variablesIn(headOf(stage))))
  const globals = usedGlobals(dockerfile.globals, [...declared, ...named])
  return {
    dockerfile: [
      ...directiveLines(text),
      ...globals.flatMap(({line}) => linesOf(line)),
      ...body,
      `FROM scratch AS ${collector}`,
      // A pattern that matches nothing copies nothing, and needs its stage all the same.
      ...collected.map(name => `COPY --from=${name} /build-moby-none* /`),
      ''
    ].join('\n'),
    stage: collector,
    arguments: [...new Set([...globals.flatMap(declarations).map(({name}) => name), ...declared])]
  }
}

/** What is left of a stage. */
interface CutStage {
  readonly name: string
  readonly kept: readonly Instruction[]
  /** Whether nothing was cut off, so that others may build on it and copy from it. */
  readonly whole: boolean
  /** Indices of the stages that it is built on, copies from and mounts. */
  readonly uses: readonly number[]
  /** Variables that differ from commit to commit, which it hands on to those built on it. */
  readonly varying: ReadonlySet<string>
}

/** By index. Missing are stages that are not needed, and those that are built on a stage that was cut. */
function cutStages(
  dockerfile: Dockerfile,
  target: string,
  variables: BuildVariables,
  commitVariables: readonly string[]
): ReadonlyMap<number, CutStage> {
  const needed = variables.targetPlatforms.flatMap(
    platform => neededStages(dockerfile, target, platform, variables, {}).stages
  )
  const varyingGlobals = new Set(commitVariables)
  for (const {name, value} of dockerfile.globals.flatMap(declarations)) {
    if (mentions(value ?? '', varyingGlobals)) varyingGlobals.add(name)
  }
  const cut = new Map<number, CutStage>()
  const isWhole = (index: number | undefined) => index === undefined || cut.get(index)?.whole === true
  for (const [index, stage] of dockerfile.stages.entries()) {
    const onPlatforms = needed.filter(candidate => candidate.index === index)
    const below = onPlatforms.map(one => one.below).filter(one => one !== undefined)
    if (onPlatforms.length === 0 || !below.every(isWhole) || mentions(headOf(stage), varyingGlobals)) continue
    const inherited = below.flatMap(one => [...(cut.get(one)?.varying ?? [])])
    const {kept, varying} = keptSteps(stage, onPlatforms, varyingGlobals, inherited, isWhole)
    const whole = kept.length === stage.instructions.length
    const lines = new Set(kept.map(({line}) => line))
    const uses = onPlatforms.flatMap(one => one.uses.flatMap(use => (lines.has(use.line) ? (use.stage ?? []) : [])))
    cut.set(index, {
      name: stage.name ?? String(index),
      kept: whole ? kept : kept.slice(0, kept.findLastIndex(makesLayer) + 1),
      whole,
      uses: [...below, ...uses],
      varying
    })
  }
  return cut
}

function keptSteps(
  stage: Stage,
  onPlatforms: readonly NeededStage[],
  varyingGlobals: ReadonlySet<string>,
  inherited: readonly string[],
  isWhole: (index: number | undefined) => boolean
): {kept: Instruction[]; varying: ReadonlySet<string>} {
  const varying = new Set(inherited)
  const kept: Instruction[] = []
  for (const step of stage.instructions) {
    const uses = onPlatforms.flatMap(one => one.uses.filter(({line}) => line === step.line))
    if (usesTree(step) || uses.some(use => use.name === 'context' || !isWhole(use.stage))) break
    if (step.keyword === 'ARG') {
      for (const {name, value} of declarations(step)) {
        if (varyingGlobals.has(name) || mentions(value ?? '', varying)) varying.add(name)
      }
    } else if (mentions(textOf(step), varying) || (step.keyword === 'RUN' && varying.size > 0)) break
    kept.push(step)
  }
  return {kept, varying}
}

/** Whether an instruction takes something from the build's context. An `ONBUILD` may, in the stages built on this one. */
function usesTree({keyword, flags, text}: Instruction): boolean {
  if (keyword === 'ONBUILD') return true
  if (keyword === 'RUN') {
    return flags.some(
      ({name, value}) => name === 'mount' && !/(^|,)(from=|type=(cache|tmpfs|secret|ssh)(,|$))/.test(value)
    )
  }
  if (keyword !== 'COPY' && keyword !== 'ADD') return false
  if (flags.some(({name}) => name === 'from')) return false
  // `COPY ["a", "b"]` as well as `COPY a b`.
  const sources = text.split(/\s+/).slice(0, -1)
  return !sources.every(source => /^<<|^(https?|git|ssh):\/\/|^git@/.test(source))
}

function makesLayer({keyword}: Instruction): boolean {
  return ['RUN', 'COPY', 'ADD', 'WORKDIR'].includes(keyword)
}

/** The stages that no other leads to, as far as they make layers: whoever has them has all. */
function ends(stages: ReadonlyMap<number, CutStage>): string[] {
  const reached = new Set<number>()
  const reach = (index: number): void => {
    if (reached.has(index)) return
    reached.add(index)
    for (const used of stages.get(index)?.uses ?? []) reach(used)
  }
  const found: string[] = []
  for (const [index, {name, kept}] of [...stages].toReversed()) {
    if (reached.has(index) || !kept.some(makesLayer)) continue
    found.unshift(name)
    reach(index)
  }
  return found
}

/** The lines of the instruction that begins on a line, without the comments that follow it. */
function lineReader(text: string, {globals, stages}: Dockerfile): (line: number) => string[] {
  const lines = text.split(/\r?\n/)
  const starts = [...globals, ...stages.flatMap(stage => [stage, ...stage.instructions])].map(({line}) => line)
  return line => {
    const next = starts.find(start => start > line) ?? lines.length + 1
    const own = lines.slice(line - 1, next - 1)
    return own.slice(0, own.findLastIndex(one => !/^\s*(#|$)/.test(one)) + 1)
  }
}

/** An `ARG` line without the variables that differ from commit to commit; everything else as it is. */
function withoutVariables(
  step: Instruction,
  commitVariables: readonly string[],
  linesOf: (line: number) => string[]
): string[] {
  if (step.keyword !== 'ARG' || !declarations(step).some(({name}) => commitVariables.includes(name))) {
    return linesOf(step.line)
  }
  const others = declarations(step).filter(({name}) => !commitVariables.includes(name))
  const words = others.map(({name, value}) => (value === undefined ? name : `${name}=${value}`))
  return words.length === 0 ? [] : [`ARG ${words.join(' ')}`]
}

/** The global `ARG`s that these names come from. */
function usedGlobals(globals: readonly Instruction[], used: readonly string[]): Instruction[] {
  const wanted = new Set(used)
  const found: Instruction[] = []
  for (const step of globals.toReversed()) {
    if (!declarations(step).some(({name}) => wanted.has(name))) continue
    found.unshift(step)
    for (const {value} of declarations(step)) for (const name of variablesIn(value ?? '')) wanted.add(name)
  }
  return found
}

function headOf({base, platform}: Stage): string {
  return `${base} ${platform ?? ''}`
}

function textOf({flags, text, heredocs}: Instruction): string {
  return [...flags.map(({value}) => value), text, ...heredocs].join('\n')
}

function mentions(text: string, names: ReadonlySet<string>): boolean {
  return variablesIn(text).some(name => names.has(name))
}

function variablesIn(text: string): string[] {
  return [...text.matchAll(/\$\{?([A-Za-z_]\w*)/g)].flatMap(([, name]) => name ?? [])
}
