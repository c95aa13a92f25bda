import {describe, expect, it} from '@jest/globals'
import {clientRoutes, dockerEnvironment} from '../../../src/engine/environment.js'

describe('dockerEnvironment', () => {
  it('keeps what docker needs, and nothing that a bake file could take for its variable', () => {
    const environment = {PATH: '/bin', DOCKER_HOST: 'unix:///x', VERSION: '1', GITHUB_REF: 'x', https_proxy: 'http://p'}
    expect(dockerEnvironment(environment)).toEqual({PATH: '/bin', DOCKER_HOST: 'unix:///x'})
  })
})

describe('clientRoutes', () => {
  const proxies = {https: 'http://user:secret@proxy.example:3128', none: '.internal.example'}

  it.each(['docker', 'docker-container'])('give buildx the proxies and the certificates with the driver %s', driver => {
    expect(clientRoutes(driver, {}, proxies, '/run/all.pem')).toEqual({
      https_proxy: proxies.https,
      HTTPS_PROXY: proxies.https,
      no_proxy: '.internal.example',
      NO_PROXY: '.internal.example',
      SSL_CERT_FILE: '/run/all.pem'
    })
  })

  it.each([
    ['tcp://docker:2376', '.internal.example,docker'],
    ['tcp://[fd00::1]:2376', '.internal.example,fd00::1'],
    ['unix:///var/run/docker.sock', '.internal.example']
  ])('never lead to the daemon %s through a proxy', (host, none) => {
    expect(clientRoutes('docker', {DOCKER_HOST: host}, proxies, undefined).no_proxy).toBe(none)
  })

  it.each(['remote', 'kubernetes'])('are none with the driver %s, which would be dialled through the proxy', driver => {
    expect(clientRoutes(driver, {}, proxies, '/run/all.pem')).toEqual({})
  })
})
