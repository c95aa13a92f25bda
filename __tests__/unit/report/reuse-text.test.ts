import {describe, expect, it} from '@jest/globals'
import {renderSummary} from '../../../src/report/summary.js'
import {outcomeWith} from '../../support/outcome.js'
import {planWith} from '../../support/plan.js'

const run = 'https://github.com/me/moby/actions/runs/7'
const reused = {
  origin: {when: '2026-11-20T03:12:44Z', run},
  compared: ['the commits', 'the digests of golang:1.24.9'],
  notCompared: ['packages of Debian and Ubuntu']
}

describe('the summary of a run that reused bundles', () => {
  it('says since when nothing has changed, what was compared and what was not', () => {
    const summary = renderSummary(outcomeWith({reused, results: []}))
    expect(summary).toContain(`\n\nUnchanged since 2026-11-20T03:12:44Z ([run](${run})): nothing was built`)
    expect(summary).toContain('Compared: the commits; the digests of golang:1.24.9. Not compared: packages of Debian')
    expect(summary).toContain(
      '| daemon | 28.5.2 | `89c5e8fd66634b6128fc4c0e6f1236e2540e46e0` (v28.5.2) | moby/moby v28.5.2 |'
    )
    expect(summary).not.toContain('built in')
    expect(summary).toContain('| binary-daemon.tar.gz | 1.5 KiB |')
  })

  it('links to no page where there is none, and leaves out what is empty', () => {
    const summary = renderSummary(outcomeWith({reused: {...reused, origin: {when: 'W'}, notCompared: []}, results: []}))
    expect(summary).toContain('Unchanged since W: nothing was built')
    expect(summary).not.toContain('Not compared')
  })

  it('says why nothing could be reused', () => {
    const plan = {...planWith(), reuse: {why: 'no registry tells the digest of golang:1'}}
    expect(renderSummary(outcomeWith({plan}))).toContain(
      '> Nothing is reused: no registry tells the digest of golang:1.'
    )
  })
})
