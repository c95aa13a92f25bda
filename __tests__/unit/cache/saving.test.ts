import {describe, expect, it} from '@jest/globals'
import {keptIfPossible, savingRule} from '../../../src/cache/saving.js'
import {CancelledError} from '../../../src/errors.js'
import {memoryLog} from '../../support/memory.js'

describe('savingRule', () => {
  it.each([
    ['a push to a branch', {GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/heads/main'}],
    ['a nightly', {GITHUB_EVENT_NAME: 'schedule', GITHUB_REF: 'refs/heads/main'}],
    ['a run by hand', {GITHUB_EVENT_NAME: 'workflow_dispatch', GITHUB_REF: 'refs/heads/refs/tags/odd'}],
    ['a machine of one’s own', {}]
  ])('saves everything in %s', (_, environment) => {
    expect(savingRule(environment)).toEqual({what: 'all'})
  })

  it.each([
    ['a pull request', {GITHUB_EVENT_NAME: 'pull_request', GITHUB_REF: 'refs/pull/7/merge'}, 'only this pull request'],
    [
      'a pull request of a fork',
      {GITHUB_EVENT_NAME: 'pull_request_target', GITHUB_REF: 'refs/heads/main'},
      'its base branch'
    ],
    ['a review', {GITHUB_EVENT_NAME: 'pull_request_review', GITHUB_REF: 'refs/pull/7/merge'}, 'only this pull request'],
    ['a run by hand for a pull request', {GITHUB_REF: 'refs/pull/7/head'}, 'only this pull request'],
    [
      'a merge queue',
      {GITHUB_EVENT_NAME: 'merge_group', GITHUB_REF: 'refs/heads/gh-readonly-queue/main/pr-7-89c5e8f'},
      'merge queue'
    ],
    ['a push of a tag', {GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/tags/v28.5.2'}, 'only this tag'],
    ['a release', {GITHUB_EVENT_NAME: 'release', GITHUB_REF: 'refs/tags/v28.5.2'}, 'only this tag']
  ])('saves only what was missing in %s, and says why', (_, environment, why) => {
    expect(savingRule(environment)).toEqual({what: 'missing', why: expect.stringContaining(why)})
  })
})

describe('keptIfPossible', () => {
  const pause = () => Promise.resolve()

  it('resolves with what was kept', async () => {
    const log = memoryLog()
    expect(await keptIfPossible('layers', 0, () => Promise.resolve(1), {log, pause})).toBe(1)
    expect(log.lines).toEqual([])
  })

  it('says what went wrong, and fails nothing', async () => {
    const log = memoryLog()
    const keep = () => Promise.reject(new Error('no room'))
    expect(await keptIfPossible('layers', 0, keep, {log, pause})).toBe(0)
    expect(log.lines).toEqual(['warning: The layers are not kept: no room'])
  })

  it('ends with a cancelled run, and does not begin in one', async () => {
    const log = memoryLog()
    const cancelled = () => Promise.reject(new CancelledError('cancelled'))
    await expect(keptIfPossible('layers', 0, cancelled, {log, pause})).rejects.toThrow('cancelled')
    let begun = false
    const keep = () => Promise.resolve((begun = true))
    await expect(keptIfPossible('layers', false, keep, {log, pause: cancelled})).rejects.toThrow('cancelled')
    expect([begun, log.lines]).toEqual([false, []])
  })
})
