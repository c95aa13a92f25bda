import {execFile, execFileSync} from 'node:child_process'
import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {afterAll, beforeAll, describe, expect, it} from '@jest/globals'
import {engineObstacle} from '../../sandbox/engine.js'
import {type Sandbox, startSandbox} from '../../sandbox/sandbox.js'
import {runBuiltAction} from '../support/built-action.js'
import {type ResultsService, startResultsService} from '../support/results-service.js'
import type {ActionResult} from '../support/runner.js'

/*
 * The builder that the action creates where the engine's own cannot export caches, as on GitHub's hosted runners. There is
 * no BuildKit among Debian's packages, so its image must be given: BUILD_MOBY_TEST_BUILDKIT_IMAGE=<docker save archive of
 * moby/buildkit:buildx-stable-1>.
 */
const imageArchive = process.env.BUILD_MOBY_TEST_BUILDKIT_IMAGE
const obstacle =
  (await engineObstacle()) ??
  (imageArchive === undefined ? 'BUILD_MOBY_TEST_BUILDKIT_IMAGE names no image archive' : undefined)
const suite = obstacle === undefined ? describe : describe.skip
const minutes = 60_000

suite(`the builder that the action creates${obstacle === undefined ? '' : ` (skipped: ${obstacle})`}`, () => {
  let root: string
  let sandbox: Sandbox
  let service: ResultsService
  let stopSandbox = () => Promise.resolve()

  const build = async (inputs: Record<string, string>, cancelAt?: string): Promise<ActionResult> =>
    runBuiltAction({
      root,
      with: {
        ...sandbox.inputs,
        client: 'none',
        target: 'binary',
        ...inputs
      },
      environment: {...service.environment(), ...sandbox.engine.environment},
      ...(cancelAt === undefined ? {} : {cancelAt})
    })

  const docker = (...words: string[]): string =>
    execFileSync('docker', words, {env: {...process.env, ...sandbox.engine.environment}, encoding: 'utf8'}).trim()

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-moby-created-'))
    sandbox = await startSandbox({log: () => undefined, containerdStore: false})
    stopSandbox = () => sandbox.stop()
    service = await startResultsService()
    // Only the mirror has it, so that a build must find it there.
    const image = 'moby/buildkit:buildx-stable-1'
    const mirrored = `${sandbox.engine.hostAddress}:${sandbox.network.registry.port}/${image}`
    for (const words of [
      ['load', '--input', imageArchive ?? ''],
      ['tag', image, mirrored],
      ['push', mirrored],
      ['image', 'rm', image, mirrored]
    ]) {
      await promisify(execFile)('docker', words, {env: {...process.env, ...sandbox.engine.environment}})
    }
  }, 3 * minutes)

  afterAll(async () => {
    await Promise.all([stopSandbox(), service.close()])
    await rm(root, {recursive: true, force: true})
  }, minutes)

  it(
    'builds everything with the layers cached, and is gone afterwards',
    async () => {
      const first = await build({ref: 'v28.5.2', target: 'all', client: 'auto'})
      expect(first.main.log).not.toContain('##[error]')
      expect(first.main.conclusion).toBe('success')
      const plan = await readFile(first.main.outputs.plan ?? '', 'utf8')
      expect(JSON.parse(plan)).toMatchObject({
        builder: {kind: 'created', driver: 'docker-container', why: expect.stringContaining('cannot export')}
      })
      const second = await build({ref: 'v28.5.2', target: 'all', client: 'auto'})
      expect(second.main.outputs['cache-hit']).toBe('full')
      expect(Number(/(\d+) of them from the cache/.exec(second.main.log)?.[1])).toBeGreaterThan(20)
      expect(second.main.outputs['daemon-digest']).toBe(first.main.outputs['daemon-digest'])
      expectNothingLeft()
    },
    6 * minutes
  )

  it(
    "fetches what no mirror covers through the proxy, as it is in the builder's environment",
    async () => {
      // The rule for the tree's ADD sources is left out: BuildKit asks the proxy for github.com.
      const proxy = `http://${sandbox.engine.hostAddress}:${sandbox.network.forwardProxy.port}`
      const {main} = await build({
        ref: 'docker-v29.1.0',
        'git-mirrors': `https://github.com/moby/=http://${sandbox.engine.hostAddress}:${sandbox.network.git.port}/moby/`,
        'https-proxy': proxy,
        'no-proxy': sandbox.engine.hostAddress,
        retries: '0'
      })
      expect(main.conclusion).toBe('failure')
      const targets = sandbox.network.forwardProxy.requests().map(({target}) => target)
      expect(targets).toContain('github.com:443')
      expectNothingLeft()
    },
    3 * minutes
  )

  it(
    'is removed when the job is cancelled',
    async () => {
      const {main, post} = await build({ref: 'v28.5.1', cache: 'layers'}, '▸ [build ')
      expect(main.conclusion).toBe('cancelled')
      expect(post?.conclusion).toBe('success')
      expectNothingLeft()
    },
    3 * minutes
  )

  function expectNothingLeft(): void {
    expect(docker('ps', '--all', '--format', '{{.Names}}')).toBe('')
    expect(docker('volume', 'ls', '--format', '{{.Name}}')).toBe('')
    expect(docker('buildx', 'ls')).not.toContain('build-moby')
  }
})
