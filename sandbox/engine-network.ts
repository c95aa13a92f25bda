import {execFile} from 'node:child_process'
import {promisify} from 'node:util'

/** A network namespace whose processes reach this machine at `hostAddress` and nothing else. */
export interface EngineNetwork {
  /** Names the namespace, as in `ip netns exec`. */
  readonly namespace: string
  /** The one bridge inside the namespace, for an engine's containers. */
  readonly bridge: string
  /** IPv4 address of this machine on the way to the namespace. */
  readonly hostAddress: string
  /** What the bridge, the containers and `hostAddress` have in common, like `10.213.7.0/24`. */
  readonly subnet: string
  /** The part of `subnet` that is left for containers. */
  readonly containerSubnet: string
}

const namePattern = /^build-moby-(\d+)-\d+$/
const bridge = 'containers'

/**
 * Makes a namespace, joined to this machine by one pair of virtual interfaces: one end has `hostAddress`, the other is a
 * port of the bridge inside. Every container on that bridge is therefore a neighbour of this machine, which takes neither
 * routes nor address translation. There is no default route inside, and as the namespace does forward packets, whoever
 * tries to get anywhere else is told at once that the network is unreachable. Needs root.
 */
export async function createEngineNetwork(): Promise<EngineNetwork> {
  const used = await usedNetworks()
  for (let third = 0; third < 256; third++) {
    const address = (last: number): string => `10.213.${third}.${last}`
    const subnet = `${address(0)}/24`
    if (used.some(network => overlap(network, subnet))) continue
    const namespace = `build-moby-${process.pid}-${third}`
    const hostInterface = `build-moby-${third}`
    await ip('netns', 'add', namespace)
    try {
      // The kernel lets nobody else take the name, and with it the subnet.
      await ip('link', 'add', hostInterface, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', namespace)
    } catch (error) {
      await ip('netns', 'delete', namespace)
      if (await exists(hostInterface)) continue
      throw error
    }
    try {
      await ip('-n', namespace, 'link', 'add', bridge, 'type', 'bridge')
      await ip('-n', namespace, 'link', 'set', 'uplink', 'master', bridge)
      await ip('-n', namespace, 'address', 'add', `${address(2)}/24`, 'dev', bridge)
      for (const name of ['lo', 'uplink', bridge]) await ip('-n', namespace, 'link', 'set', name, 'up')
      await run('nsenter', `--net=${namespaceFile(namespace)}`, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
      await ip('address', 'add', `${address(1)}/24`, 'dev', hostInterface)
      await ip('link', 'set', hostInterface, 'up')
    } catch (error) {
      await removeEngineNetwork(namespace)
      throw error
    }
    return {namespace, bridge, hostAddress: address(1), subnet, containerSubnet: `${address(128)}/25`}
  }
  throw new Error('all of 10.213.0.0/16 is in use on this machine')
}

/** Ends all processes in the namespace, at once, and removes it with its interfaces. Does nothing if there is none. */
export async function removeEngineNetwork(namespace: string): Promise<void> {
  if (!(await engineNetworks()).includes(namespace)) return
  for (const pid of (await ip('netns', 'pids', namespace)).split('\n').filter(line => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has ended by itself, or with its parent.
    }
  }
  // With one end of the pair the other one goes. The namespace itself lives as long as the last of its processes.
  await ip('link', 'delete', `build-moby-${namespace.split('-').at(-1) ?? ''}`)
  await ip('netns', 'delete', namespace)
}

/** Names of all namespaces made above that still exist, whoever made them. */
export async function engineNetworks(): Promise<readonly string[]> {
  const lines = (await ip('netns', 'list')).split('\n')
  return lines.map(line => line.split(' ')[0] ?? '').filter(name => namePattern.test(name))
}

/** The process that made the namespace. */
export function makerOf(namespace: string): number {
  return Number(namePattern.exec(namespace)?.[1])
}

/** Path by which programs like `nsenter` find the namespace. */
export function namespaceFile(namespace: string): string {
  return `/run/netns/${namespace}`
}

/** IPv4 networks of this machine's interfaces and routes. Wide ones, such as a VPN's, may lend a small part for a while. */
async function usedNetworks(): Promise<readonly string[]> {
  const texts = await Promise.all([ip('-4', '-oneline', 'address'), ip('-4', 'route')])
  const networks = texts.join('\n').match(/\b\d+\.\d+\.\d+\.\d+\/\d+/g) ?? []
  return networks.filter(network => prefixLength(network) > 16)
}

function overlap(one: string, other: string): boolean {
  const size = 2 ** (32 - Math.min(prefixLength(one), prefixLength(other)))
  return Math.floor(asNumber(one) / size) === Math.floor(asNumber(other) / size)
}

function prefixLength(network: string): number {
  return Number(network.split('/')[1])
}

function asNumber(network: string): number {
  const [address = ''] = network.split('/')
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

async function exists(networkInterface: string): Promise<boolean> {
  return ip('link', 'show', networkInterface).then(
    () => true,
    () => false
  )
}

async function ip(...args: string[]): Promise<string> {
  return run('ip', ...args)
}

async function run(program: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(program, args)).stdout
}
