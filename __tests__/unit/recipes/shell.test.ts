import {describe, expect, it} from '@jest/globals'
import {followScript} from '../../../src/recipes/script-run.js'
import {unknown} from '../../../src/recipes/shell-words.js'

/** The programs that a script may start, as `line: words`; what cannot be known is a question mark. */
function programs(text: string, variables: Record<string, string> = {}): string[] {
  const calls: string[] = []
  followScript(text, {
    variables: new Map(Object.entries(variables)),
    directory: '/work',
    file: 'Dockerfile',
    line: 1,
    scriptAt: () => undefined,
    onCall: ({program, words}) => calls.push([program, ...words].join('|').replaceAll(unknown, '?'))
  })
  return calls
}

describe('a shell script', () => {
  it.each([
    ['a && b || c; d | e & f', ['a', 'b', 'c', 'd', 'e', 'f']],
    ['a # b', ['a']],
    ['a "b # c" \'d;e\' f\\ g', ['a|b # c|d;e|f g']],
    ['a \\\n  b', ['a|b']],
    ['a > b 2>&1 < c &> d', ['a']],
    ['a <<EOT\nb\nEOT\nc', ['a', 'c']],
    ["a <<-'EOT'\n\tb\n\tEOT\nc", ['a', 'c']],
    ['a <<< b', ['a']],
    ['(a; b) && { c; d; }', ['a', 'b', 'c', 'd']],
    ['if a; then b; elif c; then d; else e; fi; f', ['a', 'b', 'c', 'd', 'e', 'f']],
    ['while a; do b; done > c; until d; do e; done', ['a', 'b', 'd', 'e']],
    ['for x in 1 2; do a $x; done', ['a|1', 'a|2']],
    ['for ((i=0; i<3; i++)); do a; done; b', ['a', 'b']],
    ['[[ $x == a && -n b ]] && c', ['c']],
    ['! a || time b', ['a', 'b']],
    ['f() { a $1; }; f b; function g { c; }; g', ['a|b', 'c']],
    ['a "$(b "$(c)" | d)" `e`', ['c', 'b|?', 'd', 'e', 'a|?|?']],
    ['case a in (b) c;; a|d) e;; *) f;; esac', ['e']],
    ['case $(a) in b) c;; *) d;; esac', ['a', 'c', 'd']],
    ["sh -ec 'a; b $0 $1' c d && bash -c d", ['a', 'b|c|d', 'd']],
    ['exec a; command b; command -v c; env X=1 d; sudo e', ['a', 'b', 'd', 'e']],
    ['eval "a b"', ['a|b']],
    [') ;; fi esac', ['fi|esac']],
    ['a "b', ['a|b']]
  ])('%j may start %j', (text, expected) => {
    expect(programs(text)).toEqual(expected)
  })

  it.each([
    ['x=1; a $x "${x}2" ${y}', ['a|1|12|?']],
    ['x=\'b c\'; a $x "$x"', ['a|b|c|b c']],
    ['x=1 a $x; b $x', ['a|?', 'b|?']],
    ['export x=1 y="b c"; a $x "$y"', ['a|1|b c']],
    ['x=a; x+=b; c $x', ['c|ab']],
    ['x=(1 "2" $(y)); a ${x[@]}; b ${x[0]}', ['y', 'a|1|2|?', 'b|?']],
    ['(x=1); a $x', ['a|?']],
    [': ${x:=1}; a $x', ['a|1']],
    ['a ${x:-b} ${x-$(c)} ${x:+d} "${given%%-*}"', ['c', 'a|b|?|1.2']],
    ['a ${given:0:3} ${#given} $(($given+1))', ['a|?|?|?']],
    ['set -- b c; a $# "$@" $2 $3; shift; a $1', ['a|2|b|c|c', 'a|c']],
    ['cd /x/y && a $PWD $(cd .. && pwd) $(basename $PWD)', ['a|/x/y|/x|y']],
    ['x=$(echo b); a $x; a "$(dirname /c/d)"', ['echo|b', 'a|b', 'a|/c']]
  ])('%j has variables: %j', (text, expected) => {
    expect(programs(text, {given: '1.2-rc'})).toEqual(expected)
  })
})
