import {spawn, spawnSync} from 'node:child_process'
import {once} from 'node:events'
import {appendFileSync, mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {readActionDefinition} from '../src/adapters/action-definition.js'
import {type Engine, engineObstacle, startEngine} from './engine.js'
import {sandboxCacheDirectory} from './cache-directory.js'
import {startMirrors} from './sandbox.js'

/**
 * Builds a tag of a miniature moby fork with the committed action, as the runner would start it, behind mirrors on this
 * machine. Bundles end up in out/; everything that was started is stopped again.
 */
const tag = 'docker-v29.1.0'
const root = join(import.meta.dirname, '..')
const output = join(root, 'out')
const node24 = join(root, '.sandbox/node24/node_modules/.bin/node')

/** An engine to build with: how docker finds it, and the address by which its build steps reach this machine. */
interface DemoEngine {
  readonly environment: Readonly<Record<string, string>>
  readonly hostAddress: string
  /** The address that the daemon's pulls go to, which must be loopback for plain HTTP unless the engine is ours. */
  readonly registryAddress: string
  readonly engine?: Engine
}

const temporary = mkdtempSync(join(tmpdir(), 'build-moby-demo-'))
const stops: (() => Promise<void>)[] = []
let child: ReturnType<typeof spawn> | undefined
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted.abort()
    child?.kill('SIGINT')
  })
}
try {
  process.exitCode = await demonstrate()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  for (const stop of stops.reverse()) await stop()
  rmSync(temporary, {recursive: true, force: true})
}

async function demonstrate(): Promise<number> {
  const found = findEngine() ?? (await throwawayEngine())
  if (found === undefined) return 1
  const addresses = [...new Set(['127.0.0.1', found.hostAddress])]
  console.log('Starting the mirrors: registry, git, Go proxy and checksums, packages, downloads, forward proxy')
  const mirrors = await startMirrors(addresses, undefined, () => undefined)
  stops.push(() => mirrors.stop())
  const {registry} = mirrors.network
  const inputs = {
    ...mirrors.inputs,
    'registry-mirrors': `docker.io=http://${found.registryAddress}:${registry.port}`,
    ref: tag
  }
  console.log(`Building ${tag} of the miniature with:`)
  for (const [name, value] of Object.entries(inputs)) console.log(`  ${name}: ${value}`)
  console.log('')
  const environment = stepEnvironment(inputs, found)
  const main = await runPhase('main', environment)
  await runPhase('post', {...environment, ...savedState(environment.GITHUB_STATE ?? '')})
  if (main === 0) report()
  return main
}

/** The engine that docker on this machine talks to, if a build can use it as it is. */
function findEngine(): DemoEngine | undefined {
  const ask = (...words: string[]) => {
    const {status, stdout} = spawnSync('docker', words, {encoding: 'utf8', timeout: 20_000})
    return status === 0 ? stdout.trim() : undefined
  }
  const store = ask('info', '--format', '{{json .DriverStatus}}')
  const gateway = ask('network', 'inspect', 'bridge', '--format', '{{(index .IPAM.Config 0).Gateway}}')
  const usable = store?.includes('io.containerd.snapshotter') === true && ask('buildx', 'version') !== undefined
  if (!usable || gateway === undefined || gateway === '') return undefined
  console.log('Using the Docker Engine of this machine')
  return {environment: {}, hostAddress: gateway, registryAddress: '127.0.0.1'}
}

async function throwawayEngine(): Promise<DemoEngine | undefined> {
  const obstacle = await engineObstacle()
  if (obstacle !== undefined) {
    console.error(
      `There is no Docker Engine with buildx and the containerd image store here, and no throwaway one can be started: ${obstacle}`
    )
    return undefined
  }
  console.log("Starting a throwaway Docker Engine from Debian's packages, in a network that ends at this machine")
  const engine = await startEngine({cacheDirectory: sandboxCacheDirectory(process.env), log: () => undefined})
  stops.push(() => engine.stop())
  const {environment, hostAddress} = engine
  return {environment: {...environment}, hostAddress, registryAddress: hostAddress, engine}
}

/** What the runner gives a step, without GitHub's services: bundles and caches go to folders. */
function stepEnvironment(inputs: Readonly<Record<string, string>>, {environment}: DemoEngine): Record<string, string> {
  const variables: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '/',
    ...environment,
    GITHUB_WORKSPACE: temporary,
    RUNNER_TEMP: join(temporary, 'runner'),
    BUILD_MOBY_OUTPUT: output,
    BUILD_MOBY_CACHE: join(root, '.sandbox/demo-cache')
  }
  for (const {name, default: fallback} of readActionDefinition(join(root, 'action.yml')).inputs) {
    variables[`INPUT_${name.toUpperCase()}`] = inputs[name] ?? (fallback.includes('${{') ? '' : fallback)
  }
  for (const file of ['GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY']) {
    variables[file] = join(temporary, file)
    appendFileSync(join(temporary, file), '')
  }
  return variables
}

async function runPhase(phase: 'main' | 'post', environment: Readonly<Record<string, string>>): Promise<number> {
  if (interrupted.signal.aborted && phase === 'main') return 130
  child = spawn(node24, [join(root, 'dist', phase, 'index.js')], {
    cwd: temporary,
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit']
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return code ?? 1
}

/** What main saved, as the runner hands it to post (`NAME<<delimiter`, value, delimiter). */
function savedState(file: string): Record<string, string> {
  const [, name, , value] = /^(\w+)<<(\S+)\n([^]*?)\n\2$/m.exec(readFileSync(file, 'utf8')) ?? []
  return name === undefined || value === undefined ? {} : {[`STATE_${name}`]: value}
}

function report(): void {
  const said = (program: string) => spawnSync(program, ['--version'], {encoding: 'utf8'}).stdout.trim()
  const lines = [
    `${join(output, 'binary-client.tar.gz')}   docker says:  ${said(join(output, 'binary-client/docker'))}`,
    `${join(output, 'binary-daemon.tar.gz')}   dockerd says: ${said(join(output, 'binary-daemon/dockerd'))}`,
    `${join(output, 'summary.md')}, ${join(output, 'plan.json')}`
  ]
  console.log(`\nDone. Run it again to see what comes from the cache.\n  ${lines.join('\n  ')}`)
}
