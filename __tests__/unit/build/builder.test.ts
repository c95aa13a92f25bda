import {describe, expect, it} from '@jest/globals'
import {createBuilder} from '../../../src/build/builder.js'
import {chooseBuilder} from '../../../src/engine/choose-builder.js'
import {StepError} from '../../../src/errors.js'
import type {Network} from '../../../src/network/network.js'
import {engineWith} from '../../support/engine.js'
import {inputsWith} from '../../support/inputs.js'
import {memoryCommands, memoryFiles, memoryLog, type Answer} from '../../support/memory.js'
import {networkWith} from '../../support/network.js'

const create = 'docker buildx create'
const start = 'docker buildx inspect'
const bundle = 'buildx_buildkit_build-moby-a1b20:/etc/ssl/certs/ca-certificates.crt'

interface Case extends Partial<Network> {
  readonly retries?: number
  /** What docker answers at each run of a command, by its beginning; in the end it succeeds. */
  readonly answers?: Readonly<Record<string, readonly Answer[]>>
  readonly exportsCaches?: boolean
}

async function make({retries = 0, answers = {}, exportsCaches = false, ...overrides}: Case) {
  const network = networkWith(overrides)
  const planned = chooseBuilder(inputsWith(), network, engineWith({builder: {exportsCaches}}), 'a1b2')
  const [files, log, pauses] = [memoryFiles(), memoryLog(), [] as number[]]
  const left = new Map(Object.entries(answers).map(([command, list]) => [command, [...list]]))
  const commands = memoryCommands(command => {
    if (command.includes(`${bundle} /run`)) files.texts.set('/run/builder-certificates.crt', 'public\n')
    return [...left].find(([beginning]) => command.startsWith(beginning))?.[1].shift() ?? {}
  })
  const pause = (milliseconds: number) => {
    pauses.push(milliseconds)
    return Promise.resolve()
  }
  const making = createBuilder(planned, network, retries, '/run', {PATH: '/bin'}, {commands, files, log, pause})
  const failure = await making.then(
    () => undefined,
    (error: unknown) => error
  )
  return {argv: commands.ran.map(({argv}) => argv), ran: commands.ran, files, log, pauses, failure}
}

const lines = (ran: readonly (readonly string[])[]) => ran.map(argv => argv.join(' '))

describe('createBuilder', () => {
  it('does nothing for a builder that exists', async () => {
    expect((await make({exportsCaches: true, certificates: 'PEM'})).argv).toEqual([])
  })

  it('creates and starts one, in the environment for docker', async () => {
    const {argv, ran} = await make({})
    expect(lines(argv)).toEqual([
      'docker buildx create --name=build-moby-a1b2 --driver=docker-container --driver-opt image=moby/buildkit:buildx-stable-1',
      'docker buildx inspect --bootstrap build-moby-a1b2'
    ])
    for (const {options} of ran) expect(options.environment).toEqual({PATH: '/bin'})
  })

  it('tells it which mirrors speak plain HTTP, and shares the network with them', async () => {
    const mirror = {registry: 'docker.io', host: '127.0.0.1:5000', path: '', scheme: 'http'} as const
    const {argv, files} = await make({registryMirrors: [mirror]})
    expect(argv[0]).toContain('network=host')
    expect(argv[0]).toContain('--buildkitd-config=/run/buildkitd.toml')
    expect(files.texts.get('/run/buildkitd.toml')).toContain('[registry."127.0.0.1:5000"]')
  })

  it('gives it the proxies in both spellings, lists as one field of a record', async () => {
    const {argv} = await make({proxies: {https: 'http://me:pass@proxy:1', none: 'a,b'}})
    expect(argv[0]?.filter(word => word.includes('env.'))).toEqual([
      'env.https_proxy=http://me:pass@proxy:1',
      'env.HTTPS_PROXY=http://me:pass@proxy:1',
      '"env.no_proxy=a,b"',
      '"env.NO_PROXY=a,b"'
    ])
  })

  it('adds the certificates to those that it has, once it runs', async () => {
    const {argv, files} = await make({certificates: 'PRIVATE\n'})
    expect(lines(argv).slice(1)).toEqual([
      'docker buildx inspect --bootstrap build-moby-a1b2',
      `docker cp --follow-link ${bundle} /run/builder-certificates.crt`,
      `docker cp /run/builder-certificates.crt ${bundle}`
    ])
    expect(files.texts.get('/run/builder-certificates.crt')).toBe('public\n\nPRIVATE\n')
  })

  it('fails when its image has no certificates to add to', async () => {
    const answers = {'docker cp': [{exitCode: 1, stderr: 'Could not find the file /etc/ssl\n'}]}
    const {failure} = await make({certificates: 'PEM', answers})
    expect(failure).toBeInstanceOf(StepError)
    expect(String(failure)).toMatch(
      /'ca-certificates' .*exited with 1: Could not find the file \/etc\/ssl.*'buildkit-image'/
    )
  })

  it('fails with what docker said, without credentials, and with the inputs that help', async () => {
    const answer = {exitCode: 1, stderr: 'pulling\nERROR: bad option env.http_proxy=http://me:s3cret@proxy:1\n'}
    const {failure, log} = await make({
      answers: {[create]: [answer]},
      proxies: {http: 'http://me:s3cret@proxy:1'},
      retries: 2
    })
    expect(failure).toBeInstanceOf(StepError)
    expect(String(failure)).toMatch(/buildx create failed:\nERROR: bad option .*\*\*\*@proxy:1\n.*'buildkit-image'/)
    expect(`${String(failure)}${log.lines.join('')}`).not.toContain('s3cret')
  })
})

describe('the start of a builder', () => {
  // As dockerd 28.5.2 and buildx 0.29.1 say it.
  const refused = {
    exitCode: 1,
    stderr:
      'ERROR: Error response from daemon: failed to do request: dial tcp 10.0.0.1:443: connect: connection refused\n'
  }
  const missing = {
    exitCode: 1,
    stderr:
      'ERROR: Error response from daemon: failed to resolve reference "x/moby/nosuch:1": x/moby/nosuch:1: not found\n'
  }

  it('is tried again, after longer and longer pauses', async () => {
    const {failure, log, pauses, argv} = await make({answers: {[start]: [refused, refused]}, retries: 2})
    expect(failure).toBeUndefined()
    expect(pauses).toEqual([5000, 10_000])
    expect(lines(argv).filter(line => line.startsWith(create))).toHaveLength(1)
    expect(log.lines.filter(line => line.startsWith('warning'))).toEqual([
      expect.stringMatching(/did not start: ERROR: .* connection refused\. Next attempt in 5 s \(1 of 2\)/),
      expect.stringContaining('Next attempt in 10 s (2 of 2)')
    ])
  })

  it('fails after the last attempt', async () => {
    const {failure} = await make({answers: {[start]: [refused, refused, refused]}, retries: 1})
    expect(String(failure)).toMatch(
      /does not start \(after 2 attempts\):\nERROR: .* connection refused\n.*'registry-mirrors'/
    )
  })

  it('is not tried again for an image that is not there', async () => {
    const {failure, pauses} = await make({answers: {[start]: [missing]}, retries: 2})
    expect(String(failure)).toMatch(/not found\n.*'buildkit-image'/)
    expect(pauses).toEqual([])
  })
})
