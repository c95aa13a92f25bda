import {describe, expect, it} from '@jest/globals'
import {surveyClientProxies} from '../../../src/engine/client-proxies.js'
import type {ProxySettings} from '../../../src/network/proxy.js'
import {memoryCommands, memoryFiles} from '../../support/memory.js'

const file = '/home/me/.docker/config.json'
const current = 'unix:///run/docker.sock'

const survey = (files: Readonly<Record<string, string>>, environment: Readonly<Record<string, string>> = {}) =>
  surveyClientProxies(
    {
      commands: memoryCommands(command =>
        command === 'docker context inspect --format {{.Endpoints.docker.Host}}' ? {stdout: `${current}\n`} : undefined
      ),
      files: memoryFiles(files)
    },
    {HOME: '/home/me', ...environment}
  )

describe('surveyClientProxies', () => {
  it.each<[string, string, ProxySettings]>([
    [
      'the default ones',
      '{"proxies": {"default": {"httpProxy": "http://a:1", "httpsProxy": "http://me:pw@b:2", "noProxy": "localhost,.x"}}}',
      {http: 'http://a:1', https: 'http://me:pw@b:2', none: 'localhost,.x'}
    ],
    ['a proxy without a scheme', '{"proxies": {"default": {"httpProxy": "a:1"}}}', {http: 'http://a:1'}],
    [
      'those of the daemon in use alone, whatever the default ones are',
      `{"proxies": {"default": {"httpProxy": "http://a:1"}, "${current}": {"httpsProxy": "http://b:2"}}}`,
      {https: 'http://b:2'}
    ],
    [
      'the default ones when others are for another daemon',
      '{"proxies": {"default": {"httpProxy": "http://a:1"}, "tcp://far:2375": {"httpsProxy": "http://b:2"}}}',
      {http: 'http://a:1'}
    ],
    ['none of another daemon', '{"proxies": {"tcp://far:2375": {"httpsProxy": "http://b:2"}}}', {}],
    ['none when they are empty', '{"proxies": {"default": {"httpProxy": "", "noProxy": " "}}}', {}],
    ['none when they are no texts', '{"proxies": {"default": {"httpProxy": 1, "httpsProxy": null}}}', {}],
    ['none when there are none', '{"auths": {}}', {}],
    ['none when it is no JSON', '{broken', {}],
    ['none when it is no object', '["proxies"]', {}]
  ])('finds %s', async (_what, configuration, proxies) => {
    expect(await survey({[file]: configuration})).toEqual(proxies)
  })

  it('finds none without a configuration', async () => {
    expect(await survey({})).toEqual({})
  })

  it('reads the configuration that DOCKER_CONFIG names', async () => {
    const configuration = (host: string) => `{"proxies": {"default": {"httpProxy": "http://${host}"}}}`
    const files = {[file]: configuration('home'), '/etc/docker-me/config.json': configuration('named')}
    expect(await survey(files, {DOCKER_CONFIG: '/etc/docker-me'})).toEqual({http: 'http://named'})
  })
})
