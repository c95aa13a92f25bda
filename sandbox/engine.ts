import {mkdir, mkdtemp, symlink, writeFile} from 'node:fs/promises'
import {request as httpRequest} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {removeDirectory, removeLeftovers} from './engine-leftovers.js'
import {
  createEngineNetwork,
  type EngineNetwork,
  killContained,
  namespaceFile,
  removeEngineNetwork
} from './engine-network.js'
import {startProgram} from './program.js'
import {unpackedPackages} from './unpacked-packages.js'

export {engineObstacle} from './engine-obstacle.js'

/** A Docker Engine of its own, with client and buildx, that is thrown away after use. */
export interface Engine {
  /** Where it listens: `unix://` and a path. */
  readonly host: string
  /** What a docker client must add to its environment to talk to it. */
  readonly environment: {readonly DOCKER_HOST: string; readonly DOCKER_CONFIG: string; readonly PATH: string}
  /** IPv4 address of this machine, the only one that the engine and its containers reach. */
  readonly hostAddress: string
  /** Name of the engine's network namespace. */
  readonly namespace: string
  /** Ends the engine and everything that runs in it, and removes whatever it has stored. */
  stop(): Promise<void>
}

/** As docs.docker.com/engine/daemon/proxy has them. */
export interface DaemonProxies {
  readonly 'http-proxy': string
  readonly 'https-proxy': string
  readonly 'no-proxy'?: string
}

export interface EngineOptions {
  /** Programs are kept below it from run to run. */
  readonly cacheDirectory: string
  readonly log: (line: string) => void
  /** Whether images are in containerd's store (the default) or overlay2's, with which an engine cannot export caches. */
  readonly containerdStore?: boolean
  /** Says, once `hostAddress` is there, by which proxies the daemon itself gets out. They stay in its daemon.json. */
  readonly proxies?: (hostAddress: string) => Promise<DaemonProxies>
  /** Certificates in PEM form that its machine trusts, in place of this machine's own. */
  readonly certificates?: string
  /** Where to begin to look for a free subnet, for who needs the same `hostAddress` again: 0 to 255. */
  readonly firstSubnet?: number
}

/**
 * Starts an engine of Debian's testing suite, beside any other that may run on this machine. It speaks plain HTTP with
 * registries at `hostAddress`. Network, processes, mounts and /run are in namespaces of their own, so that they all end
 * with its first process, which the kernel ends when this process dies. What else a process that died has left behind is
 * removed here. Throws when the engine does not get ready; ask `engineObstacle` first.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const {cacheDirectory, log, containerdStore = true, proxies, certificates} = options
  await removeLeftovers()
  const programs = await enginePrograms({cacheDirectory, log})
  const network = await createEngineNetwork(options.firstSubnet)
  const directory = await mkdtemp(join(tmpdir(), `${network.namespace}-`))
  const remove = async (): Promise<void> => {
    await removeEngineNetwork(network.namespace)
    await removeDirectory(directory)
  }
  try {
    const socketPath = join(directory, 'docker.sock')
    const configurationFile = join(directory, 'daemon.json')
    const configuration = {
      ...daemonConfiguration(directory, network),
      ...(containerdStore ? {} : {'storage-driver': 'overlay2'}),
      features: {'containerd-snapshotter': containerdStore},
      'init-path': programs.tini,
      hosts: [`unix://${socketPath}`],
      ...(proxies === undefined ? {} : {proxies: await proxies(network.hostAddress)})
    }
    await writeFile(configurationFile, JSON.stringify(configuration), {mode: 0o600})
    const trust = certificates === undefined ? [] : [await trustOnly(certificates, directory)]
    const daemon = await startProgram(
      [...isolation(programs, network, trust), programs.dockerd, '--config-file', configurationFile],
      {log, ready: () => answers(socketPath)}
    )
    return {
      host: `unix://${socketPath}`,
      environment: {
        DOCKER_HOST: `unix://${socketPath}`,
        DOCKER_CONFIG: await clientConfiguration(directory, programs.buildx),
        PATH: `${programs.clientDirectory}:${process.env.PATH ?? systemPath}`
      },
      hostAddress: network.hostAddress,
      namespace: network.namespace,
      stop: async () => {
        // What started the first process ends after it, and that one when there is no other left.
        await killContained(network.namespace)
        await daemon.stop()
        await remove()
      }
    }
  } catch (error) {
    await remove()
    throw error
  }
}

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

interface EnginePrograms {
  readonly dockerd: string
  readonly tini: string
  readonly buildx: string
  /** Holds `docker`. */
  readonly clientDirectory: string
  /** The daemon's search path. */
  readonly path: string
}

