import {execFile, spawn} from 'node:child_process'
import {once} from 'node:events'
import {chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {promisify} from 'node:util'
import {afterAll, beforeAll, expect, it} from '@jest/globals'
import {sandboxCacheDirectory} from '../../sandbox/cache-directory.js'
import {type Engine, startEngine} from '../../sandbox/engine.js'
import {createEngineNetwork, engineNetworks, removeEngineNetwork} from '../../sandbox/engine-network.js'
import {type HttpServer, startHttpServer} from '../../sandbox/http-server.js'
import {unpackedPackages} from '../../sandbox/unpacked-packages.js'
import {describeWithEngine} from '../support/describe-with-engine.js'

const cacheDirectory = sandboxCacheDirectory(process.env)
const log = (): void => undefined

await describeWithEngine('the throwaway engine', () => {
  let context: string
  let engine: Engine
  let server: HttpServer

  beforeAll(async () => {
    context = await buildContext()
    engine = await startEngine({cacheDirectory, log})
    server = await startHttpServer({
      addresses: [engine.hostAddress],
      log,
      handle: (_, response) => void response.end('from this machine')
    })
  }, 300_000)

  afterAll(async () => {
    await server.stop()
    await engine.stop()
    await rm(context, {recursive: true})
  })

  const buildx = (...args: string[]): Promise<string> => run(engine, 'docker', 'buildx', 'build', ...args, context)

  it('is one of its own', async () => {
    expect(await run(engine, 'docker', 'info', '--format', '{{.DockerRootDir}} {{.Driver}}')).toBe(
      `${directoryOf(engine)}/data overlayfs`
    )
  })

  it('runs build steps, which reach this machine and nothing else', async () => {
    const output = join(context, 'output')
    const site = `http://${engine.hostAddress}:${server.port}/`
    await buildx('--quiet', `--build-arg=SITE=${site}`, `--output=type=local,dest=${output}`)

    expect(await readFile(join(output, 'near'), 'utf8')).toBe('from this machine')
    expect(await readFile(join(output, 'far'), 'utf8')).toMatch(/198\.51\.100\.1.*Network is unreachable/)
    expect(server.requests()).toEqual([{method: 'GET', path: '/', status: 200}])
  })

  it('lets no process in its namespace go anywhere but to this machine', async () => {
    const subnet = engine.hostAddress.replace(/\d+$/, '0/24')
    const routes = await inside(engine, 'ip', 'route')

    expect(routes.split('\n')).toEqual([expect.stringMatching(`^${subnet} .*scope link`)])
    expect(await inside(engine, 'ip', '-6', 'route', 'show', 'default')).toBe('')
    expect(await inside(engine, 'ip', 'route', 'get', engine.hostAddress)).toContain(engine.hostAddress)
    await expect(inside(engine, 'ip', 'route', 'get', '198.51.100.1')).rejects.toThrow('Network is unreachable')
  })

  it('can export caches with containerd as its store, and cannot without', async () => {
    const exportCache = `--cache-to=type=local,dest=${join(context, 'cache')}`
    await buildx('--quiet', '--target=empty', exportCache)
    const other = await startEngine({cacheDirectory, log, containerdStore: false})
    try {
      expect(other.hostAddress).not.toBe(engine.hostAddress)
      await expect(run(other, 'docker', 'buildx', 'build', '--target=empty', exportCache, context)).rejects.toThrow(
        'Cache export is not supported for the docker driver'
      )
    } finally {
      await other.stop()
    }
  })

  it('leaves nothing behind', async () => {
    const stopped = await startEngine({cacheDirectory, log})
    await run(stopped, 'docker', 'buildx', 'build', '--tag=sleeper', '--target=tool', context)
    await run(stopped, 'docker', 'run', '--detach', 'sleeper', '/busybox', 'sleep', '1000')
    const before = await tracesOf(stopped)
    await stopped.stop()

    expect(before).toEqual({
      namespace: true,
      interfaces: 1,
      processes: expect.any(Number),
      mounts: true,
      directory: true,
      controlGroups: true
    })
    expect(before.processes).toBeGreaterThanOrEqual(5)
    expect(await tracesOf(stopped)).toEqual(nothing)
  })

  it('has a network that several processes may remove at the same time', async () => {
    const {namespace, hostAddress} = await createEngineNetwork()
    const addresses = () => execute('ip', '-4', '-oneline', 'address')
    expect(await engineNetworks()).toContain(namespace)
    expect(await addresses()).toContain(` ${hostAddress}/`)
    await Promise.all(Array.from({length: 4}, () => removeEngineNetwork(namespace)))
    expect(await engineNetworks()).not.toContain(namespace)
    expect(await addresses()).not.toContain(` ${hostAddress}/`)
  })

  it('removes what the engine of a killed process has left behind', async () => {
    const killed = await startAndKill()
    await (await startEngine({cacheDirectory, log})).stop()

    expect(await tracesOf(killed)).toEqual(nothing)
  })
})

type Named = Pick<Engine, 'host' | 'hostAddress' | 'namespace'>

const nothing = {
  namespace: false,
  interfaces: 0,
  processes: 0,
  mounts: false,
  directory: false,
  controlGroups: false
}

function directoryOf({host}: Named): string {
  return host.replace('unix://', '').replace(/\/docker\.sock$/, '')
}

/** What there is of an engine on this machine. */
async function tracesOf(engine: Named): Promise<typeof nothing> {
  const {namespace, hostAddress} = engine
  const directory = directoryOf(engine)
  const interfaces = (await execute('ip', '-4', '-oneline', 'address')).split('\n')
  const mounts = await readFile('/proc/self/mounts', 'utf8')
  const hierarchies = [...mounts.matchAll(/^\S+ (\S+) cgroup2? /gm)].map(([, hierarchy = '']) => hierarchy)
  const groups = (await Promise.all(hierarchies.map(hierarchy => readdir(hierarchy)))).flat()
  return {
    namespace: (await execute('ip', 'netns', 'list')).includes(namespace),
    interfaces: interfaces.filter(line => line.includes(` ${hostAddress}/`)).length,
    processes: await processesNaming(directory, namespace),
    mounts: mounts.includes(namespace),
    directory: (await readdir(tmpdir())).some(name => join(tmpdir(), name) === directory),
    controlGroups: groups.includes(namespace)
  }
}

/** How many processes have one of the names in their command line or control groups. */
async function processesNaming(...names: string[]): Promise<number> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const descriptions = await Promise.all(
    pids.flatMap(pid => ['cmdline', 'cgroup'].map(file => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')))
  )
  return descriptions.filter(description => names.some(name => description.includes(name))).length
}

/** Starts an engine in another process and kills that one as soon as it has. */
async function startAndKill(): Promise<Named> {
  const program = `
    import {startEngine} from ${JSON.stringify(join(import.meta.dirname, '../../sandbox/engine.ts'))}
    void startEngine({cacheDirectory: ${JSON.stringify(cacheDirectory)}, log: () => undefined}).then(engine => {
      process.stdout.write(JSON.stringify(engine) + '\\n')
      setInterval(() => undefined, 1000)
    })`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const [line] = (await once(createInterface({input: child.stdout}), 'line')) as [string]
  child.kill('SIGKILL')
  await once(child, 'close')
  return JSON.parse(line) as Named
}

/** A directory with a Dockerfile that needs no image, and Debian's busybox. */
async function buildContext(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'build-moby-engine-test-'))
  const programs = await unpackedPackages(['busybox-static'], {cacheDirectory, log})
  await mkdir(join(directory, 'programs'))
  await copyFile(join(programs, 'bin/busybox'), join(directory, 'programs/busybox'))
  await chmod(join(directory, 'programs/busybox'), 0o755)
  await writeFile(join(directory, 'Dockerfile'), dockerfile)
  return directory
}

const dockerfile = `
FROM scratch AS tool
COPY programs/busybox /busybox
SHELL ["/busybox", "sh", "-c"]

FROM tool AS made
ARG SITE
RUN /busybox wget -q -O /near "$SITE"
RUN ! /busybox wget -O /dev/null http://198.51.100.1/ 2> /far

FROM scratch AS empty
COPY Dockerfile /

FROM scratch
COPY --from=made /near /far /
`

async function inside({namespace}: Engine, ...argv: string[]): Promise<string> {
  return execute('ip', 'netns', 'exec', namespace, ...argv)
}

async function run({environment}: Engine, program: string, ...args: string[]): Promise<string> {
  const {stdout} = await promisify(execFile)(program, args, {env: {...process.env, ...environment}})
  return stdout.trim()
}

async function execute(program: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(program, args)).stdout.trim()
}
