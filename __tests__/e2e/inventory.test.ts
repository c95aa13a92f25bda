import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, it} from '@jest/globals'
import {upstreamGoSumdb} from '../../sandbox/upstream-sites.js'
import type {Plan} from '../../src/plan/plan.js'
import {compareHosts} from '../support/asked-hosts.js'
import {actionFile, node24} from '../support/built-action.js'
import {type ClosedNetwork, startClosedNetwork} from '../support/closed-network.js'
import {describeWithEngine} from '../support/describe-with-engine.js'
import {runAction} from '../support/runner.js'

const minutes = 60_000
const inspecting = {username: 'builder', password: 'first.secret'}
const outer = {username: 'branch', password: 'second.secret'}

await describeWithEngine('the endpoints of a plan', () => {
  let root: string
  let network: ClosedNetwork
  let stop = () => Promise.resolve()

  // What an engine has fetched, or a token that it was given, it does not ask for again: each build gets a new one.
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-moby-inventory-'))
    network = await startClosedNetwork({inspecting, outer, node: node24})
    stop = () => network.stop()
  }, 5 * minutes)

  afterEach(async () => {
    await stop()
    await rm(root, {recursive: true, force: true})
  }, minutes)

  it.each([
    {ref: 'v28.5.2', target: 'binary', client: 'auto'},
    {ref: 'docker-v29.1.0', target: 'all', client: 'auto'}
  ])(
    'are what a build of $ref, $target with client $client asks, no more and no less',
    async inputs => {
      const proxy = network.proxyUrl(`${inspecting.username}:${inspecting.password}@`)
      const {main} = await runAction({
        ...{root, action: actionFile, node: network.node},
        with: {
          ...{'http-proxy': proxy, 'https-proxy': proxy, 'ca-certificates': network.certificate},
          ...{'go-sumdb': upstreamGoSumdb(), retries: '0', preflight: 'off', cache: 'off', ...inputs}
        },
        environment: {...network.engine.environment, BUILD_MOBY_OUTPUT: join(root, 'output')}
      })
      expect(main.log).not.toContain('##[error]')
      const plan = JSON.parse(await readFile(main.outputs.plan ?? '', 'utf8')) as Plan
      const targets = network.inspecting.requests().map(({target}) => target)
      expect(compareHosts(plan.endpoints, targets)).toEqual({missing: [], invented: []})
    },
    3 * minutes
  )
})
