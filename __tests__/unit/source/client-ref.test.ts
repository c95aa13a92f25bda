import {describe, expect, it} from '@jest/globals'
import {clientRef} from '../../../src/source/client-ref.js'
import {ConfigurationError} from '../../../src/errors.js'
import type {RefKind, RemoteRefs} from '../../../src/source/refs.js'

const commit = '0'.repeat(40)
const client: RemoteRefs = new Map(
  [
    ...['v17.06.0-ce', 'v23.0.10', 'v23.0.15', 'v25.0.6', 'v25.0.7', 'v25.0.7-rc.9'].map(tag => `refs/tags/${tag}`),
    ...['v28.5.2', 'v29.7.2', 'v29.9.0-rc.1', 'v29.9.0-rc.2', 'v29.9.0-beta.3'].map(tag => `refs/tags/${tag}`),
    ...['master', '28.x', '29.x'].map(branch => `refs/heads/${branch}`)
  ].map(name => [name, commit])
)

function refFor(kind: RefKind, name: string, nearestTag?: string): string {
  const ref = {kind, name, fullName: name}
  return clientRef({ref, ...(nearestTag === undefined ? {} : {nearestTag})}, client).ref
}

describe('clientRef', () => {
  it.each([
    ['v28.5.2', 'v28.5.2'],
    ['docker-v29.7.2', 'v29.7.2'],
    ['v17.06.0-ce', 'v17.06.0-ce'],
    ['v28.5.2-acme.1', 'v28.5.2']
  ])('pairs the engine tag %s with %s', (tag, expected) => {
    expect(refFor('tag', tag, tag)).toBe(expected)
  })

  it.each([
    ['v23.0.11', 'v23.0.15'],
    ['v23.0.18', 'v23.0.15'],
    ['v25.0.8', 'v25.0.7'],
    ['v25.0.17', 'v25.0.7']
  ])('pairs %s, which has no counterpart, with the newest of its line, %s', (tag, expected) => {
    expect(refFor('tag', tag, tag)).toBe(expected)
  })

  it('takes a pre-release only when the line has nothing else', () => {
    expect(refFor('tag', 'docker-v29.9.0', 'docker-v29.9.0')).toBe('v29.9.0-rc.2')
  })

  it.each([
    ['master', 'master'],
    ['28.x', '28.x'],
    ['docker-29.x', '29.x']
  ])('pairs the branch %s with the branch %s', (branch, expected) => {
    expect(refFor('branch', branch, 'v23.0.10')).toBe(expected)
  })

  it.each(['branch', 'pull', 'commit', 'ref'] as const)('goes by the nearest tag for another %s', kind => {
    expect(refFor(kind, 'something', 'docker-v29.7.2')).toBe('v29.7.2')
  })

  it('says what it looked for and what there is when nothing fits', () => {
    const ask = () => refFor('branch', '31.x', 'docker-v31.0.0')
    expect(ask).toThrow(ConfigurationError)
    expect(ask).toThrow(/'client'.*branch 31\.x or tag v31\.0\.0 or any tag v31\.0\.\*.*v29\.9\.0-rc\.2/)
  })

  it('says that there is no tag to go by', () => {
    expect(() => refFor('commit', commit)).toThrow(/'client'.*no release tag/)
  })
})
