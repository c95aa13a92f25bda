import {describe, expect, it} from '@jest/globals'
import {configureDockerProxies, withProxies} from '../../../src/build/docker-configuration.js'
import {proxySecretEnvironment} from '../../../src/recipes/step-options.js'
import {memoryFiles} from '../../support/memory.js'

const proxies = {http: 'http://me:pass@proxy:1', https: 'http://me:pass@proxy:2', none: 'localhost'}
const settings = {httpProxy: proxies.http, httpsProxy: proxies.https, noProxy: 'localhost'}

describe('withProxies', () => {
  it.each([
    ['{}', {}],
    ['{"auths": {"r": {"auth": "x"}}, "credsStore": "pass"}', {auths: {r: {auth: 'x'}}, credsStore: 'pass'}],
    ['{"proxies": {"tcp://x": {"httpProxy": "http://old"}}}', {}],
    ['', {}],
    ['{broken', {}],
    ['null', {}],
    ['["a"]', {}],
    ['"a"', {}]
  ])('puts the proxies into %s and keeps the rest', (configuration, rest) => {
    expect(JSON.parse(withProxies(configuration, proxies))).toEqual({...rest, proxies: {default: settings}})
  })

  it('leaves out what there is none of', () => {
    expect(JSON.parse(withProxies('{}', {https: 'http://p'}))).toEqual({proxies: {default: {httpsProxy: 'http://p'}}})
  })
})

describe('configureDockerProxies', () => {
  it('leaves docker alone when there is no proxy', async () => {
    const files = memoryFiles()
    expect(await configureDockerProxies({none: 'localhost'}, false, '/run/docker', {HOME: '/home/me'}, files)).toEqual(
      {}
    )
    expect(files.texts.size).toBe(0)
  })

  it('gives docker a configuration of its own, which nobody else can read', async () => {
    const files = memoryFiles({'/home/me/.docker/config.json': '{"auths": {}}'})
    const variables = await configureDockerProxies(proxies, false, '/run/docker', {HOME: '/home/me'}, files)
    expect(variables).toEqual({DOCKER_CONFIG: '/run/docker', BUILDX_CONFIG: '/home/me/.docker/buildx'})
    expect(JSON.parse(files.texts.get('/run/docker/config.json') ?? '')).toEqual({
      auths: {},
      proxies: {default: settings}
    })
    expect(files.modes.get('/run/docker/config.json')).toBe(0o600)
  })

  it('leaves the user’s own as it is, and lends plugins and contexts from it', async () => {
    const users = {
      '/etc/docker-me/config.json': '{}',
      '/etc/docker-me/cli-plugins/docker-buildx': '',
      '/etc/docker-me/contexts/meta/x': ''
    }
    const files = memoryFiles(users)
    const environment = {HOME: '/home/me', DOCKER_CONFIG: '/etc/docker-me', BUILDX_CONFIG: '/etc/buildx'}
    const variables = await configureDockerProxies(proxies, false, '/run/docker', environment, files)
    expect(variables).toEqual({DOCKER_CONFIG: '/run/docker', BUILDX_CONFIG: '/etc/buildx'})
    expect(Object.fromEntries(files.links)).toEqual({
      '/run/docker/cli-plugins': '/etc/docker-me/cli-plugins',
      '/run/docker/contexts': '/etc/docker-me/contexts'
    })
    for (const [path, text] of Object.entries(users)) expect(files.texts.get(path)).toBe(text)
  })

  it('keeps proxies that are secrets out of the configuration, and in variables for the docker client alone', async () => {
    const files = memoryFiles()
    const variables = await configureDockerProxies(proxies, true, '/run/docker', {HOME: '/home/me'}, files)
    expect(JSON.parse(files.texts.get('/run/docker/config.json') ?? '')).toEqual({
      proxies: {default: {noProxy: 'localhost'}}
    })
    expect(variables).toEqual({
      DOCKER_CONFIG: '/run/docker',
      BUILDX_CONFIG: '/home/me/.docker/buildx',
      ...proxySecretEnvironment(proxies)
    })
    expect(Object.values(variables)).toEqual(expect.arrayContaining([proxies.http, proxies.https]))
  })
})
