import type {EngineFacts} from '../../src/engine/survey-engine.js'

type Overrides<T> = {[Key in keyof T]?: Partial<T[Key]>}

/** A recent Docker Engine with the containerd image store, so that its own builder can do everything. */
export function engineWith({builder, server, buildx, clientProxies = {}}: Overrides<EngineFacts> = {}): EngineFacts {
  return {
    buildx: [buildx?.[0] ?? 0, buildx?.[1] ?? 29, buildx?.[2] ?? 1],
    server: {
      version: '28.5.2',
      containerdImageStore: true,
      insecureRegistries: ['127.0.0.0/8'],
      registryMirrors: [],
      proxies: {},
      platform: 'linux/amd64',
      ...server
    },
    builder: {
      name: 'default',
      driver: 'docker',
      buildkit: [0, 25, 1],
      platforms: ['linux/amd64'],
      exportsCaches: true,
      ...builder
    },
    clientProxies
  }
}
