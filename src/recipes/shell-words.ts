import {bracketEnd} from './shell-tokens.js'
import {expandVariables} from './variables.js'

/** Stands in a word for a part that only the running script knows. */
export const unknown = '\uFFFD'

/** Where a word is expanded. */
export interface WordScope {
  /** The value of a variable; undefined when it is not set. */
  readonly variable: (name: string) => string | undefined
  readonly assign: (name: string, value: string) => void
  /** `$1` and on. */
  readonly positional: readonly string[]
  readonly scriptName: string
  /** What a command substitution prints. */
  readonly substitute: (script: string) => string
}

/** The fields that a word of a script becomes, `unknown` in the place of what cannot be known without running it. */
export function expandWord(word: string, scope: WordScope): string[] {
  const fields: string[] = []
  let field: string | undefined
  const flush = () => {
    if (field !== undefined) fields.push(field)
    field = undefined
  }
  const add = (text: string) => {
    field = (field ?? '') + text
  }
  const addSplit = (text: string) => {
    for (const part of text.split(/(\s+)/)) {
      if (/^\s+$/.test(part)) flush()
      else if (part !== '') add(part)
    }
  }

  let quoted = false
  let index = 0
  while (index < word.length) {
    const character = word.charAt(index)
    if (character === '\\') {
      const next = word.charAt(index + 1)
      if (next !== '\n') add(quoted && !/["\\$`]/.test(next) ? `\\${next}` : next)
      index += 2
    } else if (character === '"') {
      quoted = !quoted
      add('')
      index += 1
    } else if (character === "'" && !quoted) {
      const end = word.indexOf("'", index + 1)
      add(word.slice(index + 1, end < 0 ? word.length : end))
      index = end < 0 ? word.length : end + 1
    } else if (character === '`') {
      const end = word.indexOf('`', index + 1)
      const output = scope.substitute(word.slice(index + 1, end < 0 ? word.length : end))
      if (quoted) add(output)
      else addSplit(output)
      index = end < 0 ? word.length : end + 1
    } else if (character === '$') {
      const {end, value, list} = parameter(word, index, scope)
      if (list !== undefined) {
        // An empty list in quotes is no field.
        if (list.length === 0 && field === '') field = undefined
        list.forEach((item, position) => {
          if (position > 0) flush()
          if (quoted) add(item)
          else addSplit(item)
        })
      } else if (quoted) add(value)
      else addSplit(value)
      index = end
    } else {
      add(character)
      index += 1
    }
  }
  flush()
  return fields
}

interface Parameter {
  readonly end: number
  readonly value: string
  /** For `$@` and its like. */
  readonly list?: readonly string[]
}

function parameter(word: string, index: number, scope: WordScope): Parameter {
  const next = word.charAt(index + 1)
  if (next === '(') {
    const end = bracketEnd(word, index + 1)
    const arithmetic = word.charAt(index + 2) === '('
    return {end, value: arithmetic ? unknown : scope.substitute(word.slice(index + 2, end - 1))}
  }
  if (next === '{') {
    const end = bracketEnd(word, index + 1)
    return {end, ...braces(word.slice(index + 2, end - 1), scope)}
  }
  const name = /^([A-Za-z_]\w*|[0-9@*#?$!-])/.exec(word.slice(index + 1))?.[0]
  if (name === undefined) return {end: index + 1, value: '$'}
  return {end: index + 1 + name.length, ...plain(name, scope)}
}

function plain(name: string, scope: WordScope): Pick<Parameter, 'value' | 'list'> {
  if (name === '@' || name === '*') return {value: '', list: scope.positional}
  if (name === '#') return {value: String(scope.positional.length)}
  return {value: valueOf(name, scope) ?? (/^\d+$/.test(name) ? '' : unknown)}
}

function valueOf(name: string, scope: WordScope): string | undefined {
  if (name === '0') return scope.scriptName
  return /^\d+$/.test(name) ? scope.positional[Number(name) - 1] : scope.variable(name)
}

function braces(inner: string, scope: WordScope): Pick<Parameter, 'value' | 'list'> {
  if (/^(\w+|[@*#?$!-])$/.test(inner)) return plain(inner, scope)
  const [, name = '', member, operator] = /^(\w+)(\[[^\]]*\])?(:?[-=+?]|[#%/])?/.exec(inner) ?? []
  if (member !== undefined) {
    const value = name === 'BASH_SOURCE' ? scope.scriptName : scope.variable(name)
    const list = member === '[@]' || member === '[*]'
    if (list && value !== undefined) return {value: '', list: value.split(/\s+/).filter(item => item !== '')}
    return {value: name === 'BASH_SOURCE' && value !== undefined ? value : unknown}
  }
  if (operator === undefined) return {value: unknown}
  const rest = inner.slice(name.length + operator.length)
  const value = valueOf(name, scope)
  const present = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined
  if (/[-=]$/.test(operator)) {
    if (present) return {value: value ?? ''}
    const other = expandWord(rest, scope).join(' ')
    if (operator.endsWith('=')) scope.assign(name, other)
    return {value: other}
  }
  if (operator.endsWith('+')) return {value: present ? expandWord(rest, scope).join(' ') : ''}
  if (value === undefined || value.includes(unknown) || /\$\(|`/.test(rest)) return {value: unknown}
  return {value: expandVariables(`\${${inner}}`, other => valueOf(other, scope))}
}
