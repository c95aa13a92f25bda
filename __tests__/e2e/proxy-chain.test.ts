import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {afterAll, beforeAll, expect, it} from '@jest/globals'
import {channelsTag} from '../../sandbox/moby-fork.js'
import {upstreamGoSumdb} from '../../sandbox/upstream-sites.js'
import type {Plan} from '../../src/plan/plan.js'
import {compareHosts} from '../support/asked-hosts.js'
import {actionFile, node24} from '../support/built-action.js'
import {type ClosedNetwork, startClosedNetwork} from '../support/closed-network.js'
import {describeWithEngine} from '../support/describe-with-engine.js'
import {expectFailure} from '../support/failed-run.js'
import {cacheLevels, filesWith, formsOf, shownWith, unpackAll} from '../support/leaks.js'
import {type ActionResult, runAction} from '../support/runner.js'

const minutes = 60_000

const inspecting = {username: 'builder', password: 'hunter2.not-in-here'}
const encodedPassword = 'hunter2%2Enot%2Din%2Dhere'
const outer = {username: 'branch-office', password: 'between.the.proxies'}

const forms = [
  ...formsOf(inspecting.username, inspecting.password, encodedPassword),
  ...formsOf(outer.username, outer.password, outer.password)
]

await describeWithEngine('the action behind two proxies with passwords, the first of which reads TLS', () => {
  let root: string
  let network: ClosedNetwork
  let stopNetwork = () => Promise.resolve()
  let built: ActionResult
  let askedForAll: readonly string[]

  const run = async (inputs: Record<string, string>): Promise<ActionResult> => {
    const proxy = network.proxyUrl(`${inspecting.username}:${encodedPassword}@`)
    const proxies = {'http-proxy': proxy, 'https-proxy': proxy, 'no-proxy': 'localhost,.internal.example'}
    return runAction({
      ...{root, action: actionFile, node: network.node},
      with: {...proxies, 'go-sumdb': upstreamGoSumdb(), retries: '0', preflight: 'off', ...inputs},
      environment: {...network.engine.environment, BUILD_MOBY_CACHE: join(root, 'cache')},
      prepare: workspace => writeFile(join(workspace, 'authority.pem'), network.certificate)
    })
  }

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-moby-chain-'))
    network = await startClosedNetwork({inspecting, outer, node: node24})
    stopNetwork = () => network.stop()
    built = await run({ref: channelsTag, 'ca-certificates': network.certificate})
    askedForAll = network.inspecting.requests().map(({target}) => target)
  }, 5 * minutes)

  afterAll(async () => {
    await stopNetwork()
    await rm(root, {recursive: true, force: true})
  }, minutes)

  it('builds everything without any mirror', () => {
    expect(built.main.log).not.toContain('##[error]')
    expect(built.main).toMatchObject({conclusion: 'success', exitCode: 0, problems: []})
    expect(built.main.outputs).toMatchObject({version: channelsTag.slice(1)})
  })

  it('asks the hosts that its plan names, and no others', async () => {
    const {endpoints} = JSON.parse(await readFile(built.main.outputs.plan ?? '', 'utf8')) as Plan
    expect(compareHosts(endpoints, askedForAll)).toEqual({missing: [], invented: []})
  })

  it(
    'takes the certificate as the path of a file as well, and finds every endpoint to answer beforehand',
    async () => {
      const inputs = {ref: 'v28.5.2', client: 'none', target: 'binary', preflight: 'fail'}
      const result = await run({...inputs, 'ca-certificates': 'authority.pem'})
      expect(result.main.log).not.toContain('##[error]')
      expect(result.main.outputs).toMatchObject({version: '28.5.2'})
    },
    2 * minutes
  )

  it('fails without the certificate, and says where to put it', async () => {
    const result = await run({ref: 'v28.5.2', client: 'none', target: 'binary'})
    await expectFailure(result, {
      says: ['certificate verification failed', 'ca-certificates'],
      workspace: ['authority.pem']
    })
  })

  it('shows neither password in a log, output, summary or annotation', () => {
    expect(shownWith(forms, built)).toEqual([])
    expect(shownWith(['***'], built)).toEqual([])
    expect([...built.masks]).toEqual(expect.arrayContaining([encodedPassword, inspecting.password]))
  })

  it(
    'leaves them in no file of the runner, archive, cache, image or record of the engine',
    async () => {
      const unpacked = join(root, 'unpacked')
      expect(await unpackAll(built.main.outputs.bundles ?? '', `${unpacked}-output`)).toBeGreaterThanOrEqual(4)
      expect(await unpackAll(join(root, 'cache'), `${unpacked}-cache`, {levels: cacheLevels})).toBeGreaterThan(20)
      const engineDirectory = dirname(new URL(network.engine.host).pathname)
      const places = [root, engineDirectory]
      // The same search does find things: the login in the configuration of the daemon, which is not ours.
      expect(await filesWith(forms, places)).toEqual([join(engineDirectory, 'daemon.json')])
      const {plan = ''} = built.main.outputs
      expect(JSON.parse(await readFile(plan, 'utf8'))).toMatchObject({schema: 1})
      expect(await filesWith([network.engine.hostAddress], [plan])).toEqual([plan])
    },
    2 * minutes
  )
})
