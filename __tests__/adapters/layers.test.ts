import {createHash} from 'node:crypto'
import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from '@jest/globals'
import {sandboxCacheDirectory} from '../../sandbox/cache-directory.js'
import {type Engine, startEngine} from '../../sandbox/engine.js'
import {pushImages} from '../../sandbox/image-push.js'
import {standInImages} from '../../sandbox/images.js'
import {type Registry, startRegistry} from '../../sandbox/registry.js'
import {systemCommands} from '../../src/adapters/commands.js'
import {systemFiles} from '../../src/adapters/files.js'
import {folderCache} from '../../src/adapters/folder-cache.js'
import {progressReader, type BuildProgress} from '../../src/build/progress.js'
import {executeBuild} from '../../src/build/execute.js'
import {exportLayers, lendLayers, restoreLayers, saveLayers, type LayerPorts} from '../../src/cache/layers.js'
import {layoutProblem} from '../../src/cache/layout.js'
import {dockerEnvironment} from '../../src/engine/environment.js'
import type {Inputs} from '../../src/inputs.js'
import type {PlannedBuild} from '../../src/plan/plan.js'
import {describeWithEngine} from '../support/describe-with-engine.js'
import {memoryLog, type MemoryLog} from '../support/memory.js'
import {networkWith} from '../support/network.js'
import {buildOf, daemonComponent, engineWith, fileOf, planWith, sourceWith} from '../support/plan.js'
import {startResultsService} from '../support/results-service.js'

const uuid = 'cat /proc/sys/kernel/random/uuid'

// `WORKDIR` comes before a step, as in moby's: its cache key must be the same for every commit. A step that may download is
// on a base image that is primed.
const dockerfile = `FROM busybox AS tools
RUN ${uuid} > /tools
FROM busybox AS build
COPY --from=tools /tools /tools
WORKDIR /src
RUN ${uuid} > /installed || git clone https://a.example/b
ARG VERSION
RUN --mount=target=. mkdir /out && cp file /tools /installed /out && ${uuid} > /out/compiled
FROM scratch AS binary
COPY --from=build /out/ /
`

const digests = new Map([['docker.io/library/busybox:latest', 'sha256:unused']])

