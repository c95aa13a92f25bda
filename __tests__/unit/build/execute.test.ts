import {describe, expect, it} from '@jest/globals'
import {executeBuild} from '../../../src/build/execute.js'
import {StepError} from '../../../src/errors.js'
import type {Inputs} from '../../../src/inputs.js'
import type {Network} from '../../../src/network/network.js'
import {inputsWith} from '../../support/inputs.js'
import {networkWith} from '../../support/network.js'
import {memoryCommands, memoryFiles, memoryLog, type Answer} from '../../support/memory.js'
import {buildOf, planWith} from '../../support/plan.js'

const line = (parts: object) => JSON.stringify({vertexes: [{digest: 'd1', name: '[build 1/1] RUN make', ...parts}]})
const log64 = (text: string) => JSON.stringify({logs: [{vertex: 'd1', data: Buffer.from(text).toString('base64')}]})
const failed = (output: string): Answer => ({
  exitCode: 1,
  stderr: [log64(output), line({error: 'process "/bin/sh -c make" did not complete successfully: exit code: 2'})].join(
    '\n'
  )
})
const good: Answer = {stderr: line({started: '2026-01-01T00:00:00Z', completed: '2026-01-01T00:00:03Z'})}
const noNetwork = failed('fatal: unable to access …: Could not resolve host: github.com\n')
const spoilt: Answer = {exitCode: 1, stderr: line({cached: true, error: 'gzip: invalid checksum'})}
const recovered: Answer = {stderr: [spoilt.stderr, good.stderr].join('\n')}
const noCompile = failed('daemon/daemon.go:12:3: undefined: foo\n')

interface Case {
  /** What bake answers, attempt by attempt. */
  readonly attempts?: readonly Answer[]
  readonly inputs?: Partial<Inputs>
  readonly files?: Readonly<Record<string, string>>
  readonly removal?: Answer
  readonly network?: Partial<Network>
  /** Whether the proxies are secrets of the build, and no arguments. */
  readonly proxySecrets?: boolean
}

function execute({attempts = [good], inputs = {}, files: given = {}, ...more}: Case) {
  const {removal = {}, network = {}, proxySecrets = false} = more
  const images = ['docker/dockerfile:1', 'tonistiigi/xx:1.7.0', 'library/golang:1.24.9-bookworm']
  const imageDigests = new Map(images.map(image => [`docker.io/${image}`, 'sha256:1']))
  const plan = planWith(inputs, {network, imageDigests})
  const build = {...buildOf(plan), proxySecrets}
  const answers = [...attempts]
  const commands = memoryCommands(command => (command.includes('buildx bake') ? answers.shift() : removal))
  const files = memoryFiles({
    ...given,
    '/job/run/daemon/export/stale': 'of an earlier attempt'
  })
  const log = memoryLog()
  const pauses: number[] = []
  let now = 0
  const ports = {
    commands,
    files,
    log,
    clock: () => (now += 1500),
    pause: (milliseconds: number) => {
      pauses.push(milliseconds)
      return Promise.resolve()
    }
  }
  const environment = {PATH: '/bin', BUILDX_CONFIG: '/home/me/buildx'}
  const {retries, proxies: stepProxies} = inputsWith(inputs)
  const settings = {endpoints: plan.endpoints, network: networkWith(), retries, stepProxies}
  return {build, commands, files, log, pauses, result: executeBuild(build, settings, environment, ports)}
}

const bakes = ({commands}: ReturnType<typeof execute>) => commands.ran.filter(({argv}) => argv.includes('bake'))

