import {describe, expect, it} from '@jest/globals'
import {checkPin, nearestNames, parseListing, resolveRef, unusualRef} from '../../../src/source/refs.js'
import {ConfigurationError} from '../../../src/errors.js'

const hash = (digit: string) => digit.repeat(40)
const {refs} = parseListing(
  [
    `${hash('a')}\trefs/heads/master`,
    `${hash('b')}\trefs/heads/both`,
    `${hash('1')}\trefs/tags/v28.5.2`,
    `${hash('2')}\trefs/tags/v28.5.2^{}`,
    `${hash('3')}\trefs/tags/docker-v29.7.2`,
    `${hash('4')}\trefs/tags/both`,
    `${hash('5')}\trefs/tags/abcdef1`,
    `${hash('6')}\trefs/pull/42/merge`,
    'warning: not a ref'
  ].join('\n')
)
const resolve = (ref: string) => resolveRef(ref, refs, 'ref', 'moby/moby')

describe('parseListing', () => {
  it('leads annotated tags to their commits and skips what is no ref', () => {
    expect(refs.get('refs/tags/v28.5.2')).toBe(hash('2'))
    expect(refs.size).toBe(7)
  })

  it('reads what HEAD stands for', () => {
    expect(parseListing(`ref: refs/heads/master\tHEAD\n${hash('a')}\tHEAD`).head).toBe('refs/heads/master')
  })
})

describe('resolveRef', () => {
  it.each([
    ['v28.5.2', 'tag', 'v28.5.2', 'refs/tags/v28.5.2', hash('2')],
    ['refs/tags/docker-v29.7.2', 'tag', 'docker-v29.7.2', 'refs/tags/docker-v29.7.2', hash('3')],
    ['master', 'branch', 'master', 'refs/heads/master', hash('a')],
    ['refs/heads/both', 'branch', 'both', 'refs/heads/both', hash('b')],
    ['refs/pull/42/merge', 'pull', 'pull/42/merge', 'refs/pull/42/merge', hash('6')],
    ['pull/42/merge', 'pull', 'pull/42/merge', 'refs/pull/42/merge', hash('6')],
    ['abcdef1', 'tag', 'abcdef1', 'refs/tags/abcdef1', hash('5')]
  ])('takes %s for a %s', (ref, kind, name, fullName, commit) => {
    expect(resolve(ref)).toEqual({kind, name, fullName, commit})
  })

  it('prefers a tag to a branch of the same name, and says so', () => {
    expect(resolve('both')).toMatchObject({kind: 'tag', commit: hash('4'), passedOver: 'refs/heads/both'})
  })

  it('takes 7 to 40 digits for a commit, which is known at once only in full', () => {
    expect(resolve('89C5E8F')).toEqual({kind: 'commit', name: '89c5e8f', fullName: '89c5e8f'})
    expect(resolve(hash('9'))).toMatchObject({kind: 'commit', commit: hash('9')})
  })

  it.each([
    ['28.5.2', /did you mean v28\.5\.2\?/],
    ['v29.7.2', /did you mean docker-v29\.7\.2\?/],
    ['refs/tags/v29.7.2', /did you mean docker-v29\.7\.2\?/],
    ['mastr', /did you mean master\?/],
    ['89c5e8', /no tag, branch or other ref/],
    ['something-else-entirely', /none of a similar name/]
  ])('refuses %s, naming the input and what is near', (ref, message) => {
    expect(() => resolve(ref)).toThrow(ConfigurationError)
    expect(() => resolve(ref)).toThrow(/Input 'ref': moby\/moby/)
    expect(() => resolve(ref)).toThrow(message)
  })
})

describe('nearestNames', () => {
  it('names at most three, the newest first', () => {
    const many = new Map(['v1.0.1', 'v1.0.2', 'v1.0.3', 'v1.0.4'].map(tag => [`refs/tags/${tag}`, hash('1')]))
    expect(nearestNames('v1.0.9', many)).toEqual(['v1.0.4', 'v1.0.3', 'v1.0.2'])
  })
})

describe('unusualRef', () => {
  it.each([
    ['refs/pull/42/merge', 'refs/pull/42/merge'],
    ['pull/42/head', 'refs/pull/42/head'],
    ['HEAD', 'HEAD'],
    ['refs/tags/v1.0.0', undefined],
    ['refs/heads/master', undefined],
    ['master', undefined]
  ])('of %s is %s', (ref, expected) => {
    expect(unusualRef(ref)).toBe(expected)
  })
})

describe('checkPin', () => {
  const tag = {kind: 'tag', name: 'v28.5.2', fullName: 'refs/tags/v28.5.2'} as const

  it.each([undefined, hash('2'), hash('2').slice(0, 7)])('accepts %s for the commit it is', pin => {
    expect(() => {
      checkPin(tag, hash('2'), pin)
    }).not.toThrow()
  })

  it('calls a tag at another commit moved, and names both commits and the input', () => {
    expect(() => {
      checkPin(tag, hash('2'), '89c5e8f')
    }).toThrow(new RegExp(`'commit': moved tag: v28\\.5\\.2 .*${hash('2')}.*89c5e8f`))
  })

  it('does not speak of a tag when a branch has moved', () => {
    expect(() => {
      checkPin({kind: 'branch', name: 'master', fullName: 'refs/heads/master'}, hash('2'), '89c5e8f')
    }).toThrow(/^(?!.*tag).*master/)
  })
})