await describeWithEngine('layers', () => {
  const cacheDirectory = sandboxCacheDirectory(process.env)
  const commands = systemCommands(new AbortController().signal)
  let root: string
  let engine: Engine
  let registry: Registry
  let log: MemoryLog
  let ports: LayerPorts

  beforeAll(async () => {
    const options = {cacheDirectory, log: () => undefined}
    engine = await startEngine(options)
    registry = await startRegistry({...options, addresses: ['127.0.0.1', engine.hostAddress]})
    const images = await standInImages(options)
    await pushImages(
      registry.url,
      images.filter(({repository}) => repository.endsWith('/busybox'))
    )
  }, 300_000)

  afterAll(async () => {
    await engine.stop()
    await registry.stop()
  })

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-moby-layers-'))
    log = memoryLog()
    const files = systemFiles(root)
    ports = {
      commands,
      files,
      log,
      cache: folderCache(join(root, 'store'), {maximumBytes: 1e9, maximumAgeMilliseconds: 1e9}, commands, log)
    }
    await prune()
  })

  afterEach(async () => {
    await rm(root, {recursive: true, force: true})
  })

  const docker = (...words: string[]) => commands.capture(['docker', ...words], {environment: environmentOf()})
  const prune = () => docker('buildx', 'prune', '--all', '--force')
  const environmentOf = (more: Readonly<Record<string, string>> = {}) =>
    dockerEnvironment({...engine.environment, ...more}, Object.keys(more))

  /** The plan for a commit that differs from others by the content of one file, its version and its time. */
  const planned = async (
    commit: string,
    inputs: Partial<Inputs> = {},
    environment: Readonly<Record<string, string>> = {}
  ): Promise<PlannedBuild> => {
    const directory = join(root, 'tree')
    const bake = 'target "binary" { target = "binary" }\n'
    await mkdir(directory, {recursive: true})
    await writeFile(join(directory, 'docker-bake.hcl'), bake)
    await writeFile(join(directory, 'file'), commit)
    const source = sourceWith({
      directory,
      commit: commit.repeat(40),
      version: `28.5.${commit}`,
      commitTime: Number(commit)
    })
    const tree = {Dockerfile: dockerfile, 'docker-bake.hcl': bake}
    const mirror = {
      registry: 'docker.io',
      host: `${engine.hostAddress}:${registry.port}`,
      path: '',
      scheme: 'http'
    } as const
    return buildOf(
      planWith(
        {target: 'binary', ...inputs},
        {
          components: [daemonComponent({source, tree})],
          engine: engineWith({server: {insecureRegistries: [mirror.host]}}),
          network: {registryMirrors: [mirror], gitMirrors: [{from: 'https://a.example/', to: 'http://m.example/'}]},
          imageDigests: digests,
          workDirectory: join(root, 'work'),
          unique: `run${commit}`,
          place: {workspace: root, environment}
        }
      )
    )
  }

  const build = async (
    {files, command, workingDirectory, environment, exportDirectory}: PlannedBuild,
    more: Readonly<Record<string, string>> = {}
  ): Promise<{progress: BuildProgress; built: Record<string, string>}> => {
    for (const {path, content} of files) await ports.files.write(path, content)
    await rm(exportDirectory, {recursive: true, force: true})
    const reader = progressReader(memoryLog())
    const onLine = (line: string) => {
      reader.onLine(line)
    }
    const exitCode = await commands.stream(command, {
      workingDirectory,
      environment: {...environmentOf(more), ...environment},
      onLine
    })
    const progress = reader.collapse()
    expect([exitCode, exitCode === 0 ? [] : [progress.failure, progress.messages]]).toEqual([0, []])
    const names = await readdir(exportDirectory)
    const texts = names.map(async name => [name, await readFile(join(exportDirectory, name), 'utf8')] as const)
    return {progress, built: Object.fromEntries(await Promise.all(texts))}
  }

  const ran = ({steps}: BuildProgress) =>
    steps.filter(({cached, name}) => !cached && name.includes(' RUN ')).map(({name}) => name)
  const warnings = () => log.lines.filter(line => line.startsWith('warning'))

  const both = ({caches: {result, layers}}: PlannedBuild) => {
    if (result === undefined || layers === undefined) throw new Error('no caches are planned')
    return {result, layers}
  }

  /** Builds a commit and keeps both entries; returns what was built. */
  const buildAndKeep = async (commit: string) => {
    const plan = await planned(commit)
    const {built} = await build(plan)
    const {result, layers} = both(plan)
    await saveLayers(result, {kind: 'result', of: 'daemon', exact: false}, ports)
    expect(await exportLayers(layers, environmentOf(), ports)).toBe(true)
    const kept = await saveLayers(layers, {kind: 'layers', of: 'daemon', exact: false}, ports)
    expect(kept.saved?.key).toBe(layers.key)
    expect(warnings()).toEqual([])
    await rm(join(root, 'work'), {recursive: true})
    await prune()
    return built
  }

  it('of other commits serve the steps before the tree, and no other', async () => {
    const first = await buildAndKeep('1')
    const plan = await planned('2')
    const {layers} = both(plan)
    const account = await restoreLayers(layers, 'layers', 'daemon', ports)
    expect(account).toMatchObject({exact: true, restored: {key: expect.stringContaining('-run1')}})
    const {built, progress} = await build(plan)
    expect(built).toEqual({...first, file: '2', compiled: expect.not.stringMatching(first.compiled ?? '')})
    expect(ran(progress)).toEqual([expect.stringContaining('--mount=target=.')])
    expect(await saveLayers(layers, account, ports)).toBe(account)
  }, 180_000)

  it('of the same commit serve all of it, without its images', async () => {
    const first = await buildAndKeep('1')
    const before = registry.requests().length
    const plan = await planned('1')
    const account = await restoreLayers(both(plan).result, 'result', 'daemon', ports)
    expect(account.exact).toBe(true)
    expect(fileOf(plan, 'Dockerfile')).toContain('FROM busybox AS build-moby-base-1\nRUN ')
    const {built, progress} = await build(plan)
    expect(built).toEqual(first)
    expect(ran(progress)).toEqual([])
    const asked = registry.requests().slice(before)
    expect(asked.filter(({path}) => path.includes('/manifests/'))).not.toEqual([])
    // The configuration is a blob, too.
    expect(asked.filter(({path}) => path.includes('/blobs/')).length).toBeLessThanOrEqual(1)
  }, 180_000)

  it('are not exported again by a builder that has lost them, when they were restored', async () => {
    await buildAndKeep('1')
    const {result, layers} = both(await planned('2'))
    expect(await restoreLayers(result, 'result', 'daemon', ports)).toEqual({
      kind: 'result',
      of: 'daemon',
      exact: false
    })
    expect((await restoreLayers(layers, 'layers', 'daemon', ports)).exact).toBe(true)
    await build(await planned('2'))
    await exportLayers(layers, environmentOf(), ports)
    expect(log.lines.filter(line => line.includes('ran again'))).toEqual([])
    expect(await directorySize(layers.exportDirectory)).toBe(await directorySize(layers.importDirectory))
  }, 180_000)

  it('that were restored are not exported again with the last ones', async () => {
    await buildAndKeep('1')
    const plan = await planned('2')
    const {result, layers} = both(plan)
    await restoreLayers(layers, 'layers', 'daemon', ports)
    await lendLayers(layers, result, ports)
    const blobs = join(result.exportDirectory, 'blobs', 'sha256')
    const lent = await readdir(blobs)
    expect(lent).not.toEqual([])
    await build(plan)
    const links = (await readdir(blobs, {withFileTypes: true})).filter(entry => entry.isSymbolicLink())
    expect(links.map(({name}) => name).sort()).toEqual(lent.sort())
    const kept = await saveLayers(result, {kind: 'result', of: 'daemon', exact: false}, ports, layers.importDirectory)
    expect(kept.saved?.key).toBe(result.key)
    expect((await readdir(blobs, {withFileTypes: true})).every(entry => entry.isFile())).toBe(true)
    expect(warnings()).toEqual([])
  }, 180_000)

  it('that are damaged are not used, which is said once, and replaced', async () => {
    const first = await buildAndKeep('1')
    const {layers} = both(await planned('2'))
    await restoreLayers(layers, 'layers', 'daemon', ports)
    await flip(await largestBlob(layers.importDirectory))
    await ports.cache.save(layers.importDirectory, `${layers.content}damaged`)
    const account = await restoreLayers(layers, 'layers', 'daemon', ports)
    expect(account).toEqual({kind: 'layers', of: 'daemon', exact: false, note: 'damaged, not used'})
    expect(warnings()).toEqual([expect.stringContaining(`${layers.content}damaged is damaged and not used: it`)])
    const {built} = await build(await planned('2'))
    expect(built.tools).not.toBe(first.tools)
    await exportLayers(layers, environmentOf(), ports)
    expect((await saveLayers(layers, account, ports)).saved?.key).toBe(layers.key)
    expect((await restoreLayers(layers, 'layers', 'daemon', ports)).restored?.key).toBe(layers.key)
  }, 180_000)

  it.each(['result', 'layers'] as const)(
    'that were damaged before they were kept fail no build, from the %s',
    async kind => {
      const first = await buildAndKeep('1')
      const plan = await planned(kind === 'result' ? '1' : '2')
      const {importDirectory} = both(plan)[kind]
      await restoreLayers(both(plan)[kind], kind, 'daemon', ports)
      await poison(importDirectory)
      if (kind === 'layers') await lendLayers(both(plan).layers, both(plan).result, ports)
      expect(await layoutProblem(importDirectory, ports.files)).toBeUndefined()
      const settings = {endpoints: [], network: networkWith(), retries: 0, stepProxies: {}}
      const pause = () => Promise.reject(new Error('a pause'))
      const result = await executeBuild(plan, settings, environmentOf(), {...ports, clock: Date.now, pause})
      expect(result.withoutLayers).toBe(true)
      expect(warnings()).toEqual([expect.stringMatching(/^warning: Restored layers of the daemon cannot be used: /)])
      const compiled = await readFile(join(plan.exportDirectory, 'compiled'), 'utf8')
      expect(compiled).toMatch(/^[0-9a-f-]{36}\n$/)
      expect(compiled).not.toBe(first.compiled)
      const anew = {...both(plan).result, key: 'anew'}
      expect((await saveLayers(anew, {kind: 'result', of: 'daemon', exact: false}, ports)).saved?.key).toBe('anew')
      expect(warnings()).toHaveLength(1)
    },
    180_000
  )

  it('that cannot be exported are said once', async () => {
    const {layers, result} = both(await planned('1'))
    const broken = {...layers, command: layers.command.map(word => (word === 'binary' ? 'nonsense' : word))}
    await mkdir(layers.workingDirectory, {recursive: true})
    expect(await exportLayers(broken, environmentOf(), ports)).toBe(false)
    expect(warnings()).toEqual([
      expect.stringMatching(/^warning: The layers are not kept: .*exited with 1: .*nonsense/)
    ])
    await saveLayers(result, {kind: 'result', of: 'daemon', exact: false}, ports)
    expect(warnings()).toHaveLength(2)
    expect(warnings()[1]).toContain('The result of the daemon is not kept')
  })

  describe('in a place of the user’s', () => {
    /** What of the next commit was kept from the first one, and which steps ran. */
    const rebuilt = async (inputs: Partial<Inputs>, environment: Readonly<Record<string, string>> = {}) => {
      const plan = await planned('1', inputs, environment)
      expect([plan.caches.result, plan.caches.layers, plan.caches.notes]).toEqual([undefined, undefined, []])
      const {built: first} = await build(plan, environment)
      await prune()
      const {built, progress} = await build(await planned('2', inputs, environment), environment)
      const kept = (['tools', 'installed', 'file', 'compiled'] as const).filter(name => built[name] === first[name])
      return {kept, ran: ran(progress)}
    }
    const expected = {kept: ['tools', 'installed'], ran: [expect.stringContaining('--mount=target=.')]}

    it('serve the next commit from a registry', async () => {
      const ref = `${engine.hostAddress}:${registry.port}/me/cache:daemon`
      const found = await rebuilt({cacheFrom: [ref], cacheTo: [`type=registry,ref=${ref},mode=max`]})
      expect(found).toEqual(expected)
    }, 180_000)

    it('serve the next commit from a directory', async () => {
      const found = await rebuilt({cacheFrom: ['type=local,src=mine'], cacheTo: ['type=local,dest=mine,mode=max']})
      expect(found).toEqual(expected)
    }, 180_000)

    it('are left out where BuildKit inside of the engine would fail because of them', async () => {
      const cacheTo = ['type=s3,bucket=b,region=r', 'type=azblob,account_url=https://a.example']
      const plan = await planned('1', {cacheTo})
      expect([plan.caches.to, plan.caches.notes.length]).toEqual([[], 2])
      expect((await build(plan)).built).toHaveProperty('compiled')
      for (const line of cacheTo) {
        const {workingDirectory} = plan
        const environment = {...environmentOf(), ...plan.environment}
        const command = [...plan.command, `--set=*.cache-to=${line}`]
        const {exitCode, stderr} = await commands.capture(command, {workingDirectory, environment})
        expect([exitCode, stderr]).toEqual([1, expect.stringContaining('unknown cache exporter')])
      }
    }, 180_000)

    it('serve the next commit from GitHub’s cache service', async () => {
      const service = await startResultsService(engine.hostAddress)
      try {
        const environment = service.environment()
        const found = await rebuilt({cacheFrom: ['type=gha'], cacheTo: ['type=gha,mode=max']}, environment)
        expect(found).toEqual(expected)
        expect(service.cacheEntries().map(({key}) => key)).toContainEqual(
          expect.stringContaining('build-moby-daemon-linux_amd64-binary')
        )
      } finally {
        await service.close()
      }
    }, 180_000)
  })
})

