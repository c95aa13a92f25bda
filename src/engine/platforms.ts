import {problemsError} from '../errors.js'

// Systems that moby, docker/cli (their docker-bake.hcl) or ports of them build for, and the architectures that BuildKit knows
// (containerd/platforms).
const systems = ['linux', 'windows', 'darwin', 'freebsd']
const architectures = ['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips64le', 'ppc64le', 'riscv64', 's390x']

/** @throws ConfigurationError that names every platform with a word that stands for no system or architecture. */
export function checkPlatforms(platforms: readonly string[]): void {
  const problems = platforms.flatMap(platform => {
    const [system = '', architecture = ''] = platform.split('/')
    return [
      ...(systems.includes(system) ? [] : [`${platform}: ${system} is none of the systems ${systems.join(', ')}`]),
      ...(architectures.includes(architecture)
        ? []
        : [`${platform}: ${architecture} is none of the architectures ${architectures.join(', ')}`])
    ]
  })
  if (problems.length > 0) throw problemsError("'platforms' names what nothing here builds for", problems)
}
