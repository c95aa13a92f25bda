import {describe, expect, it} from '@jest/globals'
import {
  CancelledError,
  ConfigurationError,
  describeError,
  isCancellation,
  problemsError,
  StepError
} from '../../src/errors.js'

describe('describeError', () => {
  it.each([
    ['an error', new Error('no'), 'no'],
    ['an error without a message', new TypeError(), 'TypeError'],
    ['a chain of causes', new Error('a', {cause: new Error('b', {cause: 'c'})}), 'a\n  because: b\n  because: c'],
    ['a step', new StepError('verify', 'no dockerd'), 'verify: no dockerd'],
    ['text', 'thrown as text', 'thrown as text'],
    ['nothing', undefined, 'undefined']
  ])('describes %s', (_what, error, text) => {
    expect(describeError(error)).toBe(text)
  })
})

describe('errors', () => {
  it('carry their names, and a step its step', () => {
    expect(new ConfigurationError('x').name).toBe('ConfigurationError')
    expect(new CancelledError('x').name).toBe('CancelledError')
    expect(new StepError('build', 'x').step).toBe('build')
  })

  it('tell a cancelled run from a failed one', () => {
    expect(isCancellation(new CancelledError('x'))).toBe(true)
    expect(isCancellation(AbortSignal.abort().reason)).toBe(true)
    expect(isCancellation(new StepError('build', 'x'))).toBe(false)
    expect(isCancellation('AbortError')).toBe(false)
    expect(isCancellation(undefined)).toBe(false)
  })

  it('list problems one a line', () => {
    const error = problemsError('Wrong', ['one', 'two'])
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error.message).toBe('Wrong:\n  - one\n  - two')
  })
})
