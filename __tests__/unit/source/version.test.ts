import {describe, expect, it} from '@jest/globals'
import type {RefKind} from '../../../src/source/refs.js'
import {
  compareDaemonTags,
  isDaemonTag,
  isFinalRelease,
  isStampable,
  releaseVersion,
  stampOf
} from '../../../src/source/version.js'

const commit = '89c5e8fd66634b6128fc4c0e6f1236e2540e46e0'
// 2025-11-05 14:43:51 UTC
const commitTime = 1762353831

function stamp(kind: RefKind, name: string, tagsHere: readonly string[], nearest?: {tag: string; distance: number}) {
  return stampOf({ref: {kind, name}, commit, commitTime, tagsHere, ...(nearest === undefined ? {} : {nearest})})
}

describe('isDaemonTag', () => {
  it.each([
    'v28.5.2',
    'v29.0.0-rc.1',
    'v23.0.0-beta.1',
    'v1.13.0-rc4',
    'v17.06.0-ce',
    'v17.06.0-ce-rc2',
    'v28.5.2-acme.1',
    'docker-v29.7.2',
    'docker-v29.0.0-rc.3',
    'v0.7.6',
    'v1.2.0'
  ])('takes %s for a release of the daemon', tag => {
    expect(isDaemonTag(tag)).toBe(true)
  })

  it.each([
    'v2.0.0-beta.17',
    'v2.1.0',
    'api/v1.52.0',
    'client/v0.1.0',
    'upstream/0.1.2',
    'debian/0.1.2-1',
    'docs-v1.9.0-2015-11-03',
    'xdocs-v1.4.0-2014-mar-13',
    'builder/4',
    'autorun/1',
    '0.0.3',
    'v28.5',
    'master'
  ])('does not take %s for one', tag => {
    expect(isDaemonTag(tag)).toBe(false)
  })
})

describe('the order of releases', () => {
  it('goes by number, and puts a release after its candidates', () => {
    const tags = ['v28.10.0', 'v28.9.0', 'v28.10.0-rc.2', 'v28.10.0-rc.10', 'docker-v29.0.0', 'v17.06.0-ce']
    expect(tags.sort(compareDaemonTags)).toEqual([
      'v17.06.0-ce',
      'v28.9.0',
      'v28.10.0-rc.2',
      'v28.10.0-rc.10',
      'v28.10.0',
      'docker-v29.0.0'
    ])
  })

  it.each([
    ['v17.06.0-ce', true],
    ['v28.5.2', true],
    ['v17.06.0-ce-rc1', false],
    ['docker-v29.0.0-rc.1', false]
  ])('knows whether %s is final: %s', (tag, final) => {
    expect(isFinalRelease(tag)).toBe(final)
  })
})

describe('stampOf', () => {
  it.each([
    ['v28.5.2', '28.5.2'],
    ['docker-v29.7.2', '29.7.2'],
    ['v17.06.0-ce', '17.06.0-ce'],
    ['v29.0.0-rc.1', '29.0.0-rc.1']
  ])('stamps the release tag %s as %s, whatever else points there', (tag, version) => {
    expect(stamp('tag', tag, ['v99.0.0', tag])).toEqual({version, describe: tag, nearestTag: tag})
  })

  it('stamps a bare commit that a release tag points at as that release', () => {
    const tagsHere = ['v2.0.0-beta.3', 'v28.5.2-rc.1', 'v28.5.2']
    expect(stamp('commit', commit, tagsHere)).toMatchObject({version: '28.5.2', describe: 'v28.5.2'})
  })

  it('does not let a branch that stands on a release claim it', () => {
    expect(stamp('branch', '28.x', ['v28.5.2'])).toEqual({
      version: '28.5.2-0-g89c5e8f',
      describe: 'v28.5.2',
      nearestTag: 'v28.5.2'
    })
  })

  it.each(['branch', 'pull', 'commit', 'tag'] as const)('stamps another %s after the nearest release', kind => {
    expect(stamp(kind, 'nightly', [], {tag: 'docker-v29.7.2', distance: 14})).toEqual({
      version: '29.7.2-14-g89c5e8f',
      describe: 'docker-v29.7.2-14-g89c5e8f',
      nearestTag: 'docker-v29.7.2'
    })
  })

  it('stamps a commit without any release below it after its time', () => {
    expect(stamp('branch', 'orphan', [])).toEqual({version: '0.0.0-20251105144351-89c5e8f', describe: '89c5e8f'})
  })

  it('makes only versions that can be stamped', () => {
    const stamps = [
      stamp('branch', 'a/b_c', []),
      stamp('pull', 'pull/1/merge', [], {tag: 'v17.06.0-ce', distance: 2}),
      stamp('tag', 'docker-v29.0.0-rc.1', [])
    ]
    expect(stamps.map(({version}) => isStampable(version))).toEqual([true, true, true])
  })
})

describe('isStampable', () => {
  it.each(['', '-1', '1 2', '1_2', '1+2', 'a/b', '1\n'])('refuses %j', version => {
    expect(isStampable(version)).toBe(false)
  })
})

describe('releaseVersion', () => {
  it('takes nothing but the prefix away', () => {
    expect(releaseVersion('docker-v29.0.0-rc.1')).toBe('29.0.0-rc.1')
  })
})