/** Docker as of testing. What needs more libraries than libc is of this machine's own suite. */
async function enginePrograms(options: Pick<EngineOptions, 'cacheDirectory' | 'log'>): Promise<EnginePrograms> {
  const own = await unpackedPackages(['runc', 'tini'], options)
  const names = ['docker.io', 'docker-cli', 'docker-buildx', 'containerd']
  const docker = await unpackedPackages(names, {suite: 'testing', ...options})
  const directories = [docker, own].flatMap(root => [join(root, 'usr/sbin'), join(root, 'usr/bin')])
  return {
    dockerd: join(docker, 'usr/sbin/dockerd'),
    tini: join(own, 'usr/bin/tini-static'),
    buildx: join(docker, 'usr/libexec/docker/cli-plugins/docker-buildx'),
    clientDirectory: join(docker, 'usr/bin'),
    path: [...directories, systemPath].join(':')
  }
}

/** The beginning of a command line, which puts the rest of it where it can do no harm and cannot outlive this process. */
function isolation(
  {tini, path}: EnginePrograms,
  {namespace}: EngineNetwork,
  preparations: readonly string[]
): readonly string[] {
  return [
    ...['setpriv', '--pdeathsig', 'KILL', '--'],
    // None of this process's environment, which may name proxies.
    ...['env', '--ignore-environment', `PATH=${path}`],
    ...['nsenter', `--net=${namespaceFile(namespace)}`],
    ...['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
    ...['sh', '-c', `${[...ownDirectories, ...preparations].join(' && ')} && exec "$@"`, 'sh'],
    ...[tini, '--']
  ]
}

/** Shell commands that keep to itself what containerd writes to places that no configuration moves. */
const ownDirectories = [
  'mount -t tmpfs tmpfs /run',
  'mkdir /run/opt /run/work',
  'mount -t overlay -o lowerdir=/opt,upperdir=/run/opt,workdir=/run/work overlay /opt'
]

/** The shell command that leaves only these certificates where git and every program written in Go find those to trust. */
async function trustOnly(certificates: string, directory: string): Promise<string> {
  const file = join(directory, 'certificates.pem')
  await writeFile(file, certificates)
  return `mount -t tmpfs tmpfs /etc/ssl/certs && cp ${file} /etc/ssl/certs/ca-certificates.crt`
}

/** Makes a configuration directory with buildx as a plugin of the docker client. */
async function clientConfiguration(directory: string, buildx: string): Promise<string> {
  const configuration = join(directory, 'docker-config')
  await mkdir(join(configuration, 'cli-plugins'), {recursive: true})
  await symlink(buildx, join(configuration, 'cli-plugins/docker-buildx'))
  return configuration
}

function daemonConfiguration(directory: string, network: EngineNetwork): Record<string, unknown> {
  return {
    'data-root': join(directory, 'data'),
    'exec-root': join(directory, 'exec'),
    pidfile: join(directory, 'docker.pid'),
    bridge: network.bridge,
    'fixed-cidr': network.containerSubnet,
    // There is no name server. Whoever asks for one is told at once, instead of after his own time limit.
    dns: [network.bridgeAddress],
    iptables: false,
    ip6tables: false,
    'ip-masq': false,
    'userland-proxy': false,
    'insecure-registries': [network.subnet],
    // Groups that can be told from those of other engines, and removed.
    'cgroup-parent': `/${network.namespace}`,
    'exec-opts': ['native.cgroupdriver=cgroupfs']
  }
}

async function answers(socketPath: string): Promise<boolean> {
  return new Promise(resolve => {
    const probe = httpRequest({socketPath, path: '/_ping'}, response => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    probe.once('error', () => {
      resolve(false)
    })
    probe.end()
  })
}
