import {describe, expect, it} from '@jest/globals'
import {expandVariables, matchesPattern} from '../../../src/recipes/variables.js'

const values: Record<string, string> = {
  name: 'value',
  empty: '',
  path: 'linux/arm64/v8',
  version: 'v1.2.3-rc.1',
  star: 'a.b'
}
const expand = (word: string) => expandVariables(word, name => values[name])

describe('expandVariables', () => {
  it.each([
    ['$name', 'value'],
    ['${name}', 'value'],
    ['a$name-b', 'avalue-b'],
    ['$names', ''],
    ['${missing}x', 'x'],
    ['$1 costs 5$', '$1 costs 5$'],
    [String.raw`\$name`, '$name'],
    ['"golang:${name}"', 'golang:value'],
    ["'a'", 'a']
  ])('expands %s to %s', (word, expected) => {
    expect(expand(word)).toBe(expected)
  })

  it.each([
    ['${missing:-other}', 'other'],
    ['${empty:-other}', 'other'],
    ['${empty-other}', ''],
    ['${missing-other}', 'other'],
    ['${name:-other}', 'value'],
    ['${missing:-$name}', 'value'],
    ['${missing:-${empty:-${name}}}', 'value'],
    ['${name:+other}', 'other'],
    ['${empty:+other}', ''],
    ['${empty+other}', 'other'],
    ['${missing+other}', ''],
    ['${name:?must be set}', 'value'],
    ['${name?must be set}', 'value']
  ])('knows the default forms: %s is %s', (word, expected) => {
    expect(expand(word)).toBe(expected)
  })

  it.each([
    ['${path#*/}', 'arm64/v8'],
    ['${path##*/}', 'v8'],
    ['${path%/*}', 'linux/arm64'],
    ['${path%%/*}', 'linux'],
    ['${version#v}', '1.2.3-rc.1'],
    ['${version#x}', 'v1.2.3-rc.1'],
    ['${version%-rc.?}', 'v1.2.3'],
    ['${star#a.}', 'b'],
    ['${star%x}', 'a.b'],
    ['${missing#x}', ''],
    ['${path/\\//-}', 'linux-arm64/v8'],
    ['${version//./_}', 'v1_2_3-rc_1'],
    ['${version/v/$name}', 'value1.2.3-rc.1'],
    ['${version/./}', 'v12.3-rc.1']
  ])('knows the forms with a pattern: %s is %s', (word, expected) => {
    expect(expand(word)).toBe(expected)
  })
})

describe('matchesPattern', () => {
  it.each([
    ['linux/arm64', 'linux/*', true],
    ['arm64', 'arm6?', true],
    ['a.b', 'a?b', true],
    ['axb', 'a.b', false],
    ['linux/arm64', 'linux', false],
    ['', '', true]
  ])('of %j and %j is %s: a pattern is for the whole value', (value, pattern, expected) => {
    expect(matchesPattern(value, pattern)).toBe(expected)
  })
})
