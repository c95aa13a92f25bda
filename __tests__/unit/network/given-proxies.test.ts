import {describe, expect, it} from '@jest/globals'
import type {ProxySettings} from '../../../src/network/proxy.js'
import {givenProxies} from '../../../src/network/step-proxies.js'
import {networkWith} from '../../support/network.js'

describe('givenProxies', () => {
  it.each<[ProxySettings, ProxySettings, ProxySettings]>([
    [{http: 'http://ours'}, {https: 'http://client', none: 'x'}, {http: 'http://ours'}],
    [{https: 'http://ours', none: 'y'}, {https: 'http://client'}, {https: 'http://ours', none: 'y'}],
    [{}, {https: 'http://client', none: 'x'}, {https: 'http://client', none: 'x'}],
    [{none: 'y'}, {http: 'http://client', none: 'x'}, {http: 'http://client', none: 'y'}],
    [{none: 'y'}, {}, {none: 'y'}],
    [{}, {}, {}]
  ])('makes %j of the inputs or the runner and %j of the docker client %j', (ours, client, result) => {
    expect(givenProxies(networkWith({proxies: ours, clientProxies: client}))).toEqual(result)
  })
})
