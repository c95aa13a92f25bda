import {describe, expect, it} from '@jest/globals'
import {savingRule} from '../../../src/cache/saving.js'

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
