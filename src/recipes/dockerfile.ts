/** One instruction of a Dockerfile, continuation lines joined and comments removed. */
export interface Instruction {
  /** In capitals: `RUN`, `COPY` … */
  readonly keyword: string
  /** `--name=value` flags in order; a repeated flag appears again. */
  readonly flags: readonly {readonly name: string; readonly value: string}[]
  /** What follows the flags. */
  readonly text: string
  /** Bodies of here-documents. */
  readonly heredocs: readonly string[]
  /** Line on which the instruction begins, from 1. */
  readonly line: number
}

/** A build stage, from one `FROM` to the next. */
export interface Stage {
  readonly name?: string
  /** The image or stage that `FROM` names, variables not yet expanded. */
  readonly base: string
  /** The `--platform` of `FROM`, variables not yet expanded. */
  readonly platform?: string
  readonly line: number
  readonly instructions: readonly Instruction[]
}

export interface Dockerfile {
  /** The frontend that a `# syntax=` line asks for. */
  readonly syntax?: string
  /** The instructions (`ARG`) before the first stage. */
  readonly globals: readonly Instruction[]
  readonly stages: readonly Stage[]
}

/**
 * Reads a Dockerfile as BuildKit's parser does: parser directives, continuation lines, comments between them,
 * here-documents (docs.docker.com/reference/dockerfile).
 */
export function parseDockerfile(text: string): Dockerfile {
  const lines = text.split(/\r?\n/)
  const directives = parserDirectives(lines)
  const instructions = parseInstructions(lines, directives.get('escape') ?? '\\')
  const globals: Instruction[] = []
  const stages: (Stage & {instructions: Instruction[]})[] = []
  for (const instruction of instructions) {
    const stage = stages.at(-1)
    if (instruction.keyword === 'FROM') {
      const [base = '', as, name] = instruction.text.split(/\s+/)
      const named = as?.toLowerCase() === 'as' && name !== undefined ? {name: name.toLowerCase()} : {}
      const platform = instruction.flags.find(flag => flag.name === 'platform')?.value
      const onPlatform = platform === undefined ? {} : {platform}
      stages.push({...named, ...onPlatform, base, line: instruction.line, instructions: []})
    } else if (stage === undefined) globals.push(instruction)
    else stage.instructions.push(instruction)
  }
  const syntax = directives.get('syntax')
  return {...(syntax === undefined ? {} : {syntax}), globals, stages}
}

/**
 * The same Dockerfile without its `# syntax=` line, which then means the builder's built-in frontend. A comment after the
 * directives makes up for it, so that other lines keep their numbers: one among them would end them.
 */
export function withoutSyntax(text: string): string {
  const lines = text.split('\n')
  const first = lines.findIndex(line => !directivePattern.test(line))
  const directives = lines.slice(0, first < 0 ? lines.length : first)
  const others = directives.filter(line => directivePattern.exec(line)?.[1]?.toLowerCase() !== 'syntax')
  const comments = directives.slice(others.length).map(() => '#')
  return [...others, ...comments, ...lines.slice(directives.length)].join('\n')
}

/** The parser directives at the top, such as `# syntax=…`, as they are written. */
export function directiveLines(text: string): readonly string[] {
  const lines = text.split(/\r?\n/)
  const end = lines.findIndex(line => !directivePattern.test(line))
  return lines.slice(0, end < 0 ? lines.length : end)
}

const directivePattern = /^\s*#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(\S+)\s*$/

function parserDirectives(lines: readonly string[]): Map<string, string> {
  const directives = new Map<string, string>()
  for (const line of lines) {
    const [, name, value] = directivePattern.exec(line) ?? []
    if (name === undefined || value === undefined) break
    directives.set(name.toLowerCase(), value)
  }
  return directives
}

function parseInstructions(lines: readonly string[], escape: string): Instruction[] {
  const instructions: Instruction[] = []
  let index = 0
  while (index < lines.length) {
    const start = index
    let text = ''
    let continued = true
    while (continued && index < lines.length) {
      const line = lines[index++] ?? ''
      const trimmed = line.trimEnd()
      if (index - 1 > start && (/^\s*#/.test(line) || trimmed === '')) continue
      continued = trimmed.endsWith(escape) && !/^\s*#/.test(line)
      text += continued ? trimmed.slice(0, -1) : trimmed
    }
    const [, keyword, rest] = /^\s*([A-Za-z]+)\s+([^]*)$/.exec(text) ?? []
    if (keyword === undefined || rest === undefined) continue
    const heredocs: string[] = []
    if (/^(RUN|COPY|ADD)$/i.test(keyword)) {
      for (const word of shellWords(rest)) {
        const [, strip, , end] = /^\d*<<(-?)(["']?)([A-Za-z_]\w*)\2$/.exec(word) ?? []
        if (end === undefined) continue
        const body: string[] = []
        while (index < lines.length) {
          const line = lines[index++] ?? ''
          if ((strip === '-' ? line.replace(/^\t+/, '') : line) === end) break
          body.push(line)
        }
        heredocs.push(body.join('\n'))
      }
    }
    instructions.push({keyword: keyword.toUpperCase(), ...splitFlags(rest), heredocs, line: start + 1})
  }
  return instructions
}

/** The words of a line as a shell separates them, quotes kept. */
export function shellWords(text: string): readonly string[] {
  return text.match(/(?:[^\s"']|"(?:\\.|[^"])*"|'[^']*')+/g) ?? []
}

/** What an `ARG` or `ENV` declares: `ARG NAME`, `ARG NAME=value OTHER=value`, `ENV NAME=value`, `ENV NAME value`. */
export function declarations(step: Instruction): {name: string; value: string | undefined}[] {
  const words = shellWords(step.text)
  const [first, ...rest] = words
  if (step.keyword === 'ENV' && first !== undefined && !first.includes('=')) {
    return [{name: first, value: rest.join(' ')}]
  }
  return words.map(word => {
    const equals = word.indexOf('=')
    return equals < 0 ? {name: word, value: undefined} : {name: word.slice(0, equals), value: word.slice(equals + 1)}
  })
}

function splitFlags(rest: string): Pick<Instruction, 'flags' | 'text'> {
  const flags: {name: string; value: string}[] = []
  let text = rest.trim()
  for (;;) {
    const [whole, name, value] = /^--([a-z][a-z-]*)(?:=(\S*))?(?:\s+|$)/.exec(text) ?? []
    if (whole === undefined || name === undefined) return {flags, text}
    flags.push({name, value: value ?? ''})
    text = text.slice(whole.length)
  }
}
