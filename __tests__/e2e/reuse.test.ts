import {execFileSync} from 'node:child_process'
import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, expect, it} from '@jest/globals'
import {sandboxCacheDirectory} from '../../sandbox/cache-directory.js'
import {pushImages} from '../../sandbox/image-push.js'
import {standInImages} from '../../sandbox/images.js'
import {type Sandbox, startSandbox} from '../../sandbox/sandbox.js'
import {runBuiltAction} from '../support/built-action.js'
import {describeWithEngine} from '../support/describe-with-engine.js'
import {describeTree} from '../support/directory-tree.js'
import {type ResultsService, startResultsService} from '../support/results-service.js'
import type {PhaseResult} from '../support/runner.js'

const minutes = 60_000

await describeWithEngine('the input reuse', () => {
  let root: string
  let sandbox: Sandbox
  let stopSandbox = () => Promise.resolve()
  let service: ResultsService
  let first: PhaseResult

  /** Of the caches, only finished bundles are used. */
  const run = async (inputs: Record<string, string> = {}): Promise<PhaseResult> => {
    // Entries lie in a folder, where they can be got at.
    const identity = {...service.environment(), ACTIONS_CACHE_SERVICE_V2: ''}
    const {main} = await runBuiltAction({
      root,
      with: {...sandbox.inputs, ref: 'v28.5.2', target: 'binary', cache: 'off', reuse: 'true', ...inputs},
      environment: {...identity, ...sandbox.engine.environment, BUILD_MOBY_CACHE: join(root, 'cache')}
    })
    expect(main.log).not.toContain('##[error]')
    expect(main).toMatchObject({conclusion: 'success', problems: []})
    return main
  }

  const reused = ({log}: PhaseResult) => {
    const built = log.includes('Building the daemon')
    expect(log.includes('Unchanged since')).toBe(!built)
    return !built
  }

  const digests = ({outputs}: PhaseResult) => [outputs['daemon-digest'], outputs['client-digest']]

  const entries = () => readdir(join(root, 'cache', 'v1'))

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-moby-reuse-'))
    sandbox = await startSandbox({log: () => undefined})
    stopSandbox = () => sandbox.stop()
    service = await startResultsService()
    first = await run()
  }, 10 * minutes)

  afterAll(async () => {
    await Promise.all([stopSandbox(), service.close()])
    await rm(root, {recursive: true, force: true})
  }, minutes)

  it('builds as long as there is nothing, and keeps what was built', async () => {
    expect(reused(first)).toBe(false)
    expect(first.log).toContain('Nothing is reused: no finished bundles of this content are in')
    expect(first.outputs['cache-hit']).toBe('none')
    expect(first.summary).toMatch(/\| finished bundles \| daemon and client \| none \|/)
    expect(await entries()).toEqual([expect.stringMatching(/^build-moby-bundles-1-daemon/)])
  })

  it(
    'publishes the same bundles again when nothing has changed, and asks nobody for any content',
    async () => {
      const {registry, aptMirror, goProxy} = sandbox.network
      const asked = [registry, aptMirror, goProxy].map(server => server.requests().length)
      const published = service.artifacts().length
      const again = await run()
      expect(reused(again)).toBe(true)
      expect(digests(again)).toEqual(digests(first))
      expect(again.outputs['cache-hit']).toBe('full')
      expect(again.outputs['daemon-artifact-id']).toMatch(/^\d+$/)
      expect(
        service
          .artifacts()
          .slice(published)
          .map(({name}) => name)
          .sort()
      ).toEqual(['binary-client', 'binary-daemon'])
      const made = (main: PhaseResult, name: string) => describeTree(join(main.outputs.bundles ?? '', name))
      for (const name of ['binary-daemon', 'binary-client'])
        expect(await made(again, name)).toEqual(await made(first, name))
      const archives = ['binary-client.tar.gz.sha256', 'binary-daemon.tar.gz.sha256']
      execFileSync('sha256sum', ['--check', '--status', ...archives], {cwd: again.outputs.bundles})
      const questions = [registry, aptMirror, goProxy].flatMap((server, index) => server.requests().slice(asked[index]))
      expect(questions.filter(({method, path}) => method !== 'HEAD' && path !== '/v2/')).toEqual([])
      expect(await entries()).toHaveLength(1)
    },
    2 * minutes
  )

  it(
    'says since when and what was compared',
    async () => {
      const {summary, log} = await run()
      expect(log).toMatch(/dockerd: version 28\.5\.2, build [0-9a-f]{7} \(ran\)/)
      expect(summary).toMatch(
        /Unchanged since \d{4}-\d\d-\d\dT[\d:]+Z \(\[run\]\(https:\/\/github\.com\/octo\/repository\/actions\/runs\/\d+\)\)/
      )
      expect(summary).toMatch(/Compared: the commit of the daemon \([0-9a-f]{7}\);.*golang:1\.24\.9-bookworm/)
      expect(summary).toMatch(/Not compared: .*packages of Debian and Ubuntu/)
      expect(summary).toMatch(/dockerd says 28\.5\.2, build [0-9a-f]{7} \(it was run\)/)
      expect(summary).toMatch(/\| finished bundles \| daemon and client \| exact \| \d/)
    },
    2 * minutes
  )

  it(
    'builds when an entry was tampered with, and the next run finds a sound one',
    async () => {
      const [name = ''] = await entries()
      await repack(join(root, 'cache', 'v1', name), async directory => {
        const archive = join(directory, 'binary-daemon.tar.gz')
        const bytes = await readFile(archive)
        bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
        await writeFile(archive, bytes)
      })
      const rebuilt = await run()
      expect(reused(rebuilt)).toBe(false)
      expect(rebuilt.annotations.filter(({level}) => level === 'warning')).toEqual([
        expect.objectContaining({
          message: expect.stringMatching(/^The finished bundles in \S+ are not reused, so they are built: unpack: /)
        })
      ])
      expect(digests(rebuilt)).toEqual(digests(first))
      expect(reused(await run())).toBe(true)
    },
    4 * minutes
  )

  it(
    'builds when the user wants so, or something else',
    async () => {
      const without = await run({reuse: 'false'})
      expect(reused(without)).toBe(false)
      expect(without.summary).not.toContain('finished bundles')
      expect(reused(await run({product: 'another'}))).toBe(false)
      expect(reused(await run({product: 'another'}))).toBe(true)
    },
    6 * minutes
  )

  it(
    'builds when a tag stands for another image',
    async () => {
      const {registry} = sandbox.network
      const images = await standInImages({cacheDirectory: sandboxCacheDirectory(process.env), log: () => undefined})
      const crossCompile = images.filter(({repository}) => repository === 'tonistiigi/xx')
      const newer = crossCompile.map(image => ({...image, config: {...image.config, Cmd: ['newer']}}))
      await pushImages(registry.url, newer)
      const rebuilt = await run()
      expect(reused(rebuilt)).toBe(false)
      expect(digests(rebuilt)).toEqual(digests(first))
      expect(reused(await run())).toBe(true)
      await pushImages(registry.url, crossCompile)
      expect(reused(await run())).toBe(true)
    },
    6 * minutes
  )
})

/** Replaces a folder's entry by what `change` makes of it. */
async function repack(entry: string, change: (directory: string) => Promise<void>): Promise<void> {
  const directory = `${entry}.unpacked`
  await mkdir(directory)
  execFileSync('tar', ['--zstd', '-xf', entry, '-C', directory])
  await change(directory)
  execFileSync('tar', ['--zstd', '-cf', entry, '-C', directory, '.'])
  await rm(directory, {recursive: true})
}