describe('executeBuild', () => {
  it('writes the planned files and runs the planned command, in its directory and environment', async () => {
    const run = execute({})
    const result = await run.result
    for (const {path, content} of run.build.files) expect(run.files.texts.get(path)).toBe(content)
    expect(bakes(run)).toEqual([
      {
        argv: run.build.command,
        options: expect.objectContaining({
          workingDirectory: '/workspace/moby',
          environment: {PATH: '/bin', BUILDX_CONFIG: '/home/me/buildx', ...run.build.environment}
        })
      }
    ])
    expect(result.seconds).toBe(1.5)
    expect(result.progress.steps).toEqual([{name: '[build 1/1] RUN make', seconds: 3, cached: false}])
    expect(run.log.lines.slice(-2)).toEqual([
      'info: 1 steps in 1.5 s, 0 of them from the cache. The slowest:',
      'info:          3.0 s  [build 1/1] RUN make'
    ])
  })

  it('begins with an empty export directory', async () => {
    const run = execute({})
    await run.result
    expect(await run.files.list('/job/run/daemon/export')).toEqual([])
  })

  it('tries again after a network failure, waiting longer each time', async () => {
    const run = execute({attempts: [noNetwork, noNetwork, good], inputs: {retries: 2}})
    await run.result
    expect(bakes(run)).toHaveLength(3)
    expect(run.pauses).toEqual([5000, 10000])
    expect(run.log.lines.filter(text => text.startsWith('warning: '))).toEqual([
      expect.stringContaining('Could not resolve host: github.com. Next attempt in 5 s (1 of 2).'),
      expect.stringContaining('Next attempt in 10 s (2 of 2).')
    ])
  })

  it('gives up after the last attempt, with step, cause and the inputs that help', async () => {
    const run = execute({attempts: [noNetwork, noNetwork], inputs: {retries: 1}})
    await expect(run.result).rejects.toThrow(StepError)
    await expect(run.result).rejects.toThrow(
      /^build daemon: docker buildx bake exited with 1 \(after 2 attempts\) in the step \[build 1\/1\] RUN make:\nfatal: [^]*`git-mirrors: https:/
    )
  })

  describe('with restored layers that cannot be used', () => {
    const restored = {
      '/job/run/daemon/result-from/index.json': '{}',
      '/job/run/daemon/layers-from/index.json': '{}'
    }
    const left = async ({files}: ReturnType<typeof execute>) =>
      [await files.list('/job/run/daemon/result-from'), await files.list('/job/run/daemon/layers-from')].flat()
    const warnings = ({log}: ReturnType<typeof execute>) => log.lines.filter(text => text.startsWith('warning: '))
    const said = 'warning: Restored layers of the daemon cannot be used: gzip: invalid checksum.'

    it('begins again at once without them', async () => {
      const run = execute({attempts: [spoilt, good], inputs: {retries: 0}, files: restored})
      expect((await run.result).withoutLayers).toBe(true)
      expect(await left(run)).toEqual([])
      expect(run.pauses).toEqual([])
      expect(warnings(run)).toEqual([`${said} The build begins again without them.`])
    })

    it('counts that as no retry', async () => {
      const run = execute({attempts: [noNetwork, spoilt, noNetwork, good], inputs: {retries: 2}, files: restored})
      await run.result
      expect(run.pauses).toEqual([5000, 10000])
    })

    it('runs every step when the builder holds on to them, once', async () => {
      const run = execute({attempts: [spoilt, spoilt, good], inputs: {retries: 0}, files: restored})
      expect((await run.result).withoutLayers).toBe(true)
      expect(warnings(run)).toHaveLength(1)
      expect(bakes(run).map(({argv}) => argv.includes('--no-cache'))).toEqual([false, false, true])
      const other = execute({attempts: [spoilt, spoilt, spoilt, good], inputs: {retries: 0}, files: restored})
      await expect(other.result).rejects.toThrow('gzip: invalid checksum')
      expect(bakes(other)).toHaveLength(3)
    })

    it('does so whatever has become of what it exported', async () => {
      const files = {...restored, '/job/run/daemon/result-to/index.json': 'half of an ind'}
      const run = execute({attempts: [spoilt, good], inputs: {retries: 0}, files})
      expect((await run.result).withoutLayers).toBe(true)
    })

    it('does not do so where nothing was restored, as with a cache of the user', async () => {
      const files = {'/job/run/daemon/layers-from/ingest/x': ''}
      const run = execute({attempts: [spoilt, good], inputs: {retries: 0}, files})
      await expect(run.result).rejects.toThrow('gzip: invalid checksum')
      expect(bakes(run)).toHaveLength(1)
    })

    it('goes on where BuildKit could do without them, and keeps none of them', async () => {
      const run = execute({attempts: [recovered], files: restored})
      expect((await run.result).withoutLayers).toBe(true)
      expect(await left(run)).toEqual([])
      expect(warnings(run)).toEqual([`${said} These steps have run instead.`])
    })

    it('leaves layers alone that have nothing to do with the failure', async () => {
      const run = execute({attempts: [noNetwork, good], files: restored})
      expect((await run.result).withoutLayers).toBe(false)
      expect(await left(run)).toEqual(['index.json', 'index.json'])
    })
  })

  it('quotes a wrong Dockerfile with the lines that it has in the tree', async () => {
    const stderr = [
      'Dockerfile:9',
      '   9 | >>> FOO bar',
      'ERROR: failed to solve: dockerfile parse error on line 9: unknown instruction: FOO'
    ].join('\n')
    const run = execute({attempts: [{exitCode: 1, stderr}], network: {goProxy: 'off'}})
    await expect(run.result).rejects.toThrow('parse error on line 7: unknown')
    expect(run.log.lines).toEqual(expect.arrayContaining(['info: Dockerfile:7', 'info:    7 | >>> FOO bar']))
  })

  it('does not try again what the network cannot help', async () => {
    const run = execute({attempts: [noCompile, good], inputs: {retries: 5}})
    await expect(run.result).rejects.toThrow(/exited with 1 in the step .*\ndaemon\/daemon\.go:12:3: undefined: foo\n/)
    expect(bakes(run)).toHaveLength(1)
    expect(run.pauses).toEqual([])
    expect(run.log.lines).toContain('info: daemon/daemon.go:12:3: undefined: foo')
  })
})

describe('the records that a builder keeps', () => {
  const proxies = {https: 'http://me:s3cret@proxy:1'}
  const note = (path: string) => JSON.stringify({Target: 'all', LocalPath: '/workspace/moby', DockerfilePath: path})
  const notes = '/home/me/buildx/refs/default/default'
  const files = {
    [`${notes}/own1`]: note('/job/run/daemon/Dockerfile'),
    [`${notes}/own2`]: note('/job/run/daemon/layers.Dockerfile'),
    [`${notes}/other`]: note('/job/run/daemon2/Dockerfile'),
    '/home/me/buildx/refs/far/far/other': note('/job/run/daemon/Dockerfile')
  }
  const removals = ({commands}: ReturnType<typeof execute>) =>
    commands.ran.map(({argv}) => argv.join(' ')).filter(command => command.includes('history'))

  it.each([
    ['a build', [good]],
    ['a failed build', [noCompile]],
    ['a build with a failed attempt', [noNetwork, good]]
  ])('of %s with a proxy’s credentials are removed, and no others', async (_which, attempts) => {
    const run = execute({inputs: {proxies}, files, attempts})
    await run.result.catch(() => undefined)
    expect(removals(run)).toEqual([
      'docker buildx history rm --builder=default own1',
      'docker buildx history rm --builder=default own2'
    ])
  })

  it('are named in a warning, without the credentials, when they cannot be removed', async () => {
    const run = execute({inputs: {proxies}, files, removal: {exitCode: 1, stderr: 'no'}})
    await run.result
    expect(run.log.lines.filter(text => text.startsWith('warning: '))).toEqual([
      expect.stringContaining('docker buildx history rm own1'),
      expect.stringContaining('docker buildx history rm own2')
    ])
    expect(run.log.lines.join('\n')).not.toContain('s3cret')
  })

  it.each([
    ['the proxy has no credentials', {inputs: {proxies: {https: 'http://proxy:1'}}}],
    ['the credentials are secrets of the build', {inputs: {proxies}, proxySecrets: true}]
  ])('stay when %s', async (_when, given) => {
    const run = execute({...given, files})
    await run.result
    expect(removals(run)).toEqual([])
  })
})
