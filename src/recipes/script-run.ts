import {posix} from 'node:path'
import {inDirectory, inner, type Frame, type ScriptRun} from './script-frame.js'
import {parseShell, type ShellCommand} from './shell.js'
import {expandWord, unknown} from './shell-words.js'
import {matchesPattern} from './variables.js'

/**
 * Goes through a script without running it, and through the scripts that it sources or calls, and reports every program
 * that may start, with the words that can be known beforehand. Of conditions both branches are taken; arms of `case`,
 * functions and loops over words only as far as the script gets to them.
 */
export function followScript(text: string, run: ScriptRun): void {
  const {directory, file, line} = run
  const place = {directory, file, step: line, line, name: 'sh', positional: [], active: []}
  follow(parseShell(text), {...place, run, variables: new Map(run.variables), functions: new Map()})
}

/** What the last command prints, or `unknown`. */
function follow(commands: readonly ShellCommand[], frame: Frame): string {
  let output = ''
  for (const command of commands) output = followOne(command, frame)
  return output
}

function followOne(command: ShellCommand, frame: Frame): string {
  switch (command.kind) {
    case 'simple':
      return followSimple(command, frame)
    case 'group':
      return follow(command.body, command.subshell ? inner(frame) : frame)
    case 'while':
      // Arguments differ from turn to turn.
      if (frame.positional.length > 0) frame.positional = frame.positional.map(() => unknown)
      return follow(command.body, frame)
    case 'for':
      for (const value of (command.words ?? ['"$@"']).flatMap(word => expand(word, frame))) {
        frame.variables.set(command.name, value)
        follow(command.body, frame)
      }
      return unknown
    case 'case': {
      const value = expand(command.word, frame).join(' ')
      for (const {patterns, body} of command.arms) {
        const chosen = patterns.some(pattern => matchesPattern(value, expand(pattern, frame).join(' ')))
        if (chosen || value.includes(unknown)) follow(body, frame)
        if (chosen && !value.includes(unknown)) break
      }
      return unknown
    }
    case 'function': {
      const {file, step} = frame
      frame.functions.set(command.name, {body: command.body, file, step})
      return ''
    }
  }
}

const assignment = /^([A-Za-z_]\w*)(\[[^\]]*\])?(\+?)=([^]*)$/

function followSimple({words, line}: {words: readonly string[]; line: number}, frame: Frame): string {
  frame.line = frame.step ?? line
  const command = words.findIndex(word => !assignment.test(word))
  if (command < 0) {
    for (const word of words) assign(word, frame)
    return ''
  }
  const [program = '', ...rest] = expandCommand(words.slice(command), frame)
  // The assignments before a command are its own.
  const local = command === 0 ? frame : {...frame, variables: new Map(frame.variables)}
  for (const word of words.slice(0, command)) assign(word, local)
  return start(program, rest, frame, local)
}

/** Words that declare variables are assignments and not split. */
function expandCommand(words: readonly string[], frame: Frame): string[] {
  const declares = /^(export|local|readonly|declare|typeset)$/.test(words[0] ?? '')
  return words.flatMap(word => {
    const [, name, , , value] = declares ? (assignment.exec(word) ?? []) : []
    return name === undefined ? expand(word, frame) : [`${name}=${valueOf(value ?? '', frame)}`]
  })
}

/** Starts a function, a builtin or a program; `local` has the assignments before it. Returns what it prints. */
function start(program: string, words: readonly string[], frame: Frame, local: Frame): string {
  const called = local.functions.get(program)
  if (called !== undefined && !local.active.includes(program)) {
    const {body, file, step} = called
    const own = {...local, file, step, positional: words, active: [...local.active, program]}
    const output = follow([body], own)
    frame.directory = own.directory
    return output
  }
  const output = startBuiltin(program, words, frame) ?? startOther(program, words, frame, local)
  if (output !== undefined) return output
  if (program.includes('/') && followFile(program, words, local, false)) return unknown
  frame.run.onCall({
    program: posix.basename(program),
    words,
    variable: name => local.variables.get(name),
    directory: frame.directory,
    file: frame.file,
    line: frame.line
  })
  return program === 'echo' ? words.filter(word => word !== '-n').join(' ') : unknown
}

