import {describe, expect, it} from '@jest/globals'
import {secretsOf} from '../../src/inputs.js'

const secrets = (raw: Record<string, string>, environment: Record<string, string> = {}) => secretsOf(raw, {environment})

describe('secretsOf', () => {
  it('is empty when nothing is secret', () => {
    const raw = {
      repository: 'git@github.com:moby/moby.git',
      'client-repository': 'ssh://builder@git.example/cli',
      'buildkit-image': 'moby/buildkit:v0.25.0@sha256:0123456789abcdef',
      'build-args': 'GOLANG_IMAGE=golang:1.24@sha256:0123456789abcdef\nMAIL=me@example.com',
      'packager-name': 'Acme <builds@acme.example>',
      'git-mirrors': 'https://github.com/=https://mirror.example/@v/',
      'http-proxy': 'http://proxy.example:3128'
    }
    expect(secrets(raw, {HTTPS_PROXY: 'proxy.example:3128', no_proxy: 'a,b'})).toEqual([])
  })

  it.each([
    ['the token', {token: ' ghs_secret '}, ['ghs_secret']],
    ['a password in a repository', {repository: 'https://me:pass@git.example/moby'}, ['pass']],
    ['a token in place of a user', {repository: 'https://ghp_1@github.com/moby/moby'}, ['ghp_1']],
    ['a token with a password that is none', {repository: 'https://ghp_1:x-oauth-basic@github.com/a/b'}, ['ghp_1']],
    ['a token with an empty password', {repository: 'https://ghp_1:@github.com/a/b'}, ['ghp_1']],
    ['a password over SSH', {repository: 'ssh://me:pass@git.example/moby'}, ['pass']],
    ['a password in a proxy', {'http-proxy': 'http://me:pass@proxy.example:3128'}, ['pass']],
    ['a password in a proxy without a scheme', {'https-proxy': 'me:pass@proxy.example:3128'}, ['pass']],
    ['a token in a proxy without a scheme', {'https-proxy': 'pass@proxy.example:3128'}, ['pass']],
    ['a password with an @', {'http-proxy': 'http://me:p@ss@proxy.example'}, ['p@ss']],
    ['a password that no URL can hold', {'http-proxy': 'http://me:12/s ecret@proxy.example'}, ['12/s ecret']],
    ['a password with a comma, = and |', {'http-proxy': 'http://me:p,a=s|s@proxy.example'}, ['p,a=s|s']],
    ['an escaped password as it is', {'http-proxy': 'http://me:p%40ss@proxy.example'}, ['p%40ss']],
    ['passwords in a list', {'go-proxy': 'https://a:one@x.example,https://b:two@y.example'}, ['one', 'two']],
    ['a password in a line', {'git-mirrors': 'https://github.com/=https://a:one@x.example/'}, ['one']],
    ['a password in a build argument', {'build-args': 'A=1\nURL=https://a:one@x.example/'}, ['one']]
  ])('finds %s', (_what, raw, expected) => {
    expect(secrets(raw)).toEqual(expected)
  })

  it('finds those of every proxy in the environment, also of one that another outranks', () => {
    const environment = {
      http_proxy: 'http://a:one@proxy',
      HTTP_PROXY: 'b:two@proxy:1',
      HTTPS_PROXY: 'three@proxy:1',
      all_proxy: 'socks5://c:four@proxy',
      NO_PROXY: 'localhost'
    }
    expect(secrets({}, environment)).toEqual(['one', 'two', 'three', 'four'])
  })

  it('names each once', () => {
    expect(secrets({token: 'pass', 'http-proxy': 'http://a:pass@proxy'}, {https_proxy: 'http://a:pass@proxy'})).toEqual(
      ['pass']
    )
  })
})
