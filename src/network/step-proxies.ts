import type {Network} from './network.js'
import {proxyFor, proxySettings, type ProxySettings} from './proxy.js'

/** A proxy that nobody answers for: in the network namespace of a build step nothing listens on the discard port. */
export const wall = 'http://127.0.0.1:9'

/**
 * The proxies that build steps get: the user's, and under `strict` the wall for each scheme without one, so that what has
 * no route of ours ends there. `stepHosts` are the names and addresses that steps reach without a proxy; together with
 * those of all mirrors they are left out of it.
 *
 * The entries are plain names and addresses, joined by commas alone: apt compares ends of names and knows neither ports
 * nor networks (apt, strutl.cc, `CheckDomainList`), curl, Go, pip, RubyGems and apk take a plain name for itself and what is
 * below it. busybox's wget knows no exceptions at all.
 */
export function stepProxies(network: Network, stepHosts: readonly string[]): ProxySettings {
  const {strict} = network
  const proxies = givenProxies(network)
  if (!strict || (proxies.http !== undefined && proxies.https !== undefined)) return proxies
  // Without any proxy of the user's, exceptions from proxies have permitted nothing.
  const users = proxies.http === undefined && proxies.https === undefined ? [] : entriesOf(proxies.none)
  const hosts = [...stepHosts, ...mirrorHosts(network)].filter(host => host !== '' && !host.includes('*'))
  const none = [...new Set([...users, ...hosts.map(host => host.replace(/^\[|\]$/g, ''))])].join(',')
  return proxySettings(proxies.http ?? wall, proxies.https ?? wall, none === '' ? undefined : none)
}

/**
 * The proxies that the user has given to build steps: those of the inputs or the runner where they name any, else those of
 * the docker client's configuration.
 */
export function givenProxies({proxies, clientProxies = {}}: Pick<Network, 'proxies' | 'clientProxies'>): ProxySettings {
  if (proxies.http !== undefined || proxies.https !== undefined) return proxies
  return proxySettings(clientProxies.http, clientProxies.https, proxies.none ?? clientProxies.none)
}

function entriesOf(none = ''): string[] {
  return (
    none
      .split(',')
      .map(entry => entry.trim())
      // A star would open the wall as well.
      .filter(entry => entry !== '' && entry !== '*')
  )
}

/** The hosts of the mirrors for build steps that are reached without a proxy, in the order of the inputs. */
function mirrorHosts(network: Network): string[] {
  const urls = [
    ...(network.direct.apk ? [alpinePackages] : []),
    network.aptMirror,
    network.apkMirror,
    ...[...network.gitMirrors, ...network.downloadMirrors].map(({to}) => to),
    ...(network.goProxy ?? '').split(/[,|]/),
    ...(network.goSumdb ?? '').split(' '),
    network.pipIndex,
    network.gemSource
  ].filter(url => url !== undefined && /^https?:\/\//.test(url) && proxyFor(url, givenProxies(network)) === undefined)
  return urls.map(url => new URL(url ?? '').hostname)
}

/** Where the repositories of Alpine's own images are (github.com/alpinelinux/docker-alpine). */
const alpinePackages = 'https://dl-cdn.alpinelinux.org/alpine/'
