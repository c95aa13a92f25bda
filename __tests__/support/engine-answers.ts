/** What docker and buildx really print, shortened: Docker Engine 28.5.2 of Debian with buildx 0.29.1. */
export const dockerVersion = 'Docker version 28.5.2+dfsg4, build 9cc6dea35e9a963f281434761c656fba4ac43aed\n'
export const buildxVersion = 'github.com/docker/buildx 0.29.1+ds1 0.29.1+ds1-4\n'

const info = {
  ID: '96c85936-4c4d-4bbe-a630-b6cb8bf8af55',
  Driver: 'overlayfs',
  DriverStatus: [['driver-type', 'io.containerd.snapshotter.v1']],
  OSType: 'linux',
  Architecture: 'x86_64',
  RegistryConfig: {
    IndexConfigs: {'docker.io': {Mirrors: [], Name: 'docker.io', Official: true, Secure: true}},
    InsecureRegistryCIDRs: ['10.0.0.0/24', '127.0.0.0/8', '::1/128'],
    Mirrors: null
  },
  HttpProxy: '',
  HttpsProxy: '',
  NoProxy: '',
  ServerVersion: '28.5.2+dfsg4'
}

/** `docker info --format '{{json .}}'` */
export function dockerInfo(overrides: Readonly<Record<string, unknown>> = {}): string {
  return `${JSON.stringify({...info, ...overrides})}\n`
}

/** The same without a daemon; docker then exits with 1. */
export const noDaemonInfo = `${JSON.stringify({
  ID: '',
  Driver: '',
  DriverStatus: null,
  OSType: '',
  Architecture: '',
  RegistryConfig: null,
  HttpProxy: '',
  HttpsProxy: '',
  ServerVersion: '',
  ClientInfo: {Version: '28.5.2+dfsg4', Context: 'default'}
})}\n`

export const noDaemon =
  'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?'

/** `docker buildx inspect` of the builder that is the daemon itself. */
export const daemonBuilder = `Name:          default
Driver:        docker
Last Activity: 2026-11-21 09:18:37 +0000 UTC

Nodes:
Name:             default
Endpoint:         default
Status:           running
BuildKit version: v0.0.0+unknown
Platforms:        linux/amd64, linux/amd64/v2, linux/amd64/v3, linux/amd64/v4
Labels:
 org.mobyproject.buildkit.worker.executor:             containerd
 org.mobyproject.buildkit.worker.snapshotter:          overlayfs
GC Policy rule#0:
 All:            false
 Filters:        type==source.local,type==exec.cachemount,type==source.git.checkout
`

/** The same without a daemon; buildx exits with 0. */
export const daemonlessBuilder = `Name:          default
Driver:        
Last Activity: 2026-11-21 09:18:37 +0000 UTC
Error:         ${noDaemon}
`

export const containerBuilder = `Name:          made
Driver:        docker-container
Last Activity: 2026-11-21 09:45:53 +0000 UTC

Nodes:
Name:                  made0
Endpoint:              unix:///var/run/docker.sock
Status:                running
BuildKit daemon flags: --allow-insecure-entitlement=network.host
BuildKit version:      v0.32.2
Platforms:             linux/amd64, linux/amd64/v2, linux/amd64/v3, linux/amd64/v4, linux/386
Labels:
 org.mobyproject.buildkit.worker.executor:         oci
`

export const stoppedBuilder = `Name:          made
Driver:        docker-container
Last Activity: 2026-11-21 09:45:53 +0000 UTC

Nodes:
Name:                  made0
Endpoint:              unix:///var/run/docker.sock
Status:                inactive
BuildKit daemon flags: --allow-insecure-entitlement=network.host
`

export const remoteBuilder = `Name:          far
Driver:        remote
Last Activity: 2026-11-21 09:45:52 +0000 UTC

Nodes:
Name:     far0
Endpoint: tcp://builder.example:1234
Status:   running
BuildKit version: v0.25.1
Platforms: linux/arm64*, linux/amd64
`
