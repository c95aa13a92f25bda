import {describe, expect, it} from '@jest/globals'
import {buildkitdConfiguration} from '../../../src/network/buildkitd-configuration.js'
import {mirrorName, sourcePolicy} from '../../../src/network/source-policy.js'

const mirror = {registry: 'docker.io', host: '10.0.0.1:5000', path: 'hub'}
const rule = {from: 'https://github.com/', to: 'https://mirror.example/gh/'}
const git = (url: string) => ({kind: 'git', url, line: 1}) as const

describe('sourcePolicy', () => {
  it('is none when nothing is mirrored', () => {
    expect(sourcePolicy([], [], [git('https://github.com/a/b.git')])).toBeUndefined()
    expect(sourcePolicy([], [rule], [git('https://gitlab.com/a/b.git')])).toBeUndefined()
    expect(sourcePolicy([], [rule], [])).toBeUndefined()
  })

  it('sends every image of a registry to its mirror', () => {
    const plain = {registry: 'ghcr.io', host: 'mirror.example', path: ''}
    expect(sourcePolicy([mirror, plain], [], [])).toEqual({
      version: 1,
      rules: [
        {
          action: 'CONVERT',
          selector: {identifier: 'docker-image://docker.io/*', match_type: 'WILDCARD'},
          updates: {identifier: 'docker-image://10.0.0.1:5000/hub/${1}'}
        },
        {
          action: 'CONVERT',
          selector: {identifier: 'docker-image://ghcr.io/*', match_type: 'WILDCARD'},
          updates: {identifier: 'docker-image://mirror.example/${1}'}
        }
      ]
    })
  })

  it('names the full URL of each mirrored repository once, and keeps the ref', () => {
    const policy = sourcePolicy(
      [],
      [rule],
      [
        git('https://github.com/a/b.git?ref=v1&keep-git-dir=1'),
        git('https://github.com/c/d.git#v2'),
        git('https://github.com/a/b.git#v3')
      ]
    )
    expect(policy?.rules).toEqual([
      {
        action: 'CONVERT',
        selector: {identifier: 'git://github.com/a/b.git*', match_type: 'WILDCARD'},
        updates: {
          identifier: 'git://mirror.example/gh/a/b.git${1}',
          attrs: {'git.fullurl': 'https://mirror.example/gh/a/b.git'}
        }
      },
      {
        action: 'CONVERT',
        selector: {identifier: 'git://github.com/c/d.git*', match_type: 'WILDCARD'},
        updates: {
          identifier: 'git://mirror.example/gh/c/d.git${1}',
          attrs: {'git.fullurl': 'https://mirror.example/gh/c/d.git'}
        }
      }
    ])
  })

  it('leaves files that are no repository alone', () => {
    expect(sourcePolicy([], [rule], [{kind: 'http', url: 'https://github.com/a/file', line: 1}])).toBeUndefined()
  })

  it('takes the first rule that matches', () => {
    const narrow = {from: 'https://github.com/moby/', to: 'https://moby.example/'}
    const policy = sourcePolicy([], [narrow, rule], [git('https://github.com/moby/a.git')])
    expect(policy?.rules[0]?.updates.attrs).toEqual({'git.fullurl': 'https://moby.example/a.git'})
  })
})

describe('mirrorName', () => {
  it('is host and path as an image name begins with them', () => {
    expect(mirrorName(mirror)).toBe('10.0.0.1:5000/hub')
    expect(mirrorName({host: 'mirror.example', path: ''})).toBe('mirror.example')
  })
})

describe('buildkitdConfiguration', () => {
  const plain = {...mirror, scheme: 'http'} as const
  const secure = {...mirror, host: 'mirror.example', scheme: 'https'} as const

  it('is none when every mirror speaks HTTPS', () => {
    expect(buildkitdConfiguration([])).toBeUndefined()
    expect(buildkitdConfiguration([secure])).toBeUndefined()
  })

  it('names each host that speaks plain HTTP once', () => {
    const other = {...plain, registry: 'ghcr.io', host: '[fd00::1]:5000'}
    expect(buildkitdConfiguration([plain, secure, {...plain, registry: 'quay.io'}, other])).toBe(
      '[registry."10.0.0.1:5000"]\n  http = true\n\n[registry."[fd00::1]:5000"]\n  http = true\n'
    )
  })
})
