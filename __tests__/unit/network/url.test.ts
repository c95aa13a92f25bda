import {describe, expect, it} from '@jest/globals'
import {isHttpUrl, redactText, redactUrl, secretsIn} from '../../../src/network/url.js'

describe('redactUrl', () => {
  it.each([
    ['https://me:pass@host/path@v1', 'https://host/path@v1'],
    ['https://token@host', 'https://host'],
    ['http://me:p@ss@host:3128', 'http://host:3128'],
    ['me:pass@host:3128', 'host:3128'],
    ['ssh://git@host/a', 'ssh://host/a'],
    ['https://host/a@b', 'https://host/a@b'],
    ['moby/moby', 'moby/moby'],
    ['/srv/a@b', '/srv/a@b']
  ])('shows %s as %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown)
  })
})

describe('redactText', () => {
  it.each([
    ['a=https://me:pass@host/ b=https://you:word@there/', 'a=https://***@host/ b=https://***@there/'],
    ['me:pa/ss=w@rd@host', '***@host'],
    ['https://github.com/=https://me:pass@host/', 'https://github.com/=https://***@host/'],
    ['nothing secret', 'nothing secret']
  ])('shows %s as %s', (text, shown) => {
    expect(redactText(text)).toBe(shown)
  })
})

describe('secretsIn', () => {
  it.each([
    ['', []],
    ['https://host/a@b', []],
    ['git@github.com:moby/moby.git', []],
    ['https://git@github.com/moby/moby', []],
    ['ssh://me@host/a', []],
    ['golang:1.24@sha256:00ff', []],
    ['https://me:pass@host', ['pass']],
    ['https://:pass@host', ['pass']],
    ['https://me:a:b@host', ['a:b']],
    ['me:pass@host:3128', ['pass']],
    ['one http://a:x1@h two http://b:x2@h', ['x1', 'x2']],
    ['https://github.com/=https://a:x1@h/', ['x1']]
  ])('of %j are %j', (text, secrets) => {
    expect(secretsIn(text)).toEqual(secrets)
  })
})

describe('isHttpUrl', () => {
  it.each([
    ['http://host', true],
    ['HTTPS://host:1/a?b', true],
    ['http://', false],
    ['http:///path', false],
    ['http://ho st', false],
    ['http://host:port', false],
    ['ftp://host', false],
    ['host', false]
  ])('%s: %s', (text, is) => {
    expect(isHttpUrl(text)).toBe(is)
  })
})
