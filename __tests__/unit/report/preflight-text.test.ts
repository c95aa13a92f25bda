import {describe, expect, it} from '@jest/globals'
import type {PreflightResult} from '../../../src/network/preflight.js'
import {countText, preflightSummary, renderPreflight, stateText} from '../../../src/report/preflight-text.js'
import {endpointAt} from '../../support/preflight.js'

const git: PreflightResult = {
  endpoint: endpointAt('git', 'https://github.com/moby/moby.git', {
    via: 'mirror',
    target: 'https://m.example/moby/moby.git',
    proxy: 'http://proxy.example:3128'
  }),
  state: 'reachable',
  detail: '',
  milliseconds: 12
}
const file: PreflightResult = {
  endpoint: endpointAt('http', 'https://get.example/file', {via: 'proxy', proxy: 'http://proxy.example:3128'}),
  state: 'refused',
  detail: 'answered 403 | <b>no</b>',
  milliseconds: 340,
  fix: 'download-mirrors: https://get.example/=https://mirror.example/'
}
const apt: PreflightResult = {
  endpoint: endpointAt('apt', 'http://*/debian'),
  state: 'not probed',
  detail: 'only the base image names the host',
  fix: 'apt-mirror: https://mirror.example'
}

describe('renderPreflight', () => {
  it('lays out one line for each endpoint, and counts those that answer', () => {
    expect(renderPreflight([git, file, apt]).split('\n')).toEqual([
      expect.stringMatching(/^kind +what +route +state +latency$/),
      expect.stringMatching(
        /^git +https:\/\/github\.com\/moby\/moby\.git +mirror https:\/\/m\.example, proxy http:\/\/proxy\.example:3128 +reachable +12 ms$/
      ),
      expect.stringMatching(
        /^http +https:\/\/get\.example\/file +proxy http:\/\/proxy\.example:3128 +refused +340 ms$/
      ),
      expect.stringMatching(/^apt +http:\/\/\*\/debian +direct +not probed: only the base image names the host$/),
      '',
      '1 of 3 endpoints answer, 1 do not, 1 not probed.'
    ])
  })
})

describe('countText', () => {
  it("keeps what 'strict' refuses apart from what does not answer", () => {
    const refused: PreflightResult = {...file, state: 'refused by strict', detail: 'it has no mirror'}
    expect(countText([git, file, refused, refused, apt])).toBe(
      "1 of 5 endpoints answer, 1 do not, 2 refused by 'strict', 1 not probed"
    )
  })
})

describe('stateText', () => {
  it.each([
    ['reachable', '', 'reachable'],
    ['refused', 'answered 403', 'refused: answered 403'],
    ['no answer', 'no answer within 10 s', 'no answer within 10 s']
  ] as const)('of %s, %j says everything once: %s', (state, detail, text) => {
    expect(stateText({state, detail})).toBe(text)
  })
})

describe('preflightSummary', () => {
  it('names the proxy once', () => {
    const detail = 'no answer within 10 s (through the proxy http://proxy.example:3128)'
    const summary = preflightSummary([{...file, state: 'no answer', detail}])
    expect(summary.match(/proxy\.example:3128/g)).toHaveLength(1)
    expect(summary).toContain('| no answer within 10 s |')
  })

  it('shows what needs attention, and folds the rest away', () => {
    const parts = preflightSummary([git, file, apt]).split('\n\n')
    expect(parts.map(part => part.split('\n')[0])).toEqual([
      '### Preflight',
      '1 of 3 endpoints answer, 1 do not, 1 not probed.',
      '| kind | what | route | state | latency | fix |',
      '<details><summary>2 without a complaint</summary>',
      '| kind | what | route | state | latency | fix |',
      '</details>'
    ])
    expect(parts[2]).toContain('`https://get.example/file`')
    expect(parts[4]).toContain('`http://*/debian`')
  })

  it('lets no word of a server become markup', () => {
    expect(preflightSummary([file])).toContain(String.raw`refused: answered 403 \| &lt;b>no&lt;/b>`)
  })

  it.each([
    [[git], '1 of 1 endpoints answer.', '<details>'],
    [[file], '0 of 1 endpoints answer, 1 do not.', '| --- |']
  ])('leaves out the table that would be empty: %#', (results, count, present) => {
    const text = preflightSummary(results)
    expect(text).toContain(count)
    expect(text).toContain(present)
    expect(text.match(/\| kind \|/g)).toHaveLength(1)
  })

  it('fits into a summary of 1 MiB with a thousand endpoints', () => {
    expect(preflightSummary(Array.from({length: 1000}, () => file)).length).toBeLessThan(1024 * 1024)
  })
})
