import {describe, expect, it} from '@jest/globals'
import type {CacheAccount} from '../../../src/cache/account.js'
import type {CacheKind} from '../../../src/cache/keys.js'
import {planOutputs, runOutputs} from '../../../src/report/outputs.js'
import {bundleWith, outcomeWith, resultsOf} from '../../support/outcome.js'
import {daemonComponent, planWith} from '../../support/plan.js'

describe('planOutputs', () => {
  it('are those of the daemon', () => {
    expect(planOutputs(planWith(), '/out/plan.json')).toEqual({
      version: '28.5.2',
      commit: '89c5e8fd66634b6128fc4c0e6f1236e2540e46e0',
      describe: 'v28.5.2',
      plan: '/out/plan.json'
    })
  })
})

describe('runOutputs', () => {
  it('tell where everything is', () => {
    expect(runOutputs(outcomeWith())).toEqual({
      ...planOutputs(planWith(), '/out/plan.json'),
      bundles: '/out',
      daemon: '/out/binary-daemon.tar.gz',
      'daemon-artifact-id': '41',
      'daemon-artifact-url': 'https://github.example/artifacts/41',
      'daemon-digest': 'a'.repeat(64),
      client: '/out/binary-client.tar.gz',
      'client-artifact-id': '42',
      'client-artifact-url': 'https://github.example/artifacts/42',
      'client-digest': 'a'.repeat(64),
      'cache-hit': 'none'
    })
  })

  it('are empty, not absent, for what was not made', () => {
    const plan = planWith({}, {components: [daemonComponent()]})
    const bundles = [{bundle: bundleWith('binary-daemon')}]
    expect(runOutputs(outcomeWith({plan, results: resultsOf(plan), bundles}))).toMatchObject({
      daemon: '/out/binary-daemon.tar.gz',
      'daemon-artifact-id': '',
      'daemon-artifact-url': '',
      client: '',
      'client-artifact-id': '',
      'client-artifact-url': '',
      'client-digest': ''
    })
  })

  it('give the folder for an artifact that has no id', () => {
    const bundles = [{bundle: bundleWith('binary-daemon'), artifact: {url: '/out'}}]
    expect(runOutputs(outcomeWith({bundles}))).toMatchObject({'daemon-artifact-id': '', 'daemon-artifact-url': '/out'})
  })

  const account = (kind: CacheKind, exact: boolean, found = true): CacheAccount => ({
    kind,
    of: 'daemon',
    exact,
    ...(found ? {restored: {key: 'k'}} : {})
  })

  it.each([
    ['full', [account('result', true), account('result', true)]],
    ['full', [account('git', false), account('bundles', true)]],
    ['partial', [account('result', true), account('result', false, false), account('layers', true)]],
    ['partial', [account('result', false, false), account('mounts', false)]],
    ['none', [account('git', true), account('result', false, false), account('layers', false, false)]],
    ['none', []]
  ])('sum up what was found as %s', (hit, caches) => {
    expect(runOutputs(outcomeWith({caches}))['cache-hit']).toBe(hit)
  })
})
