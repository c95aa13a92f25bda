/** Looks a variable up; undefined when it is not set. */
export type Lookup = (name: string) => string | undefined

/**
 * Expands `$name` and `${name…}` in a word of a Dockerfile with the operators that BuildKit knows: `:-`, `-`, `:+`, `+`,
 * `:?`, `?`, `#`, `##`, `%`, `%%`, `/`, `//` (moby/buildkit frontend/dockerfile/shell/lex.go). Quotes around the word go.
 */
export function expandVariables(word: string, lookup: Lookup): string {
  let result = ''
  let index = 0
  while (index < word.length) {
    const character = word.charAt(index)
    if (character === '\\' && index + 1 < word.length) {
      result += word.charAt(index + 1)
      index += 2
    } else if (character === '"' || character === "'") {
      index += 1
    } else if (character === '$' && word.charAt(index + 1) === '{') {
      const end = closingBrace(word, index + 2)
      result += expandBraces(word.slice(index + 2, end), lookup)
      index = end + 1
    } else {
      const [whole, name] = /^\$([A-Za-z_]\w*)/.exec(word.slice(index)) ?? []
      if (whole !== undefined && name !== undefined) result += lookup(name) ?? ''
      else result += character
      index += whole?.length ?? 1
    }
  }
  return result
}

function closingBrace(word: string, from: number): number {
  let depth = 1
  for (let index = from; index < word.length; index++) {
    if (word.charAt(index) === '{') depth += 1
    if (word.charAt(index) === '}' && --depth === 0) return index
  }
  return word.length
}

function expandBraces(inner: string, lookup: Lookup): string {
  const [, name = '', operator = '', rest = ''] = /^(\w+)(:[-+?]|##?|%%?|\/\/?|[-+?])?([^]*)$/.exec(inner) ?? []
  const value = lookup(name)
  const present = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined
  switch (operator.replace(':', '')) {
    case '-':
      return present ? (value ?? '') : expandVariables(rest, lookup)
    case '+':
      return present ? expandVariables(rest, lookup) : ''
    case '#':
    case '##':
      return (value ?? '').replace(anchored(rest, lookup, operator === '##'), '')
    case '%':
    case '%%':
      return withoutSuffix(value ?? '', expandVariables(rest, lookup), operator === '%%')
    case '/':
    case '//': {
      const [, pattern = '', replacement = ''] = /^((?:\\.|[^\\/])*)\/?([^]*)$/.exec(rest) ?? []
      const expression = new RegExp(globSource(expandVariables(pattern, lookup), true), operator === '//' ? 'g' : '')
      return (value ?? '').replace(expression, () => expandVariables(replacement, lookup))
    }
    default:
      return value ?? ''
  }
}

function anchored(pattern: string, lookup: Lookup, greedy: boolean): RegExp {
  return new RegExp(`^${globSource(expandVariables(pattern, lookup), greedy)}`)
}

function withoutSuffix(value: string, pattern: string, greedy: boolean): string {
  const cuts = [...Array(value.length + 1).keys()]
  const cut = (greedy ? cuts : cuts.reverse()).find(position => matchesPattern(value.slice(position), pattern))
  return cut === undefined ? value : value.slice(0, cut)
}

/** Whether a whole value matches a shell pattern, in which `*` and `?` are wild. */
export function matchesPattern(value: string, pattern: string): boolean {
  return new RegExp(`^${globSource(pattern, true)}$`).test(value)
}

/** A shell pattern as a regular expression: `*` and `?` are wild. */
function globSource(pattern: string, greedy: boolean): string {
  return pattern.replace(/[.+^${}()|[\]\\*?]/g, character => {
    if (character === '*') return greedy ? '.*' : '.*?'
    return character === '?' ? '.' : `\\${character}`
  })
}
