import {describe, expect, it} from '@jest/globals'
import type {PreflightResult} from '../../../src/network/preflight.js'
import {preflightSummary, renderPreflight} from '../../../src/report/preflight-text.js'
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
      expect.stringMatching(/^kind +what +route +state +latency +fix$/),
      expect.stringMatching(
        /^git +https:\/\/github\.com\/moby\/moby\.git +mirror https:\/\/m\.example\/moby\/moby\.git through http:\/\/proxy\.example:3128 +reachable +12 ms$/
      ),
      expect.stringMatching(
        /^http +https:\/\/get\.example\/file +proxy http:\/\/proxy\.example:3128 +refused: answered 403 \| <b>no<\/b> +340 ms +download-mirrors: .*$/
      ),
      expect.stringMatching(
        /^apt +http:\/\/\*\/debian +direct +not probed: only the base image names the host +apt-mirror: .*$/
      ),
      '',
      '1 of 2 endpoints answer, 1 not probed.'
    ])
  })
})

describe('preflightSummary', () => {
  it('shows what needs attention, and folds the rest away', () => {
    const parts = preflightSummary([git, file, apt]).split('\n\n')
    expect(parts.map(part => part.split('\n')[0])).toEqual([
      '### Preflight',
      '1 of 2 endpoints answer, 1 not probed.',
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
    [[file], '0 of 1 endpoints answer.', '| --- |']
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
