import {describe, expect, it} from '@jest/globals'
import type {CacheAccount} from '../../../src/cache/account.js'
import {renderSummary} from '../../../src/report/summary.js'
import {bundleWith, outcomeWith} from '../../support/outcome.js'
import {planWith} from '../../support/plan.js'

describe('renderSummary', () => {
  it('says what was built from what, how long it took and what the cache gave', () => {
    const summary = renderSummary(outcomeWith())
    expect(summary).toMatch(/^## Build Moby: 28\.5\.2, build 89c5e8f\n/)
    expect(summary).toContain(
      '| daemon | 28.5.2 | `89c5e8fd66634b6128fc4c0e6f1236e2540e46e0` (v28.5.2) | moby/moby v28.5.2 | 0 of 1 | 1 min 15 s |'
    )
    expect(summary).toContain('| client | 28.5.2 |')
    expect(summary).toContain('Whole run: 3 min 10 s.')
  })

  it('lists archives and binaries with their checksums, and where they are', () => {
    const summary = renderSummary(outcomeWith())
    expect(summary).toContain(
      `| binary-daemon.tar.gz | 1.5 KiB | \`${'a'.repeat(64)}\` | [artifact 41](https://github.example/artifacts/41) |`
    )
    expect(summary).toContain(`| binary-client/docker | 2.0 KiB | \`${'b'.repeat(64)}\` |`)
  })

  it.each([
    [undefined, '`/out/binary-daemon.tar.gz`'],
    [{url: '/srv/out'}, '`/srv/out`']
  ])('shows the path when %j is the artifact', (artifact, where) => {
    const bundle = {bundle: bundleWith('binary-daemon'), ...(artifact === undefined ? {} : {artifact})}
    expect(renderSummary(outcomeWith({bundles: [bundle]}))).toContain(`| ${where} |`)
  })

  it.each([
    ['ran', 'dockerd says 28.5.2, build 89c5e8f (it was run)'],
    ['build info', 'dockerd says 28.5.2, build 89c5e8f (read from its build info)']
  ] as const)('says how the stamp is known: %s', (how, text) => {
    const stamps = [{path: 'dockerd', version: '28.5.2', commit: '89c5e8f', how}]
    const bundles = [{bundle: bundleWith('binary-daemon', {stamps})}]
    expect(renderSummary(outcomeWith({bundles}))).toContain(`Verified: ${text}.`)
  })

  it('says when nothing was verified', () => {
    const bundles = [{bundle: bundleWith('binary-daemon', {stamps: []})}]
    expect(renderSummary(outcomeWith({bundles}))).toContain('Verified: nothing (`verify` is `off`).')
  })

  it('says of every cache what was found and what is kept', () => {
    const restored = {key: 'k', bytes: 3 * 2 ** 20}
    const caches: CacheAccount[] = [
      {kind: 'git', of: 'moby/moby', exact: true, restored},
      {kind: 'result', of: 'daemon', exact: false, saved: {key: 'k'}},
      {kind: 'mounts', of: 'daemon', exact: false, restored, saved: {key: 'l', bytes: 512}, note: 'a | b'}
    ]
    const summary = renderSummary(outcomeWith({caches}))
    expect(summary).toContain('| git objects | moby/moby | exact | 3.0 MiB |  |  |')
    expect(summary).toContain('| finished layers | daemon | none |  | yes |  |')
    expect(summary).toContain('| cache mounts | daemon | older | 3.0 MiB | 512 B | a \\| b |')
  })

  it('has no table of caches when none is kept', () => {
    expect(renderSummary(outcomeWith())).not.toContain('| cache |')
  })

  it('repeats the notes of the plan', () => {
    const plan = {...planWith(), notes: ['Mind the gap.']}
    expect(renderSummary(outcomeWith({plan}))).toContain('\n\n> Mind the gap.\n')
  })
})