async function blobsOf(directory: string): Promise<{path: string; size: number}[]> {
  const blobs = join(directory, 'blobs', 'sha256')
  const names = await readdir(blobs)
  return Promise.all(
    names.map(async name => ({path: join(blobs, name), size: (await readFile(join(blobs, name))).length}))
  )
}

async function largestBlob(directory: string): Promise<string> {
  const blobs = await blobsOf(directory)
  return blobs.sort((one, other) => other.size - one.size)[0]?.path ?? ''
}

async function directorySize(directory: string): Promise<number> {
  return (await blobsOf(directory)).length
}

/** Makes nonsense of every layer of an entry, and the digests right again. */
async function poison(directory: string): Promise<void> {
  const blobs = join(directory, 'blobs', 'sha256')
  const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  const renamed = new Map<string, string>()
  const put = async (name: string, bytes: Buffer) => {
    renamed.set(name, hash(bytes))
    await writeFile(join(blobs, hash(bytes)), bytes)
  }
  const texts = new Map<string, string>()
  for (const name of await readdir(blobs)) {
    const bytes = await readFile(join(blobs, name))
    if (bytes.toString('latin1', 0, 1) === '{') texts.set(name, bytes.toString())
    else await put(name, Buffer.alloc(bytes.length, name))
  }
  const withNewNames = (text: string) => text.replace(/(?<=sha256:)[0-9a-f]{64}/g, name => renamed.get(name) ?? name)
  // The configuration, then the manifest that names it.
  const [manifests, configurations] = [[...texts].filter(([, text]) => text.includes('"config"')), [...texts]]
  for (const [name, text] of [...configurations.filter(one => !manifests.includes(one)), ...manifests]) {
    await put(name, Buffer.from(withNewNames(text)))
  }
  const index = join(directory, 'index.json')
  await writeFile(index, withNewNames(await readFile(index, 'utf8')))
}

async function flip(path: string): Promise<void> {
  const bytes = await readFile(path)
  const middle = Math.floor(bytes.length / 2)
  bytes[middle] = (bytes[middle] ?? 0) ^ 1
  await writeFile(path, bytes)
}
