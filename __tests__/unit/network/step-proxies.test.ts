import {describe, expect, it} from '@jest/globals'
import type {Network} from '../../../src/network/network.js'
import type {ProxySettings} from '../../../src/network/proxy.js'
import {stepProxies, wall} from '../../../src/network/step-proxies.js'
import {networkWith} from '../../support/network.js'

const mirrors: Partial<Network> = {
  aptMirror: 'http://apt.example:8080/all',
  apkMirror: 'http://apk.example',
  gitMirrors: [{from: 'https://github.com/', to: 'https://git.example:8443/'}],
  downloadMirrors: [{from: 'https://up.example/', to: 'https://apt.example/up/'}],
  goProxy: 'https://go1.example,https://go2.example/cache|direct',
  goSumdb: 'sum.example+1234 https://sum.example:9',
  pipIndex: 'https://10.0.0.1:8080/simple',
  gemSource: 'https://[fd00::1]:3000/'
}
const mirrorHosts = 'apt.example,apk.example,git.example,go1.example,go2.example,sum.example,10.0.0.1,fd00::1'

describe('stepProxies', () => {
  it.each<[string, Partial<Network>, ProxySettings]>([
    ['nothing where the user has none', {}, {}],
    ['what the user has', {proxies: {https: 'http://p:1', none: 'x'}}, {https: 'http://p:1', none: 'x'}],
    ['walls under strict', {strict: true}, {http: wall, https: wall, none: 'direct.example'}],
    [
      'walls with doors to every mirror, without ports and brackets',
      {strict: true, ...mirrors},
      {http: wall, https: wall, none: `direct.example,${mirrorHosts}`}
    ],
    [
      'walls alone where all the user names are exceptions',
      {strict: true, proxies: {none: '*'}},
      {http: wall, https: wall, none: 'direct.example'}
    ],
    [
      'no wall where the user has proxies for everything',
      {strict: true, ...mirrors, proxies: {http: 'http://p:1', https: 'http://p:2', none: 'x'}},
      {http: 'http://p:1', https: 'http://p:2', none: 'x'}
    ],
    [
      'a wall for the other scheme, and no doors to mirrors behind the proxy',
      {strict: true, ...mirrors, proxies: {https: 'http://p:2', none: '.in.example, go2.example'}},
      {http: wall, https: 'http://p:2', none: '.in.example,go2.example,direct.example,apt.example,apk.example'}
    ],
    [
      "a door to Alpine's packages where that is permitted",
      {strict: true, direct: {...networkWith().direct, apk: true}},
      {http: wall, https: wall, none: 'direct.example,dl-cdn.alpinelinux.org'}
    ]
  ])('are %s', (_what, network, expected) => {
    expect(stepProxies(networkWith(network), ['direct.example', '*', 'direct.example'])).toEqual(expected)
  })

  it('has no exceptions when nothing may pass', () => {
    expect(stepProxies(networkWith({strict: true}), [])).toEqual({http: wall, https: wall})
  })
})
