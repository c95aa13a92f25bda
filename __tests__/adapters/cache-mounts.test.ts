import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
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
import type {CachePorts} from '../../src/cache/caches.js'
import {digestOf, type MountEntry} from '../../src/cache/mount-entry.js'
import {restoreMounts, type RestoredMounts} from '../../src/cache/mounts.js'
import type {PlannedMount, PlannedMounts} from '../../src/cache/plan-mounts.js'
import {keepMounts, takeMounts} from '../../src/cache/save-mounts.js'
import {CancelledError} from '../../src/errors.js'
import type {StreamOptions} from '../../src/ports.js'
import {describeWithEngine} from '../support/describe-with-engine.js'
import {memoryLog, type MemoryLog} from '../support/memory.js'

const debian = 'golang:1.24.9-bookworm'
const alpine = 'golang:1.24.9-alpine3.21'

const compiler = (id: string, owner: readonly string[] = []): PlannedMount => ({
  id,
  kind: 'compiler',
  sharing: 'shared',
  owner
})
const nativePlatform = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`

const modules = (id: string): PlannedMount => ({id, kind: 'modules', sharing: 'shared', owner: []})

await describeWithEngine('cache mounts', () => {
  const cacheDirectory = sandboxCacheDirectory(process.env)
  let root: string
  let engine: Engine
  let registry: Registry
  let log: MemoryLog
  let ports: CachePorts

  beforeAll(async () => {
    const options = {cacheDirectory, log: () => undefined}
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

  const docker = async (...words: readonly string[]) => {
    const result = await ports.commands.capture(['docker', ...words], {environment: engine.environment})
    expect(result).toMatchObject({exitCode: 0})
    return result.stdout
  }
  /** As on another machine; only that the image stays. */
  const forget = (): Promise<string> => docker('buildx', 'prune', '--force', '--filter=type=exec.cachemount')
  const context = () => ({builder: 'default', environment: engine.environment})
  const imageOf = (image: string) => `${engine.hostAddress}:${registry.port}/library/${image}`
  const plan = (mounts: readonly PlannedMount[], image = debian, commit = 'aaaaaaa'): PlannedMounts => ({
    prefixes: ['mounts-28.5-', 'mounts-'],
    keyPrefix: `mounts-28.5-${commit}-`,
    groups: [{mounts}],
    left: [],
    image: imageOf(image),
    imagePlatform: nativePlatform,
    environment: {},
    files: [],
    directory: join(root, 'work')
  })

  /** Runs a step that has the mounts as /0, /1 … as a build would; returns what it prints. */
  const step = async (mounts: readonly PlannedMount[], script: string, image = debian): Promise<string> => {
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
    await docker(
      'buildx',
      'build',
      '--quiet',
      '--provenance=false',
      `--output=type=local,dest=${directory}/out`,
      directory
    )
    return (await readFile(join(directory, 'out', 'printed'), 'utf8')).trim()
  }
  const restore = (planned: PlannedMounts) => restoreMounts(planned, 'daemon', context(), ports)
  const save = async (planned: PlannedMounts, restored: RestoredMounts, used = ports) =>
    await keepMounts(planned, await takeMounts(planned, restored, context(), used), used)
  const warnings = () => log.lines.filter(line => /^(warning|error)/.test(line))
  const list = 'find . -path ./.build-moby -prune -o -type f -print | sort'

  /** A build whose steps do `script`, with its caches. */
  const run = async (planned: PlannedMounts, script: string, image = debian) => {
    const restored = await restore(planned)
    const printed = await step(planned.groups[0]?.mounts ?? [], script, image)
    const account = await save(planned, restored)
    return {restored: restored.account, printed, account}
  }

  /** What a builder keeps of a Dockerfile's layers. */
  const writeLayers = async (directory: string, dockerfile: readonly string[]) => {
    await rm(directory, {recursive: true, force: true})
    await writeFile(join(root, 'Dockerfile'), dockerfile.join('\n'))
    const cacheTo = `--cache-to=type=local,dest=${directory},mode=max,compression=zstd`
    await docker('buildx', 'build', '--provenance=false', '--output=type=cacheonly', cacheTo, root)
  }

  const tar = async (...words: readonly string[]) => {
    expect(await ports.commands.capture(['tar', ...words])).toMatchObject({exitCode: 0})
  }

  /** Changes an entry of the store. */
  const tamper = async (key: string, change: (directory: string) => Promise<void>) => {
    const directory = join(root, 'tampered')
    expect(await ports.cache.restore(directory, key, [])).toBeDefined()
    await change(directory)
    await rm(join(root, 'store'), {recursive: true})
    expect(await ports.cache.save(directory, key)).toBeDefined()
  }

  describe.each([
    ['Debian', debian],
    ['Alpine', alpine]
  ])('with the tools of %s', (_, image) => {
    const mounts = [compiler('moby-build-linux/amd64'), compiler('/root/.cache/go-build'), modules('/go/pkg/mod')]
    const go = `mkdir /src
      cd /src
      mkdir a b
      echo 'module example' > go.mod
      echo 'package a; func F() int { return 1 }' > a/a.go
      echo 'package b; import "example/a"; func F() int { return a.F() }' > b/b.go
      echo 'package main; import "example/b"; func main() { println(b.F()) }' > main.go
      export GO111MODULE=on CGO_ENABLED=0 GOCACHE=/0
      go build -x -o program . 2> log || { cat log >&2; exit 1; }
      ./program
      grep -c '/compile ' log || true`

    it('lets Go compile nothing again', async () => {
      const planned = plan(mounts, image)
      const cold = await run(planned, go, image)
      expect(cold.restored).toEqual({kind: 'mounts', of: 'daemon', exact: false})
      expect(cold.account.saved?.key).toMatch(/^mounts-28\.5-aaaaaaa-[0-9a-f]{16}$/)
      expect(Number(cold.printed)).toBeGreaterThanOrEqual(3)
      await forget()
      const warm = await run(planned, go, image)
      expect(warm.restored).toMatchObject({exact: true, restored: cold.account.saved})
      expect(warm.printed).toBe('0')
      expect(warm.account).toEqual({...warm.restored, note: 'nothing new'})
      expect(warnings()).toEqual([])
      // Neither the entry nor the context of the commands stays on the disk.
      expect(await readdir(root)).not.toContain('work')
    }, 240_000)

    it('keeps owner, mode and the times of files, read-only directories included', async () => {
      const planned = plan([compiler('a', ['uid=7', 'gid=8', 'mode=0700']), modules('b')], image)
      const look = `cd /0; stat -c '%n %u:%g %a' . x x/f
        cd /1; stat -c '%n %u:%g %a' m; stat -c '%n %u:%g %a %Y' m/f; readlink m/l`
      await run(
        planned,
        `cd /0; mkdir -m 750 x; echo 1 > x/f; chmod 640 x/f; chown -R 7:8 x
         cd /1; mkdir m; echo 2 > m/f; ln -s f m/l; touch -d '2001-02-03 04:05:06' m/f m; chmod 444 m/f; chmod 555 m`,
        image
      )
      await forget()
      const {printed, restored} = await run(planned, look, image)
      expect(restored.restored).toBeDefined()
      expect(printed.split('\n')).toEqual([
        '. 7:8 700',
        'x 7:8 750',
        'x/f 7:8 640',
        'm 0:0 555',
        'm/f 0:0 444 981173106',
        'f'
      ])
    }, 120_000)

    it('leaves the mounts as they were when an archive cannot be unpacked', async () => {
      const planned = plan([compiler('a'), modules('b'), compiler('c')], image)
      const {account} = await run(planned, 'echo 1 > /0/f; echo 2 > /1/f; echo 3 > /2/f', image)
      await forget()
      await tamper(account.saved?.key ?? '', async directory => {
        const entry = JSON.parse(await readFile(join(directory, 'entry.json'), 'utf8')) as MountEntry
        const archive = join(directory, '0.archive')
        const unpacked = await mkdtemp(join(root, 'unpacked-'))
        await tar('-xf', archive, '-C', unpacked)
        await writeFile(join(unpacked, 'results', '2.tar'), 'no archive')
        await tar('-czf', archive, '-C', unpacked, 'results')
        Object.assign(entry.archives['0.archive'] ?? {}, await digestOf(archive, ports.files))
        await writeFile(join(directory, 'entry.json'), JSON.stringify(entry))
      })
      await step([compiler('a')], 'echo own > /0/own', image)
      const again = await run(planned, `for i in 0 1 2; do cd /$i; ${list}; done`, image)
      expect(again.restored).toEqual({kind: 'mounts', of: 'daemon', exact: false, note: 'not restored'})
      expect(again.printed).toBe('./own')
      expect(warnings()).toEqual([
        expect.stringMatching(/^warning: The cache mounts of the daemon were not restored: /)
      ])
    }, 120_000)
  })

  it('keeps of a compiler what was used, of modules all, and a mount as it was whose step did not run', async () => {
    const mounts = [compiler('a'), modules('b'), compiler('c')]
    await run(
      plan(mounts),
      'for i in 0 1 2; do cd /$i; head -c 100 /dev/zero > old; head -c 100 /dev/zero > kept; done'
    )
    await forget()
    const more = 'touch /0/kept; head -c 1000 /dev/zero > /0/new; echo new > /1/new'
    const {account} = await run(plan(mounts, debian, 'bbbbbbb'), more)
    expect(account.saved?.key).toMatch(/^mounts-28\.5-bbbbbbb-/)
    await forget()
    const {printed, restored} = await run(plan(mounts, debian, 'ccccccc'), `for i in 0 1 2; do cd /$i; ${list}; done`)
    expect(restored).toMatchObject({exact: false, restored: {key: account.saved?.key}})
    expect(printed.split('\n')).toEqual(['./kept', './new', './kept', './new', './old', './kept', './old'])
  }, 120_000)

  it('adds to an entry, and takes nothing when what was added to is gone', async () => {
    const mounts = [compiler('a')]
    const first = await run(plan(mounts), 'head -c 100000 /dev/zero > /0/base')
    await forget()
    const next = plan(mounts, debian, 'bbbbbbb')
    const second = await run(next, 'touch /0/base; head -c 2000 /dev/zero > /0/more')
    const added = join(root, 'added')
    await ports.cache.restore(added, second.account.saved?.key ?? '', [])
    expect(JSON.parse(await readFile(join(added, 'entry.json'), 'utf8'))).toMatchObject({
      base: first.account.saved?.key,
      mounts: {'0': {files: 1, contentBytes: 2000, firstBytes: 100_000}}
    })
    await forget()
    const third = await run(plan(mounts, debian, 'ccccccc'), `cd /0; ${list}; echo 3 > third`)
    expect(third.printed.split('\n')).toEqual(['./base', './more'])

    const kept = (await readdir(join(root, 'store', 'v1'))).filter(
      name => !name.startsWith(first.account.saved?.key ?? '')
    )
    expect(kept).toHaveLength(1)
    await rm(join(root, 'store', 'v1', `${first.account.saved?.key ?? ''}.tar.zst`))
    await forget()
    const fourth = await run(plan(mounts, debian, 'ddddddd'), `cd /0; ${list}; echo 4 > fourth`)
    expect(fourth.restored.restored).toBeUndefined()
    expect(fourth.printed).toBe('')
    expect(warnings()).toEqual([expect.stringContaining('which is gone')])
    expect(fourth.account.saved?.key).toMatch(/^mounts-28\.5-ddddddd-/)
  }, 180_000)

  it('uses nothing of a damaged entry, says so once, and saves another', async () => {
    const planned = plan([compiler('a'), compiler('b')])
    const {account} = await run(planned, 'echo 1 > /0/f; echo 2 > /1/f')
    await forget()
    await tamper(account.saved?.key ?? '', async directory => {
      const archive = await readFile(join(directory, '0.archive'))
      archive.writeUInt8(archive.readUInt8(archive.length >> 1) ^ 1, archive.length >> 1)
      await writeFile(join(directory, '0.archive'), archive)
    })
    const again = await run(planned, `cd /0; ${list}; echo 1 > f; echo 2 > /1/f`)
    expect(again.printed).toBe('')
    expect(again.account.saved?.key).toMatch(/^mounts-28\.5-aaaaaaa-/)
    expect(again.account.saved?.key).not.toBe(account.saved?.key)
    expect(warnings()).toEqual(['warning: The cache mounts of the daemon were not restored: 0.archive is damaged'])
  }, 120_000)

  it('transfers nothing to a builder that has the newest entry, and adds it to one that has another', async () => {
    const planned = plan([compiler('a'), modules('b')])
    await run(planned, 'echo 1 > /0/f; echo 2 > /1/f; touch -d @1000000000 /0/f')
    const fetched: string[] = []
    const {cache} = ports
    ports = {
      ...ports,
      cache: {
        ...cache,
        restore: async (directory, key, prefixes) => (fetched.push(key), await cache.restore(directory, key, prefixes))
      }
    }
    const again = await run(planned, 'stat -c %Y /0/f')
    expect(again.restored).toMatchObject({exact: true, note: 'in the builder already'})
    expect([fetched, again.printed]).toEqual([[], '1000000000'])

    await forget()
    await step(planned.groups[0]?.mounts ?? [], 'echo own > /0/own; echo own > /1/own')
    const added = await run(planned, `cd /0; ${list}; cd /1; ${list}`)
    expect(fetched).toEqual([again.restored.restored?.key])
    // Go trusts a directory of modules as soon as it is there, so half of one must never be.
    expect(added.printed.split('\n')).toEqual(['./f', './own', './own'])
    expect(warnings()).toEqual([])
  }, 180_000)

  it('knows gzip where there is no zstd', async () => {
    const {commands} = ports
    ports = {
      ...ports,
      commands: {
        ...commands,
        capture: async (argv, options) =>
          argv[0] === 'zstd' ? {exitCode: 127, stdout: '', stderr: ''} : await commands.capture(argv, options)
      }
    }
    const planned = plan([compiler('a')])
    const {account} = await run(planned, 'echo 1 > /0/f')
    await tamper(account.saved?.key ?? '', async directory => {
      const archive = await readFile(join(directory, '0.archive'))
      expect(archive.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]))
    })
    await forget()
    expect((await run(planned, 'cat /0/f')).printed).toBe('1')
    expect(warnings()).toEqual([])
  }, 60_000)

  it('says why the archive could not be written', async () => {
    const planned = plan([compiler('a')])
    const restored = await restore(planned)
    await step([compiler('a')], 'echo 1 > /0/f')
    const {commands} = ports
    const full = {
      ...commands,
      stream: (argv: readonly string[], options: StreamOptions) => {
        const through = ['sh', '-c', 'echo "zstd: error 70: No space left on device" >&2; exit 1']
        return commands.stream(
          argv,
          options.into === undefined ? options : {...options, into: {...options.into, through}}
        )
      }
    }
    expect(await save(planned, restored, {...ports, commands: full})).toMatchObject({note: 'not saved'})
    expect(warnings()).toEqual([
      'warning: The cache mounts of the daemon were not saved: zstd: error 70: No space left on device'
    ])
    expect(await readdir(root)).not.toContain('store')
  }, 60_000)

  it('is served by the node of each platform', async () => {
    const groups = ['linux/amd64', 'linux/arm64'].map(platform => ({platform, mounts: [compiler(`go-${platform}`)]}))
    const planned = {...plan([]), groups}
    const mounts = groups.flatMap(group => group.mounts)
    const before = await restore(planned)
    await step(mounts, 'for f in /0/one /1/two; do head -c 100 /dev/zero > $f; done')
    const {saved} = await save(planned, before)
    const entry = join(root, 'entry')
    await ports.cache.restore(entry, saved?.key ?? '', [])
    expect(await readdir(entry)).toEqual(['0.archive', '0.names', '1.archive', '1.names', 'entry.json'])
    await forget()
    const again = await restore(planned)
    expect(again.account.exact).toBe(true)
    const next = 'stat -c %s /0/one /1/two; head -c 20 /dev/zero > /1/three; touch /0/one /1/two'
    expect(await step(mounts, next)).toBe('100\n100')
    // Nothing is added to the first.
    await rm(entry, {recursive: true})
    await ports.cache.restore(entry, (await save({...planned, keyPrefix: 'next-'}, again)).saved?.key ?? '', [])
    expect(await readdir(entry)).toEqual(['1.archive', '1.names', 'entry.json'])
  }, 120_000)

  it('costs a warning when the builder cannot run it', async () => {
    const planned = plan([compiler('a')])
    await run(planned, 'echo 1 > /0/f')
    await forget()
    const broken = {...planned, image: `${imageOf(debian)}-missing`}
    const restored = await restore(broken)
    expect(restored.account).toMatchObject({exact: false, note: 'not restored'})
    expect(await save(broken, restored)).toMatchObject({note: 'not saved'})
    expect(warnings()).toEqual([
      expect.stringMatching(/were not restored: .*not found/),
      expect.stringMatching(/were not saved: .*not found/)
    ])
  }, 60_000)

  it('are filled by restored layers, without an image', async () => {
    const planned = plan([compiler('a')])
    await run(planned, 'echo 1 > /0/f')
    await forget()
    const layers = join(root, 'layers')
    // As in docker/cli and moby: one layer, linked to several.
    const linked = 'COPY --link Dockerfile /linked'
    const other = ['FROM scratch AS other', linked]
    await writeLayers(layers, [
      `FROM ${imageOf(debian)} AS base`,
      linked,
      'RUN echo 2 > /own',
      ...other,
      'FROM base',
      linked
    ])
    const before = registry.requests().length
    const nowhere = {...planned, image: imageOf('nowhere')}
    const restored = await restoreMounts(nowhere, 'daemon', context(), ports, layers)
    expect(registry.requests().slice(before)).toEqual([])
    expect(restored.account.restored).toBeDefined()
    expect(await step([compiler('a')], 'cat /0/f; touch /0/f; echo 2 > /0/g')).toBe('1')
    const asked = registry.requests().length
    expect(await save(nowhere, restored)).toMatchObject({saved: {}, note: '2 B new'})
    expect(registry.requests().slice(asked)).toEqual([])
    // The image is taken when the layers cannot be.
    await forget()
    await rm(join(layers, 'index.json'))
    expect((await restoreMounts(planned, 'daemon', context(), ports, layers)).account.restored).toBeDefined()
    await forget()
    await writeFile(join(layers, 'index.json'), '{"manifests": []}')
    expect((await restoreMounts(planned, 'daemon', context(), ports, layers)).account.restored).toBeDefined()
    expect(log.lines.filter(line => line.includes('No image can be made of the restored layers'))).toHaveLength(2)
    await forget()
    await writeLayers(layers, ['FROM scratch', 'COPY Dockerfile /'])
    expect((await restoreMounts(planned, 'daemon', context(), ports, layers)).account.restored).toBeDefined()
    expect(log.lines.join('\n')).toMatch(/debug: The cache mounts cannot be filled by restored layers: .*"?sh"?/)
    expect(await step([compiler('a')], 'cat /0/f')).toBe('1')
    expect(warnings()).toEqual([])
  }, 120_000)

  it('are not left half filled by a run that was killed', async () => {
    const planned = plan([modules('m')])
    await run(planned, 'echo 1 > /0/f')
    await forget()
    await step([modules('m')], 'mkdir -p /0/.build-moby/new && echo half > /0/.build-moby/new/half')
    await restore(planned)
    expect(await step([modules('m')], `cd /0 && ${list} && ls .build-moby`)).toMatch(/^\.\/f\n(?!.*new)/s)
    await step([modules('m')], 'echo 2 > /0/own')
    // What a build has put there since is no half of ours.
    await forget()
    await step([modules('m')], 'echo 3 > /0/own')
    await restore(planned)
    expect(await step([modules('m')], `cd /0 && ${list}`)).toBe('./own')
    expect(warnings()).toEqual([])
  }, 120_000)

  it('ends with the run when that is cancelled', async () => {
    const planned = plan([compiler('a')])
    await run(planned, 'echo 1 > /0/f')
    await forget()
    const cancelled = new AbortController()
    const commands = systemCommands(cancelled.signal)
    cancelled.abort(new CancelledError('cancelled'))
    const cancelledPorts = {...ports, commands}
    await expect(restoreMounts(planned, 'daemon', context(), cancelledPorts)).rejects.toThrow(CancelledError)
    const restored = await restore(planned)
    await expect(save(planned, restored, cancelledPorts)).rejects.toThrow(CancelledError)
    expect(warnings()).toEqual([])
  }, 60_000)
})
