import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {afterAll, beforeAll, expect, it} from '@jest/globals'
import {runBuiltAction} from '../support/built-action.js'
import {describeWithEngine} from '../support/describe-with-engine.js'
import {expectFailure} from '../support/failed-run.js'
import {cacheLevels, filesWith, formsOf, shownWith, unpackAll} from '../support/leaks.js'
import {type ProxiedNetwork, startProxiedNetwork} from '../support/proxied-network.js'
import {type ResultsService, startResultsService} from '../support/results-service.js'
import type {ActionResult} from '../support/runner.js'

const minutes = 60_000

// tinyproxy takes letters, digits, dots and hyphens; in a URL any of them may be percent-encoded as well.
const proxyLogin = {username: 'builder', password: 'hunter2.not-in-here'}
const encodedPassword = 'hunter2%2Enot%2Din%2Dhere'
const registryLogin = {username: 'puller', password: 'p@ss:w/rd%41'}

const proxyForms = formsOf(proxyLogin.username, proxyLogin.password, encodedPassword)
const registryForms = formsOf(registryLogin.username, registryLogin.password, registryLogin.password)

await describeWithEngine('the action whose builds get out through a proxy with a password alone', () => {
  let root: string
  let network: ProxiedNetwork
  let stopNetwork = () => Promise.resolve()
  let service: ResultsService
  let direct: ActionResult
  let proxied: ActionResult
  let requestsOfDirect: number

  const build = async (inputs: Record<string, string>): Promise<ActionResult> =>
    runBuiltAction({
      root,
      with: {...network.inputs, ref: 'v28.5.2', retries: '0', ...inputs},
      environment: {...service.environment(), ...network.environment}
    })

  const proxyInputs = (userinfo: string): Record<string, string> => {
    const url = `http://${userinfo}${network.engine.hostAddress}:${network.proxy.port}`
    return {'http-proxy': url, 'https-proxy': url, 'no-proxy': 'localhost,.internal.example'}
  }

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-moby-proxy-'))
    service = await startResultsService()
    network = await startProxiedNetwork({proxy: proxyLogin, registry: registryLogin})
    stopNetwork = () => network.stop()
    direct = await build({target: 'binary', client: 'none'})
    requestsOfDirect = network.proxy.requests().length
    proxied = await build(proxyInputs(`${proxyLogin.username}:${encodedPassword}@`))
  }, 5 * minutes)

  afterAll(async () => {
    await Promise.all([stopNetwork(), service.close()])
    await rm(root, {recursive: true, force: true})
  }, minutes)

  it('fails without the proxy, and says which mirror it could not reach', async () => {
    await expectFailure(direct, {
      says: [`route: mirror http://${network.farHosts.apt}/debian`, 'apt-mirror'],
      workspace: ['moby']
    })
    expect(requestsOfDirect).toBe(0)
  })

  it('fails without the password, and says that it was the proxy', async () => {
    const result = await build({...proxyInputs(''), client: 'none'})
    await expectFailure(result, {
      says: ['407 Proxy Authentication Required', "'registry-mirrors'", 'the proxy inputs']
    })
  })

  it('builds everything with it', () => {
    expect(proxied.main.log).not.toContain('##[error]')
    expect(proxied.main).toMatchObject({conclusion: 'success', exitCode: 0, problems: []})
    expect(proxied.main.outputs).toMatchObject({version: '28.5.2', 'cache-hit': 'none'})
  })

  it('sends the registry probe, its own git and the downloads of the steps through the proxy', () => {
    const {proxy, farHosts, engine, registry} = network
    const targets = proxy.requests().map(({method, target}) => `${method} ${target}`)
    for (const download of [
      `http://${engine.hostAddress}:${registry.port}/v2/`,
      `http://${farHosts.git}/moby/moby.git/info/refs`,
      `http://${farHosts.git}/docker/cli.git/info/refs`,
      `http://${farHosts.git}/opencontainers/runc.git/info/refs`,
      `http://${farHosts.go}/github.com/tc-hib/go-winres/@v/v0.3.1.zip`,
      `http://${farHosts.apt}/debian/dists/`
    ]) {
      expect(targets).toContainEqual(expect.stringContaining(`GET ${download}`))
    }
    const arrived = [network.aptMirror, network.goProxy, network.git].map(server => server.requests())
    for (const requests of arrived)
      expect(requests).toContainEqual(expect.objectContaining({method: 'GET', status: 200}))
  })

  it("uses the user's docker login for the images, which the daemon fetches without the proxy", () => {
    const golang = network.registry.requests().filter(({path}) => path.startsWith('/v2/library/golang/'))
    expect(golang.map(({status}) => status)).toEqual(expect.arrayContaining([200]))
    expect(network.proxy.requests().filter(({target}) => /\/v2\/library\/.*\/blobs\//.test(target))).toEqual([])
  })

  it('shows the password in no log, output, summary and annotation', () => {
    expect(shownWith([...proxyForms, ...registryForms], proxied)).toEqual([])
    expect(shownWith(['binary-daemon'], proxied)).not.toEqual([])
    expect([...proxied.masks]).toEqual(expect.arrayContaining([encodedPassword, proxyLogin.password]))
  })

  it(
    'leaves it in no file of the runner, artifact, cache, image or record of the engine',
    async () => {
      const {bundles = '', plan = ''} = proxied.main.outputs
      expect(await unpackAll(bundles, join(root, 'unpacked-output'))).toBe(4)
      const stored = {wanted: /\/content$/, levels: cacheLevels}
      expect(await unpackAll(service.directory, join(root, 'unpacked-service'), stored)).toBeGreaterThan(20)
      const engineDirectory = dirname(new URL(network.engine.host).pathname)
      const everywhere = [root, service.directory, engineDirectory]
      expect(await filesWith(proxyForms, [...everywhere, network.environment.DOCKER_CONFIG])).toEqual([])
      expect(await filesWith(registryForms, everywhere)).toEqual([])
      // The same search does find things: the login where it belongs, a word of the plan, and an argument that is in
      // BuildKit's record of the builds.
      const configuration = join(network.environment.DOCKER_CONFIG, 'config.json')
      expect(await filesWith(registryForms, [network.environment.DOCKER_CONFIG])).toEqual([configuration])
      expect(await filesWith(['build-moby-proxy-http'], [plan])).toEqual([plan])
      expect(
        (await filesWith(['build-arg:NO_PROXY'], [join(engineDirectory, 'data/buildkit')])).length
      ).toBeGreaterThan(0)
    },
    2 * minutes
  )
})
