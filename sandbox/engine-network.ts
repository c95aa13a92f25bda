import {execFile} from 'node:child_process'
import {readlink} from 'node:fs/promises'
import {promisify} from 'node:util'

/** A network namespace whose processes reach this machine at `hostAddress` and nothing else. */
export interface EngineNetwork {
  /** Names the namespace, as in `ip netns exec`. */
  readonly namespace: string
  /** The one bridge inside the namespace, for an engine's containers. */
  readonly bridge: string
  /** The bridge's IPv4 address, which containers reach and where nobody listens. */
  readonly bridgeAddress: string
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
 * tries to get anywhere else is told at once that the network is unreachable. Needs root. The subnet is the
 * first free one of 10.213.`first`.0/24 and those that follow.
 */
export async function createEngineNetwork(first = 0): Promise<EngineNetwork> {
  const used = await usedNetworks()
  for (let third = first; third < 256; third++) {
    if (used.some(network => overlap(network, `10.213.${third}.0/24`))) continue
    const network = await tryCreate(third)
    if (network !== undefined) return network
  }
  throw new Error('all of 10.213.0.0/16 is in use on this machine')
}

/** Returns undefined when another process is about to use the same addresses. */
async function tryCreate(third: number): Promise<EngineNetwork | undefined> {
  const namespace = `build-moby-${process.pid}-${third}`
  const hostInterface = hostInterfaceOf(namespace)
  const address = (last: number): string => `10.213.${third}.${last}`
  await ip('netns', 'add', namespace)
  try {
    // The kernel gives out a name once, and here the subnet goes with it.
    await ip('link', 'add', hostInterface, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', namespace)
  } catch (error) {
    await ip('netns', 'delete', namespace)
    if (await exists(hostInterface)) return undefined
    throw error
  }
  try {
    await ip('-n', namespace, 'link', 'add', bridge, 'type', 'bridge')
    await ip('-n', namespace, 'link', 'set', 'uplink', 'master', bridge)
    await ip('-n', namespace, 'address', 'add', `${address(2)}/24`, 'dev', bridge)
    for (const name of ['lo', 'uplink', bridge]) await ip('-n', namespace, 'link', 'set', name, 'up')
    // Forward packets; answer every one that leads nowhere, not just one a second.
    const settings = 'cd /proc/sys/net/ipv4 && echo 1 > ip_forward && echo 0 > icmp_ratelimit'
    await run('nsenter', `--net=${namespaceFile(namespace)}`, 'sh', '-c', settings)
    await ip('address', 'add', `${address(1)}/24`, 'dev', hostInterface)
    await ip('link', 'set', hostInterface, 'up')
  } catch (error) {
    await removeEngineNetwork(namespace)
    throw error
  }
  return {
    namespace,
    bridge,
    bridgeAddress: address(2),
    hostAddress: address(1),
    subnet: `${address(0)}/24`,
    containerSubnet: `${address(128)}/25`
  }
}

/**
 * Kills the processes of the network namespace that are in a process namespace of their own: with the first process of
 * that one, the kernel ends all others in it, wherever else they are.
 */
export async function killContained(namespace: string): Promise<void> {
  const outside = await readlink('/proc/self/ns/pid')
  for (const pid of await processesIn(namespace)) {
    const inside = await readlink(`/proc/${pid}/ns/pid`).catch(() => outside)
    if (inside !== outside) kill(pid)
  }
}

/**
 * Kills all processes in the namespace and removes it with its interfaces. Does nothing if there is none; several processes
 * may do it at the same time.
 */
export async function removeEngineNetwork(namespace: string): Promise<void> {
  const isThere = async () => (await engineNetworks()).includes(namespace)
  if (!(await isThere())) return
  await unlessGone(isThere, async () => {
    for (const pid of await processesIn(namespace)) kill(pid)
  })
  // The namespace lives as long as the last of its processes; its way out ends here. With this end the other one goes, whose
  // name may be that of a later network already.
  await unlessGone(
    () => exists('uplink', '-n', namespace),
    () => ip('-n', namespace, 'link', 'delete', 'uplink')
  )
  await unlessGone(isThere, () => ip('netns', 'delete', namespace))
}

/** Runs `work`, and ignores its failure when what it works on is gone. */
async function unlessGone(isThere: () => Promise<boolean>, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (await isThere()) throw error
  }
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

function hostInterfaceOf(namespace: string): string {
  return namespace.replace(/\d+-/, '')
}

async function processesIn(namespace: string): Promise<readonly number[]> {
  const lines = (await ip('netns', 'pids', namespace)).split('\n')
  return lines.filter(line => line !== '').map(Number)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself, or with its parent.
  }
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

async function exists(networkInterface: string, ...where: readonly string[]): Promise<boolean> {
  return ip(...where, 'link', 'show', networkInterface).then(
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