/** What changes the shell itself, or prints a part of a path. */
function startBuiltin(program: string, words: readonly string[], frame: Frame): string | undefined {
  const [first = ''] = words
  switch (program) {
    case '':
    case ':':
      return ''
    case 'export':
    case 'local':
    case 'readonly':
    case 'declare':
    case 'typeset':
      for (const word of words) {
        const [, name, , , value = ''] = assignment.exec(word) ?? []
        if (name !== undefined) frame.variables.set(name, value)
      }
      return ''
    case 'set':
      if (words.includes('--')) frame.positional = words.slice(words.indexOf('--') + 1)
      return ''
    case 'shift':
      frame.positional = frame.positional.slice(first === '' ? 1 : Number(first) || 0)
      return ''
    case 'cd':
    case 'pushd':
      frame.directory = inDirectory(frame.directory, words.find(word => !/^-./.test(word)) ?? unknown)
      return ''
    case 'pwd':
      return frame.directory
    case 'dirname':
      return first.includes(unknown) ? unknown : posix.dirname(first)
    case 'basename':
      return first.includes(unknown) ? unknown : posix.basename(first, words[1])
    default:
      return undefined
  }
}

/** What runs another script, or a program that its words name. */
function startOther(program: string, words: readonly string[], frame: Frame, local: Frame): string | undefined {
  const [first = '', ...rest] = words
  switch (program) {
    case '.':
    case 'source':
      followFile(first, rest, local, true)
      frame.directory = local.directory
      return unknown
    case 'eval':
      if (local.active.includes('eval')) return unknown
      return follow(parseShell(words.join(' ')), {...local, step: frame.line, active: [...local.active, 'eval']})
    case 'sh':
    case 'bash':
    case 'ash':
    case 'dash':
      followShell(words, local)
      return unknown
    case 'exec':
    case 'nohup':
    case 'sudo':
      return start(first, rest, frame, local)
    case 'command':
      return /^-[vV]/.test(first) ? unknown : start(first, rest, frame, local)
    case 'env': {
      const from = words.findIndex(word => !assignment.test(word) && !word.startsWith('-'))
      for (const word of words.slice(0, Math.max(from, 0))) assign(word, local)
      return from < 0 ? unknown : start(words[from] ?? '', words.slice(from + 1), frame, local)
    }
    default:
      return undefined
  }
}

function followShell(words: readonly string[], frame: Frame): void {
  const index = words.findIndex(word => !word.startsWith('-'))
  const [operand = '', ...rest] = index < 0 ? [] : words.slice(index)
  const isText = words.slice(0, Math.max(index, 0)).some(word => /^-\w*c$/.test(word))
  if (!isText) followFile(operand, rest, frame, false)
  else {
    const own = {...inner(frame), step: frame.line, name: rest[0] ?? 'sh', positional: rest.slice(1)}
    follow(parseShell(operand), own)
  }
}

/** Whether the file is a script of the tree. */
function followFile(path: string, words: readonly string[], frame: Frame, sourced: boolean): boolean {
  const at = inDirectory(frame.directory, path)
  const script = at.includes(unknown) ? undefined : frame.run.scriptAt(at)
  if (script === undefined || /^#!(?!.*sh\b)/.test(script.text)) return false
  const {file, text} = script
  if (frame.active.includes(file)) return true
  const active = [...frame.active, file]
  const commands = parseShell(text)
  if (!sourced) {
    follow(commands, {
      ...inner(frame),
      functions: new Map(),
      file,
      step: undefined,
      name: at,
      positional: words,
      active
    })
    return true
  }
  const positional = words.length === 0 ? frame.positional : words
  const own = {...frame, file, step: undefined, positional, active}
  follow(commands, own)
  frame.directory = own.directory
  return true
}

function assign(word: string, frame: Frame): void {
  const [, name, member, plus, value = ''] = assignment.exec(word) ?? []
  if (name === undefined || member !== undefined) return
  const items = parseShell(value.slice(1, -1)).flatMap(item => (item.kind === 'simple' ? item.words : []))
  const added = value.startsWith('(') ? items.flatMap(item => expand(item, frame)).join(' ') : valueOf(value, frame)
  frame.variables.set(name, plus === '+' ? (frame.variables.get(name) ?? '') + added : added)
}

function valueOf(word: string, frame: Frame): string {
  return expand(word, frame).join(' ')
}

function expand(word: string, frame: Frame): string[] {
  return expandWord(word, {
    variable: name => (name === 'PWD' ? frame.directory : frame.variables.get(name)),
    assign: (name, value) => void frame.variables.set(name, value),
    positional: frame.positional,
    scriptName: frame.name,
    substitute: script => {
      return follow(parseShell(script), {...inner(frame), step: frame.line})
    }
  })
}
