import {tokenize} from './shell-tokens.js'

/** A piece of a shell script. Which of two branches runs is not kept: both may. */
export type ShellCommand =
  | {readonly kind: 'simple'; readonly words: readonly string[]; readonly line: number}
  | {readonly kind: 'group'; readonly subshell: boolean; readonly body: readonly ShellCommand[]}
  | {readonly kind: 'while'; readonly body: readonly ShellCommand[]}
  | {
      readonly kind: 'for'
      readonly name: string
      /** Undefined means the arguments of the script. */
      readonly words: readonly string[] | undefined
      readonly body: readonly ShellCommand[]
    }
  | {readonly kind: 'case'; readonly word: string; readonly arms: readonly CaseArm[]}
  | {readonly kind: 'function'; readonly name: string; readonly body: ShellCommand}

export interface CaseArm {
  readonly patterns: readonly string[]
  readonly body: readonly ShellCommand[]
}

/**
 * Reads a shell script (POSIX, and bash's arrays, tests and functions). Words keep their quotes; redirections and the
 * bodies of here-documents are left out. Lines count from 1. Never throws: of a script that is wrong, some of it is read.
 */
export function parseShell(text: string): readonly ShellCommand[] {
  const tokens = tokenize(text)
  let position = 0
  const peek = (ahead = 0) => tokens[position + ahead]
  const isWord = (text: string) => peek()?.type === 'word' && peek()?.text === text
  const isOperator = (text: string) => peek()?.type === 'operator' && peek()?.text === text
  const skip = (text: string) => {
    if (peek()?.text === text) position += 1
  }
  const skipLines = () => {
    while (isOperator('\n') || isOperator(';')) position += 1
  }

  /** Commands up to one of the words, a `)` or a `;;`, which stay. */
  const list = (...ends: string[]): ShellCommand[] => {
    const commands: ShellCommand[] = []
    while (peek() !== undefined && !ends.some(isWord)) {
      if (isOperator(')') || isOperator(';;')) break
      if (peek()?.type === 'operator' && !isOperator('(')) position += 1
      else commands.push(command())
    }
    return commands
  }
  const body = (end: string): ShellCommand[] => {
    const commands = list(end)
    skip(end)
    return commands
  }
  const loop = (): ShellCommand => {
    const condition = body('do')
    return {kind: 'while', body: [...condition, ...body('done')]}
  }
  const compound: Record<string, () => ShellCommand> = {
    if: () => {
      const commands = list('then', 'elif', 'else', 'fi')
      while (peek() !== undefined && !isWord('fi')) {
        const before = position++
        commands.push(...list('then', 'elif', 'else', 'fi'))
        if (position === before) break
      }
      skip('fi')
      return {kind: 'group', subshell: false, body: commands}
    },
    while: loop,
    until: loop,
    for: () => {
      const counts = isOperator('(')
      const name = peek()?.text ?? ''
      position += 1
      skipLines()
      let words: string[] | undefined
      if (isWord('in')) {
        position += 1
        words = []
        for (let token = peek(); token?.type === 'word'; token = peek()) {
          words.push(token.text)
          position += 1
        }
      }
      while (peek() !== undefined && !isWord('do')) position += 1
      skip('do')
      return counts ? {kind: 'while', body: body('done')} : {kind: 'for', name, words, body: body('done')}
    },
    case: () => {
      const word = peek()?.text ?? ''
      position += 1
      skipLines()
      skip('in')
      const arms: CaseArm[] = []
      skipLines()
      while (peek() !== undefined && !isWord('esac')) {
        skip('(')
        const patterns: string[] = []
        while (peek() !== undefined && !isOperator(')')) {
          if (!isOperator('|')) patterns.push(peek()?.text ?? '')
          position += 1
        }
        skip(')')
        arms.push({patterns, body: list('esac')})
        skip(';;')
        skipLines()
      }
      skip('esac')
      return {kind: 'case', word, arms}
    },
    '{': () => ({kind: 'group', subshell: false, body: body('}')}),
    '(': () => ({kind: 'group', subshell: true, body: body(')')}),
    '[[': () => {
      while (peek() !== undefined && !isWord(']]')) position += 1
      skip(']]')
      return {kind: 'group', subshell: false, body: []}
    },
    function: () => {
      const name = peek()?.text ?? ''
      position += 1
      return functionNamed(name)
    }
  }

  const functionNamed = (name: string): ShellCommand => {
    skip('(')
    skip(')')
    skipLines()
    return {kind: 'function', name, body: command()}
  }
  const command = (): ShellCommand => {
    while (isWord('!') || isWord('time')) position += 1
    const first = peek()
    if (first === undefined) return {kind: 'group', subshell: false, body: []}
    const construct = Object.hasOwn(compound, first.text) ? compound[first.text] : undefined
    position += 1
    if (construct !== undefined) return construct()
    if (first.type === 'word' && isOperator('(') && peek(1)?.text === ')') return functionNamed(first.text)
    const words = first.type === 'word' ? [first.text] : []
    for (let token = peek(); token?.type === 'word'; token = peek()) {
      words.push(token.text)
      position += 1
    }
    return {kind: 'simple', words, line: first.line}
  }

  const commands: ShellCommand[] = []
  while (peek() !== undefined) {
    commands.push(...list())
    position += 1
  }
  return commands
}
