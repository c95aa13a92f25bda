import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, expect} from '@jest/globals'
import {sandboxCacheDirectory} from '../../sandbox/cache-directory.js'
import {type Engine, startEngine} from '../../sandbox/engine.js'
import {pushImages} from '../../sandbox/image-push.js'
import {standInImages} from '../../sandbox/images.js'
import {type Registry, startRegistry} from '../../sandbox/registry.js'
import {systemCommands} from '../../src/adapters/commands.js'
import {systemFiles} from '../../src/adapters/files.js'
import {folderCache} from '../../src/adapters/folder-cache.js'
import type {CacheAccount} from '../../src/cache/account.js'
import type {BuilderAccess, CachePorts} from '../../src/cache/caches.js'
import {restoreMounts, type RestoredMounts} from '../../src/cache/mounts.js'
import type {PlannedMount, PlannedMounts} from '../../src/cache/plan-mounts.js'
import {keepMounts, takeMounts} from '../../src/cache/save-mounts.js'
import {memoryLog, type MemoryLog} from './memory.js'

/** The Go images of the sandbox, with the tools of Debian and of Alpine. */
export const debian = 'golang:1.24.9-bookworm'
export const alpine = 'golang:1.24.9-alpine3.21'

const nativePlatform = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`

export const compiler = (id: string, owner: readonly string[] = []): PlannedMount => ({
  id,
  kind: 'compiler',
  sharing: 'shared',
  owner
})

export const modules = (id: string): PlannedMount => ({id, kind: 'modules', sharing: 'shared', owner: []})

/** Builds with cache mounts, each test's with a store of its own, on an engine with a registry of Go images. */
export interface MountBuilds {
  /** A directory of the test. */
  readonly root: string
  readonly registry: Registry
  readonly log: MemoryLog
  /** What everything here works with; a test may replace it. */
  ports: CachePorts
  readonly context: () => BuilderAccess
  /** As an image is called in the registry. */
  readonly imageOf: (image: string) => string
  readonly plan: (mounts: readonly PlannedMount[], image?: string, commit?: string) => PlannedMounts
  readonly restore: (planned: PlannedMounts) => Promise<RestoredMounts>
  readonly save: (planned: PlannedMounts, restored: RestoredMounts, otherPorts?: CachePorts) => Promise<CacheAccount>
  /** Runs a step that has the mounts as /0, /1 … as a build would; returns what it prints. */
  readonly step: (mounts: readonly PlannedMount[], script: string, image?: string) => Promise<string>
  /** A build whose step does `script`, with its caches. */
  readonly run: (
    planned: PlannedMounts,
    script: string,
    image?: string
  ) => Promise<{restored: CacheAccount; printed: string; account: CacheAccount}>
  /** As on another machine; only that the image stays. */
  readonly forget: () => Promise<void>
  /** What a builder keeps of a Dockerfile's layers. */
  readonly writeLayers: (directory: string, dockerfile: readonly string[]) => Promise<void>
  /** Changes an entry of the store. */
  readonly tamper: (key: string, change: (directory: string) => Promise<void>) => Promise<void>
  readonly warnings: () => readonly string[]
}

/** For the tests of the `describe` that it is called in. */
export function mountBuilds(): MountBuilds {
  let root: string
  let engine: Engine
  let registry: Registry
  let log: MemoryLog
  let ports: CachePorts

  beforeAll(async () => {
    const options = {cacheDirectory: sandboxCacheDirectory(process.env), log: () => undefined}
    engine = await startEngine(options)
    registry = await startRegistry({...options, addresses: ['127.0.0.1', engine.hostAddress]})
    const images = await standInImages(options)
    await pushImages(
      registry.url,
      images.filter(({repository}) => repository.endsWith('/golang'))
    )
  }, 300_000)

  afterAll(async () => {
    await engine.stop()
    await registry.stop()
  })

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-moby-mounts-'))
    log = memoryLog()
    const commands = systemCommands(new AbortController().signal)
    ports = {
      commands,
      log,
      files: systemFiles(root),
      clock: () => performance.now(),
      cache: folderCache(join(root, 'store'), {maximumBytes: 1e9, maximumAgeMilliseconds: 1e9}, commands, log)
    }
    await forget()
  })

  afterEach(async () => {
    await rm(root, {recursive: true, force: true})
  })

  async function docker(...words: readonly string[]): Promise<void> {
    const result = await ports.commands.capture(['docker', ...words], {environment: engine.environment})
    expect(result).toMatchObject({exitCode: 0})
  }

  const context = (): BuilderAccess => ({builder: 'default', environment: engine.environment})
  const imageOf = (image: string): string => `${engine.hostAddress}:${registry.port}/library/${image}`
  const restore = (planned: PlannedMounts) => restoreMounts(planned, 'daemon', context(), ports)
  const save = async (planned: PlannedMounts, restored: RestoredMounts, otherPorts = ports) =>
    await keepMounts(planned, await takeMounts(planned, restored, context(), otherPorts), otherPorts)

  async function forget(): Promise<void> {
    await docker('buildx', 'prune', '--force', '--filter=type=exec.cachemount')
  }

  async function step(mounts: readonly PlannedMount[], script: string, image = debian): Promise<string> {
    const directory = await mkdtemp(join(root, 'step-'))
    const flags = mounts.map(
      ({id, owner}, index) => `--mount=${['type=cache', `id=${id}`, `target=/${index}`, ...owner].join()}`
    )
    const dockerfile = [
      `FROM ${imageOf(image)} AS step`,
      `RUN --mount=type=bind,target=/in ${flags.join(' ')} sh -eu /in/script > /printed # ${String(Math.random())}`,
      'FROM scratch',
      'COPY --from=step /printed /'
    ]
    await writeFile(join(directory, 'Dockerfile'), dockerfile.join('\n'))
    await writeFile(join(directory, 'script'), script)
    const output = `--output=type=local,dest=${directory}/out`
    await docker('buildx', 'build', '--quiet', '--provenance=false', output, directory)
    return (await readFile(join(directory, 'out', 'printed'), 'utf8')).trim()
  }

  return {
    get root() {
      return root
    },
    get registry() {
      return registry
    },
    get log() {
      return log
    },
    get ports() {
      return ports
    },
    set ports(others) {
      ports = others
    },
    context,
    imageOf,
    restore,
    save,
    step,
    forget,

    plan(mounts, image = debian, commit = 'aaaaaaa') {
      return {
        prefixes: ['mounts-28.5-', 'mounts-'],
        keyPrefix: `mounts-28.5-${commit}-`,
        groups: [{mounts}],
        left: [],
        image: imageOf(image),
        imagePlatform: nativePlatform,
        environment: {},
        files: [],
        directory: join(root, 'work')
      }
    },

    async run(planned, script, image = debian) {
      const restored = await restore(planned)
      const printed = await step(planned.groups[0]?.mounts ?? [], script, image)
      const account = await save(planned, restored)
      return {restored: restored.account, printed, account}
    },

    async writeLayers(directory, dockerfile) {
      await rm(directory, {recursive: true, force: true})
      await writeFile(join(root, 'Dockerfile'), dockerfile.join('\n'))
      const cacheTo = `--cache-to=type=local,dest=${directory},mode=max,compression=zstd`
      await docker('buildx', 'build', '--provenance=false', '--output=type=cacheonly', cacheTo, root)
    },

    async tamper(key, change) {
      const directory = join(root, 'tampered')
      expect(await ports.cache.restore(directory, key, [])).toBeDefined()
      await change(directory)
      await rm(join(root, 'store'), {recursive: true})
      expect(await ports.cache.save(directory, key)).toBeDefined()
    },

    warnings: () => log.lines.filter(line => /^(warning|error)/.test(line))
  }
}
