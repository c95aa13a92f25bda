import type {Network} from '../../src/network/network.js'

/** A network without mirrors, proxies and permissions, but for `overrides`. */
export function networkWith(overrides: Partial<Network> = {}): Network {
  return {
    registryMirrors: [],
    gitMirrors: [],
    downloadMirrors: [],
    proxies: {},
    direct: {registries: [], git: [], downloads: [], apt: false, apk: false},
    strict: false,
    ...overrides
  }
}
