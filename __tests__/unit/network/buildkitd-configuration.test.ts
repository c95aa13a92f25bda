import {describe, expect, it} from '@jest/globals'
import {buildkitdConfiguration} from '../../../src/network/buildkitd-configuration.js'

const plain = {registry: 'docker.io', host: '10.0.0.1:5000', path: 'hub', scheme: 'http'} as const
const secure = {...plain, host: 'mirror.example', scheme: 'https'} as const

describe('buildkitdConfiguration', () => {
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
