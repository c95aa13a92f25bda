import {mkdtemp, readFile, readdir, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, expect, it, jest} from '@jest/globals'
import {freePort} from '../../sandbox/http-server.js'
import {type Sandbox, startSandbox} from '../../sandbox/sandbox.js'
import {runBuiltAction} from '../support/built-action.js'
import {describeWithEngine} from '../support/describe-with-engine.js'
import {errorsOf, expectFailure} from '../support/failed-run.js'
import {makeFork} from '../support/fork.js'
import {type ResultsService, startResultsService} from '../support/results-service.js'
import type {ActionResult, ActionRun} from '../support/runner.js'

const minutes = 60_000
jest.setTimeout(2 * minutes)

await describeWithEngine('a build that fails', () => {
  let root: string
  let sandbox: Sandbox
  let service: ResultsService
  let stop = () => Promise.resolve()
  let closed: string

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-moby-build-failures-'))
    sandbox = await startSandbox({log: () => undefined})
    stop = () => sandbox.stop()
    service = await startResultsService()
    closed = `http://${sandbox.engine.hostAddress}:${await freePort([sandbox.engine.hostAddress])}`
  }, 5 * minutes)

  afterAll(async () => {
    await Promise.all([stop(), service.close()])
    await rm(root, {recursive: true, force: true})
  })

  async function run(inputs: ActionRun['with']): Promise<ActionResult> {
    const defaults = {ref: 'v28.5.2', target: 'binary', client: 'none', cache: 'off'}
    return runBuiltAction({
      root,
      with: {...sandbox.inputs, ...defaults, ...inputs},
      environment: {...service.environment(), ...sandbox.engine.environment}
    })
  }

  async function fork(name: string, path: string, from: string, to: string, upstream = 'moby/moby'): Promise<string> {
    const directory = join(root, name)
    await makeFork(directory, join(sandbox.repositories, `${upstream}.git`), 'v28.5.2', {path, from, to})
    return directory
  }

  it('because the apt mirror does not answer names the step, the mirror and the input', async () => {
    const result = await run({'apt-mirror': closed, retries: 0})
    await expectFailure(result, {
      says: [
        /^build daemon: .* in the step \[base \d\/\d\] RUN apt-get update/,
        `${closed}/debian`,
        `route: mirror ${closed}/debian`,
        'connection refused: Try another mirror: `apt-mirror: '
      ],
      workspace: ['moby']
    })
    expect(result.main.log).not.toContain('Next attempt')
  })

  it('because the Go proxy does not answer is tried again, and names the step, the proxy and the input', async () => {
    const result = await run({'go-proxy': closed, retries: 1})
    await expectFailure(result, {
      says: [
        /^build daemon: .* \(after 2 attempts\) in the step \[gowinres \d\/\d\] RUN /,
        `${closed}/github.com/tc-hib/go-winres/@v/v0.3.1.info`,
        `route: mirror ${closed}/github.com/tc-hib/go-winres/`,
        'connection refused: Try another mirror: `go-proxy: '
      ],
      workspace: ['moby']
    })
    expect(result.main.log).toContain('Next attempt in 5 s (1 of 1)')
  })

  it('because the tree does not compile shows what the compiler said, and is not tried again', async () => {
    // Words and numbers that a network failure might have, too.
    const broken = 'func timeout() { connection.Refused(502) }'
    const repository = await fork('broken', 'cmd/dockerd/docker.go', 'func main() {', `${broken}\n\nfunc main() {`)
    const result = await run({repository, ref: 'fork'})
    await expectFailure(result, {
      says: [
        / in the step \[build \d\/\d\] RUN /,
        /cmd\/dockerd\/docker\.go:\d+:\d+: undefined: connection/,
        /exit code: \d/
      ],
      workspace: ['moby']
    })
    expect(result.main.log).not.toContain('Next attempt')
  })

  it('because the tree ignores the version it is given publishes nothing', async () => {
    const repository = await fork('unstamped', 'hack/make.sh', 'VERSION=${VERSION:-dev}', 'VERSION=dev')
    const before = service.artifacts().length
    await expectFailure(await run({repository, ref: 'fork'}), {
      says: [/dockerd: expected version 28\.5\.2-1-g\w{7}, build \w{7}, but it prints version dev, build/, "'verify'"],
      workspace: ['moby']
    })
    expect(service.artifacts()).toHaveLength(before)
  })

  it('with the client alone keeps the good daemon to itself, too', async () => {
    const scripts = 'scripts/build/.variables'
    const repository = await fork(
      'client',
      scripts,
      'GITCOMMIT=${GITCOMMIT:-',
      'GITCOMMIT=${STRAY:-0123456',
      'docker/cli'
    )
    const before = service.artifacts().length
    await expectFailure(await run({client: 'fork', 'client-repository': repository}), {
      says: [/docker: expected version \S+, build \w{7}, but it prints version \S+, build 0123456/],
      workspace: ['moby', 'moby-cli']
    })
    expect(service.artifacts()).toHaveLength(before)
  })

  it('only in its upload says where the bundles lie, and keeps no caches', async () => {
    service.fail('CreateArtifact', {status: 403})
    const result = await run({cache: 'full'})
    const {main, post, temporaryDirectory} = result
    expect(main).toMatchObject({conclusion: 'failure', exitCode: 1})
    const [output = ''] = (await readdir(temporaryDirectory)).filter(name => name.startsWith('build-moby-'))
    const directory = join(temporaryDirectory, output)
    expect(errorsOf(result)).toHaveLength(1)
    expect(errorsOf(result)[0]).toContain(
      `binary-daemon could not be uploaded to GitHub Actions artifacts. The bundles are finished and lie in ${directory}`
    )
    expect(await readdir(directory)).toEqual(expect.arrayContaining(['binary-daemon', 'binary-daemon.tar.gz']))
    expect(await readFile(join(directory, 'binary-daemon.tar.gz.sha256'), 'utf8')).toMatch(/^[0-9a-f]{64} /)
    // What was being taken out of the builder meanwhile has come to its end, and is removed.
    expect(main.log).toMatch(/(#\d+) copying files [\d.]+MB.*\1 DONE.*##\[error\]/s)
    expect(service.cacheEntries()).toEqual([])
    expect(post).toMatchObject({conclusion: 'success'})
    expect((await readdir(temporaryDirectory)).sort()).toEqual(['_runner_file_commands', output])
  })
})
