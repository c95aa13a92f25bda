import {mkdir, mkdtemp, readdir, readFile, rm, rmdir, symlink, writeFile} from 'node:fs/promises'
import {request as httpRequest} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createEngineNetwork, type EngineNetwork, engineNetworks, makerOf, namespaceFile, removeEngineNetwork} from './engine-network.js'
import {startProgram} from './program.js'
import {unpackedPackages} from './unpacked-packages.js'

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

export interface EngineOptions {
  /** Programs are kept below it from run to run. */
  readonly cacheDirectory: string
  readonly log: (line: string) => void
  /** Whether images are in containerd's store (the default) or in the graph driver overlay2, which cannot export caches. */
  readonly containerdStore?: boolean
}

const directoryPrefix = 'build-moby-engine-'

/**
 * Starts an engine of Debian's testing suite, beside any other that may run on this machine. It speaks plain HTTP with
 * registries at `hostAddress`. Network, processes, mounts and /run are in namespaces of their own, so that they all end
 * with its first process, which the kernel ends when this process dies. What else a process that died has left behind is
 * removed here. Throws when the engine does not get ready; ask `engineObstacle` first.
 */
export async function startEngine({cacheDirectory, log, containerdStore = true}: EngineOptions): Promise<Engine> {
  await removeLeftovers()
  // The service manager's runc and tini are the machine's own: those of testing are linked against libraries too new.
  const own = await unpackedPackages(['runc', 'tini'], {cacheDirectory, log})
  const docker = await unpackedPackages(['docker.io', 'docker-cli', 'docker-buildx', 'containerd'], {
    suite: 'testing',
    cacheDirectory,
    log
  })
  const network = await createEngineNetwork()
  const directory = await mkdtemp(join(tmpdir(), `${directoryPrefix}${process.pid}-`))
  const remove = async (): Promise<void> => {
    await removeEngineNetwork(network.namespace)
    await removeControlGroups(network.namespace)
    await rm(directory, {recursive: true, force: true, maxRetries: 5})
  }
  try {
    const socketPath = join(directory, 'docker.sock')
    const dockerConfig = join(directory, 'docker-config')
    await mkdir(join(dockerConfig, 'cli-plugins'), {recursive: true})
    await symlink(
      join(docker, 'usr/libexec/docker/cli-plugins/docker-buildx'),
      join(dockerConfig, 'cli-plugins/docker-buildx')
    )
    const tini = join(own, 'usr/bin/tini-static')
    const configurationFile = join(directory, 'daemon.json')
    await writeFile(
      configurationFile,
      JSON.stringify({
        ...daemonConfiguration(directory, network),
        hosts: [`unix://${socketPath}`],
        'init-path': tini,
        ...(containerdStore ? {} : {'storage-driver': 'overlay2'}),
        features: {'containerd-snapshotter': containerdStore}
      })
    )
    const path = [...['usr/sbin', 'usr/bin'].flatMap(part => [join(docker, part), join(own, part)]), systemPath].join(':')
    const program = await startProgram(
      [
        ...['setpriv', '--pdeathsig', 'KILL', '--'],
        // None of this process's environment, which may name proxies.
        ...['env', '--ignore-environment', `PATH=${path}`],
        ...['nsenter', `--net=${namespaceFile(network.namespace)}`],
        ...['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
        ...['sh', '-c', 'mount -t tmpfs tmpfs /run && exec "$@"', 'sh'],
        ...[tini, '--', join(docker, 'usr/sbin/dockerd'), '--config-file', configurationFile]
      ],
      {log, ready: () => answers(socketPath)}
    )
    const host = `unix://${socketPath}`
    return {
      host,
      environment: {
        DOCKER_HOST: host,
        DOCKER_CONFIG: dockerConfig,
        PATH: `${join(docker, 'usr/bin')}:${process.env.PATH ?? systemPath}`
      },
      hostAddress: network.hostAddress,
      namespace: network.namespace,
      stop: async () => {
        await removeEngineNetwork(network.namespace)
        await program.stop()
        await remove()
      }
    }
  } catch (error) {
    await remove()
    throw error
  }
}

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function daemonConfiguration(directory: string, network: EngineNetwork): Record<string, unknown> {
  return {
    'data-root': join(directory, 'data'),
    'exec-root': join(directory, 'exec'),
    pidfile: join(directory, 'docker.pid'),
    bridge: network.bridge,
    'fixed-cidr': network.containerSubnet,
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

/** Removes what engines have left behind whose starting process has died. */
async function removeLeftovers(): Promise<void> {
  for (const namespace of await engineNetworks()) {
    if (isRunning(makerOf(namespace))) continue
    await removeEngineNetwork(namespace)
    await removeControlGroups(namespace)
  }
  for (const name of await readdir(tmpdir())) {
    const [, pid] = /^build-moby-engine-(\d+)-/.exec(name) ?? []
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(tmpdir(), name), {recursive: true, force: true})
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Removes the control groups below `/name` of every hierarchy; their processes must have ended. */
async function removeControlGroups(name: string): Promise<void> {
  const mounts = await readFile('/proc/self/mounts', 'utf8')
  for (const [, mountPoint = ''] of mounts.matchAll(/^\S+ (\S+) cgroup2? /gm)) await removeTree(join(mountPoint, name))
}

/** The files of a control group cannot be removed, and go with it. */
async function removeTree(group: string): Promise<void> {
  const entries = await readdir(group, {withFileTypes: true}).catch(() => [])
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(group, entry.name))
  await rmdir(group).catch(() => undefined)
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
