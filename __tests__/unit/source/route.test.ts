import {describe, expect, it} from '@jest/globals'
import {describeRoute, routesTo} from '../../../src/source/route.js'

const url = 'https://github.com/moby/moby.git'

const settings = {mirrors: [], direct: [], strict: false, proxies: {}}
const mirror = {from: 'https://github.com/', to: 'https://mirror.example/'}

describe('routesTo', () => {
  it('is direct without a rule that matches', () => {
    expect(
      routesTo(url, {...settings, mirrors: [{from: 'https://gitlab.com/', to: 'https://mirror.example/'}]})
    ).toEqual([{url, target: url}])
  })

  it('offers the mirrors of the longest matching prefix in the order given, and no direct way', () => {
    const mirrors = [
      {from: 'https://github.com/', to: 'https://short.example/'},
      {from: 'https://github.com/moby/', to: 'https://first.example/'},
      {from: 'https://github.com/moby/', to: 'https://second.example/'}
    ]
    expect(routesTo(url, {...settings, mirrors}).map(({target}) => target)).toEqual([
      'https://first.example/moby.git',
      'https://second.example/moby.git'
    ])
  })

  it('offers the direct way last, where it is permitted', () => {
    const permitted = {...settings, mirrors: [mirror], direct: ['https://github.com/moby/']}
    expect(routesTo(url, permitted).map(({target}) => target)).toEqual(['https://mirror.example/moby/moby.git', url])
  })

  it.each([
    ['a mirror', {mirrors: [mirror]}],
    ['a proxy', {proxies: {https: 'http://proxy.example:3128'}}],
    ['permission', {direct: ['https://github.com/']}]
  ])('is strict about what has no route, but content with %s', (_what, given) => {
    expect(() => routesTo(url, {...settings, strict: true})).toThrow(
      `'strict' refuses to fetch ${url} directly: name a mirror in 'git-mirrors'`
    )
    expect(routesTo(url, {...settings, ...given, strict: true})).toHaveLength(1)
  })

  it('is not strict about a repository of this machine', () => {
    expect(routesTo('/srv/moby', {...settings, strict: true})).toHaveLength(1)
  })
})

describe('describeRoute', () => {
  const rule = {from: 'https://github.com/', to: 'https://mirror.example/'}
  const mirrored = {url, target: 'https://mirror.example/moby/moby.git', rule}
  const proxies = {https: 'http://user:hunter2@proxy.example:3128'}

  it.each([
    ['a direct route', {url, target: url}, {}, /^direct.*'git-mirrors'.*'https-proxy'/],
    ['a proxy', {url, target: url}, proxies, /proxy\.example:3128.*'https-proxy'.*'no-proxy'/],
    ['a mirror', mirrored, {}, /mirror https:\/\/mirror\.example\/.*'git-mirrors'.*'https-proxy'/],
    ['a mirror behind a proxy', mirrored, proxies, /mirror\.example.*'git-mirrors'.*proxy\.example/],
    ['plain HTTP', {url, target: 'http://git.example/a'}, {}, /'http-proxy'/],
    ['a path', {url: '/srv/moby', target: '/srv/moby'}, proxies, /on this machine/]
  ])('says what changes %s', (_, route, settings, expected) => {
    expect(describeRoute(route, settings)).toMatch(expected)
  })

  it('never shows the password of a proxy', () => {
    expect(describeRoute(mirrored, proxies)).not.toContain('hunter2')
  })
})
