import {kindOfStatus, type FailureKind} from './failure-kind.js'
import {programs, type Program, type Sign} from './signs.js'

/** A line about the failure: what a step printed, or what BuildKit or buildx said. */
export interface Line {
  readonly text: string
  readonly by: 'step' | 'engine'
}

/** The line that names the cause. */
export interface Cause {
  readonly index: number
  readonly program: Program
  readonly kind: FailureKind
}

// `cmd/dockerd/docker.go:407:2: undefined: timeout`; but Go puts a position before a failed download, too.
const compilerMessage = /^\s*[^\s:]+\.(go|c|h|cc|cpp|S):\d+(:\d+)?: (?!.*(https?:|dial tcp))/

/**
 * The last line in which a program names a reason that is known here. What a program complained of and then did without
 * is none; nor is anything before the complaint of a compiler, whose files have all been downloaded.
 */
export function findCause(lines: readonly Line[]): Cause | undefined {
  const start = lines.findLastIndex(({text}) => compilerMessage.test(text)) + 1
  const succeeded = new Set<Program>()
  let vague: Cause | undefined
  for (let index = lines.length - 1; index >= start; index--) {
    const line = lines[index]
    if (line === undefined) continue
    const found = read(line)
    if (found !== undefined && !succeeded.has(found.program)) {
      const {program, sign, kind} = found
      if (sign.vague !== true) return {index: firstOfList(lines, index, found), program, kind}
      vague ??= {index, program, kind}
    }
    for (const program of programs) if (program.succeeds?.test(line.text) === true) succeeded.add(program)
  }
  return vague
}

/** The first of the downloads that apt lists as failed for the same reason: the archive, not its security updates. */
function firstOfList(lines: readonly Line[], last: number, {program, kind}: Pick<Cause, 'program' | 'kind'>): number {
  const listed = /^[WE]: Failed to fetch /
  let index = last
  for (; listed.test(lines[index]?.text ?? ''); index--) {
    const before = lines[index - 1]
    const found = before !== undefined && listed.test(before.text) ? read(before) : undefined
    if (found?.program !== program || found.kind !== kind) break
  }
  return index
}

/** All that a line says, most telling first. */
export function kindsIn(line: Line): FailureKind[] {
  return speakers(line).flatMap(({signs}) =>
    signs.filter(({says}) => says.test(line.text)).map(sign => kindOf(sign, line.text))
  )
}

function read(line: Line): {program: Program; sign: Sign; kind: FailureKind} | undefined {
  for (const program of speakers(line)) {
    const sign = program.signs.find(({says}) => says.test(line.text))
    if (sign !== undefined) return {program, sign, kind: kindOf(sign, line.text)}
  }
  return undefined
}

function speakers({text, by}: Line): Program[] {
  return programs.filter(({name, speaks}) => (by === 'engine' || name !== 'BuildKit') && speaks.test(text))
}

function kindOf({kind, says}: Sign, text: string): FailureKind {
  return kind === 'status' ? kindOfStatus(Number(says.exec(text)?.groups?.status)) : kind
}
