import {describe, expect, it} from '@jest/globals'
import type {Route, RoutedEndpoint} from '../../../src/network/endpoint.js'
import {compareHosts} from '../../support/asked-hosts.js'

const endpoints: readonly RoutedEndpoint[] = [
  endpoint('image', 'docker.io/library/busybox:latest', ['registry-1.docker.io', 'auth.docker.io']),
  endpoint('git', 'https://github.com/moby/moby.git', ['github.com']),
  endpoint('apt', 'http://*/debian', []),
  endpoint('apt', 'http://*/debian-security/', []),
  endpoint('http', 'https://nowhere.example/file', ['nowhere.example'], {via: 'refused'}),
  endpoint('go', 'https://proxy.golang.org/x', ['proxy.golang.org'], {
    via: 'mirror',
    target: 'http://mirror.example:8080/x'
  }),
  endpoint('image', 'docker.io/library/golang:1', ['registry-1.docker.io'], {
    via: 'mirror',
    target: 'images.example/hub/library/golang:1'
  })
]

const targets = [
  'registry-1.docker.io:443',
  'https://registry-1.docker.io/v2/',
  'auth.docker.io:443',
  'https://github.com/moby/moby.git/info/refs',
  'http://archive.example/debian/dists/x/InRelease',
  'http://archive.example/debian-security/dists/x/InRelease',
  'http://mirror.example:8080/x/@v/list',
  'images.example:443'
]

describe('the comparison of a plan with what was asked', () => {
  it('finds nothing when they agree', () => {
    expect(compareHosts(endpoints, targets)).toEqual({missing: [], invented: []})
  })

  it('names hosts that were asked and are not in the plan', () => {
    const others = ['github.com:80', 'http://archive.example/ubuntu/dists/x', 'https://sum.golang.org/latest']
    const missing = ['archive.example', 'github.com:80', 'sum.golang.org']
    expect(compareHosts(endpoints, [...targets, ...others])).toEqual({missing, invented: []})
  })

  it.each([
    ['a host', 'auth.docker.io:443', 'auth.docker.io'],
    ['the host of a mirror', 'http://mirror.example:8080/x/@v/list', 'mirror.example:8080'],
    ['the host of an image on a mirror', 'images.example:443', 'images.example'],
    ['a path', 'http://archive.example/debian-security/dists/x/InRelease', '/debian-security']
  ])('names %s that nobody asked', (_, target, invented) => {
    const others = targets.filter(each => each !== target)
    expect(compareHosts(endpoints, others)).toEqual({missing: [], invented: [invented]})
  })
})

function endpoint(
  kind: RoutedEndpoint['kind'],
  what: string,
  hosts: readonly string[],
  route: Partial<Route> = {}
): RoutedEndpoint {
  return {kind, what, hosts, fetcher: 'build step', route: {via: 'proxy', target: what, inputs: [], ...route}}
}
