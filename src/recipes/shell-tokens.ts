/** A word or an operator of a shell script; `\n` is an operator. */
export interface Token {
  readonly type: 'word' | 'operator'
  readonly text: string
  readonly line: number
}

/** Takes a shell script apart, without its comments, redirections and here-documents. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  const hereDocuments: {end: string; tabs: boolean}[] = []
  let line = 1
  let index = 0
  const rest = () => text.slice(index)
  while (index < text.length) {
    const character = text.charAt(index)
    const redirection = /^(\d*(<<<|<<-?|<>|<&|>&|>>|>\||<|>)|&>>?)(?!\()/.exec(rest())?.[0]
    if (character === '\\' && text.charAt(index + 1) === '\n') {
      line += 1
      index += 2
    } else if (character === '\n') {
      tokens.push({type: 'operator', text: '\n', line})
      index += 1
      line += 1
      for (const {end, tabs} of hereDocuments.splice(0)) {
        for (let current: string | undefined; current !== end && index < text.length; line++) {
          const stop = text.indexOf('\n', index)
          current = text.slice(index, stop < 0 ? text.length : stop)
          if (tabs) current = current.replace(/^\t+/, '')
          index = stop < 0 ? text.length : stop + 1
        }
      }
    } else if (/\s/.test(character)) {
      index += 1
    } else if (character === '#') {
      const stop = text.indexOf('\n', index)
      index = stop < 0 ? text.length : stop
    } else if (redirection !== undefined) {
      index += redirection.length
      index += /^[ \t]*/.exec(rest())?.[0].length ?? 0
      const end = wordEnd(text, index)
      if (/<<-?$/.test(redirection) && !redirection.endsWith('<<<')) {
        hereDocuments.push({end: text.slice(index, end).replace(/["'\\]/g, ''), tabs: redirection.endsWith('-')})
      }
      index = end
    } else {
      const operator = /^(;;&?|;&|&&|\|\||\|&|[;&|()])/.exec(rest())?.[0]
      const end = operator === undefined ? wordEnd(text, index) : index + operator.length
      const part = text.slice(index, Math.max(end, index + 1))
      const type = operator === undefined ? 'word' : 'operator'
      tokens.push({type, text: part.startsWith(';;') || part === ';&' ? ';;' : part, line})
      line += part.split('\n').length - 1
      index += part.length
    }
  }
  return tokens
}

/** Where the word that begins at `from` ends. */
function wordEnd(text: string, from: number): number {
  let index = from
  while (index < text.length) {
    const character = text.charAt(index)
    const next = text.charAt(index + 1)
    if (character === '\\') index += 2
    else if (character === "'" || character === '"' || character === '`') index = quoteEnd(text, index)
    else if (character === '$' && (next === '(' || next === '{')) index = bracketEnd(text, index + 1)
    else if ((character === '<' || character === '>') && next === '(') index = bracketEnd(text, index + 1)
    // An array.
    else if (character === '(' && /^\w+\+?=$/.test(text.slice(from, index))) index = bracketEnd(text, index)
    else if (/[\s;&|()<>]/.test(character)) return index
    else index += 1
  }
  return Math.min(index, text.length)
}

/** The place after the quote that closes the one at `open`. */
function quoteEnd(text: string, open: number): number {
  const quote = text.charAt(open)
  let index = open + 1
  while (index < text.length && text.charAt(index) !== quote) {
    if (text.charAt(index) === '\\' && quote !== "'") index += 2
    else if (quote === '"' && /^\$[({]/.test(text.slice(index, index + 2))) index = bracketEnd(text, index + 1)
    else index += 1
  }
  return index + 1
}

/** The place after the bracket that closes the one at `open`, `(` or `{`; for expansions in a word. */
export function bracketEnd(text: string, open: number): number {
  const opening = text.charAt(open)
  const closing = opening === '(' ? ')' : '}'
  let depth = 0
  let index = open
  while (index < text.length) {
    const character = text.charAt(index)
    if (character === '\\') index += 2
    else if (/["'`]/.test(character) && !(opening === '{' && character === "'")) index = quoteEnd(text, index)
    else {
      if (character === opening) depth += 1
      if (character === closing) depth -= 1
      index += 1
      if (depth === 0) return index
    }
  }
  return text.length
}
