import {setTimeout as delay} from 'node:timers/promises'
import {httpProber} from '../../src/adapters/http-prober.js'
import type {EndpointKind, Route, RoutedEndpoint} from '../../src/network/endpoint.js'
import type {Network} from '../../src/network/network.js'
import {preflight, type PreflightLimits, type PreflightResult} from '../../src/network/preflight.js'
import {networkWith} from './network.js'

/** An endpoint that a build step asks directly, at `target`, but for `route` and `overrides`. */
export function endpointAt(
  kind: EndpointKind,
  target: string,
  route: Partial<Route> = {},
  overrides: Partial<RoutedEndpoint> = {}
): RoutedEndpoint {
  return {
    kind,
    what: target,
    hosts: [],
    fetcher: 'build step',
    ...overrides,
    route: {via: 'direct', target, inputs: [], ...route}
  }
}

/** Probes endpoints with the adapters of the program, in a network that is empty but for `network`. */
export async function preflightOf(
  endpoints: readonly RoutedEndpoint[],
  network: Partial<Network> = {},
  limits: PreflightLimits = {seconds: 5, parallel: 16}
): Promise<PreflightResult[]> {
  const ports = {
    prober: httpProber(),
    clock: () => performance.now(),
    pause: async (milliseconds: number) => {
      await delay(milliseconds)
    }
  }
  return await preflight(endpoints, networkWith(network), ports, limits)
}
