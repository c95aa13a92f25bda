import {describe, expect, it} from '@jest/globals'
import {mirroredUrl, ruleFor} from '../../../src/network/prefix-rules.js'

const rule = (from: string, to = 'https://mirror.example/') => ({from, to})

describe('ruleFor', () => {
  it('is the longest prefix, wherever it stands', () => {
    const rules = [rule('https://github.com/'), rule('https://github.com/moby/'), rule('https://git')]
    expect(ruleFor('https://github.com/moby/moby', rules)).toBe(rules[1])
    expect(ruleFor('https://github.com/docker/cli', rules)).toBe(rules[0])
  })

  it('is the first of equal ones, and none for other URLs', () => {
    const rules = [rule('https://github.com/', 'https://one.example/'), rule('https://github.com/')]
    expect(ruleFor('https://github.com/moby/moby', rules)).toBe(rules[0])
    expect(ruleFor('https://gitlab.com/moby/moby', rules)).toBeUndefined()
  })
})

describe('mirroredUrl', () => {
  it('replaces the prefix and keeps the rest', () => {
    expect(mirroredUrl('https://github.com/a/b?c#d', rule('https://github.com/'))).toBe(
      'https://mirror.example/a/b?c#d'
    )
  })
})
