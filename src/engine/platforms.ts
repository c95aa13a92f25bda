import type {EngineFacts} from './survey-engine.js'

// Systems that moby, docker/cli (their docker-bake.hcl) or ports of them build for, and the architectures that BuildKit knows
// (containerd/platforms).
const systems = ['linux', 'windows', 'darwin', 'freebsd']
const architectures = ['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips64le', 'ppc64le', 'riscv64', 's390x']

/** What a platform must be that is none, such as `linux` or `solaris/foo`; undefined for one that is. */
export function platformRule(platform: string): string | undefined {
  if (!/^[a-z0-9]+\/[a-z0-9_]+(\/v[0-9]+)?$/.test(platform)) {
    return 'must list platforms such as linux/amd64 or linux/arm/v7'
  }
  const [system = '', architecture = ''] = platform.split('/')
  if (systems.includes(system) && architectures.includes(architecture)) return undefined
  return `must list platforms of the systems ${systems.join(', ')} and the architectures ${architectures.join(', ')}`
}

/** The platform that the engine's builder runs on. */
export function nativePlatform({builder, server}: EngineFacts): string {
  return builder.platforms[0] ?? server?.platform ?? 'linux/amd64'
}
