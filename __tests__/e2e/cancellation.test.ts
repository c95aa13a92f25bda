import {mkdtemp, readdir, readFile, readlink, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {buffer} from 'node:stream/consumers'
import {setTimeout} from 'node:timers/promises'
import {gunzipSync} from 'node:zlib'
import {afterAll, beforeAll, expect, it, jest} from '@jest/globals'
import {type HttpServer, startHttpServer} from '../../sandbox/http-server.js'
import {type Sandbox, startSandbox} from '../../sandbox/sandbox.js'
import {runBuiltAction} from '../support/built-action.js'
import {describeWithEngine} from '../support/describe-with-engine.js'
import {leftIn} from '../support/failed-run.js'
import {makeFork} from '../support/fork.js'
import {type ResultsService, startResultsService} from '../support/results-service.js'
import type {ActionResult, ActionRun} from '../support/runner.js'

const minutes = 60_000
jest.setTimeout(2 * minutes)

await describeWithEngine('a run that is cancelled', () => {
  let root: string
  let sandbox: Sandbox
  let service: ResultsService
  let stop = () => Promise.resolve()

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-moby-cancellation-'))
    sandbox = await startSandbox({log: () => undefined})
    stop = () => sandbox.stop()
    service = await startResultsService()
  }, 5 * minutes)

  afterAll(async () => {
    await Promise.all([stop(), service.close()])
    await rm(root, {recursive: true, force: true})
  })

  async function cancel(
    cancelAt: NonNullable<ActionRun['cancelAt']>,
    inputs: ActionRun['with']
  ): Promise<ActionResult> {
    const defaults = {ref: 'v28.5.2', target: 'binary', client: 'none'}
    return runBuiltAction({
      root,
      cancelAt,
      with: {...sandbox.inputs, ...defaults, ...inputs},
      environment: {...service.environment(), ...sandbox.engine.environment}
    })
  }

  async function expectTidyEnd(
    {main, post, workspace, temporaryDirectory}: ActionResult,
    outputs: object = {}
  ): Promise<void> {
    expect(main).toMatchObject({conclusion: 'cancelled', exitCode: 130, summary: ''})
    expect(main.outputs).toEqual(outputs)
    expect(main.annotations.filter(({level}) => level !== 'notice')).toEqual([])
    expect(main.log).toMatch(/^Cancelled\.$/m)
    expect(post).toMatchObject({conclusion: 'success', exitCode: 0, annotations: []})
    // The workspace lies two levels deep in the job's own directory.
    expect(await processesWith(dirname(dirname(workspace)))).toEqual([])
    expect(service.artifacts()).toEqual([])
    expect(service.cacheEntries()).toEqual([])
    expect((await leftIn(temporaryDirectory)).filter(name => !name.startsWith('binary-daemon'))).toEqual([])
  }

  it('while git fetches ends git, and leaves no checkout', async () => {
    const server = await startStallingServer(sandbox.network.git.port)
    try {
      const gitMirrors = `https://github.com/=http://127.0.0.1:${server.port}/`
      const result = await cancel('##[debug]git fetch', {'git-mirrors': gitMirrors})
      await expectTidyEnd(result)
      expect(await readdir(result.workspace)).toEqual([])
    } finally {
      await server.stop()
    }
  })

  it('while a build step runs ends the step, too', async () => {
    // No other process sleeps this long.
    const seconds = `${process.pid}00000`
    const from = 'VERSION=${VERSION:-dev}'
    const fork = {path: 'hack/make.sh', from, to: `sleep ${seconds}\n${from}`}
    const repository = join(root, 'sleepy')
    await makeFork(repository, join(sandbox.repositories, 'moby/moby.git'), 'v28.5.2', fork)
    const result = await cancel(processWith(seconds), {repository, ref: 'fork'})
    expect(result.main.log).toContain('▸ [build 5/5]')
    await expectTidyEnd(result)
    expect(await processesWith(seconds)).toEqual([])
    expect(await readdir(result.workspace)).toEqual(['moby'])
  })

  it('while it packs the bundles uploads nothing', async () => {
    const result = await cancel('dockerd: version 28.5.2', {cache: 'off'})
    await expectTidyEnd(result)
  })

  it('while it takes cache mounts out of the builder keeps no caches', async () => {
    // So much that it takes some seconds.
    const from = 'VERSION=${VERSION:-dev}'
    const filler = 'head -c 400000000 /dev/urandom > "$(go env GOCACHE)/filler"'
    const repository = join(root, 'large')
    const fork = {path: 'hack/make.sh', from, to: `${filler}\n${from}`}
    await makeFork(repository, join(sandbox.repositories, 'moby/moby.git'), 'v28.5.2', fork)
    const result = await cancel(/copying files [\d.]+MB/, {repository, ref: 'fork', upload: 'false'})
    expect(result.main.log).not.toMatch(/(#\d+) copying files [\d.]+MB.*\1 DONE/s)
    // The bundles are finished, and steps with `if: always()` find them.
    await expectTidyEnd(result, expect.objectContaining({'daemon-digest': expect.stringMatching(/^[0-9a-f]{64}$/)}))
    expect(await leftIn(result.temporaryDirectory)).toContain('binary-daemon.tar.gz')
  })
})

/** A server of the repositories behind `port` of this machine that tells its refs, and never answers a fetch. */
async function startStallingServer(port: number): Promise<HttpServer> {
  return startHttpServer({
    addresses: ['127.0.0.1'],
    log: () => undefined,
    handle: async (request, response) => {
      const {method = 'GET', url = '/', headers} = request
      const body = await buffer(request)
      const gzipped = headers['content-encoding'] === 'gzip'
      if ((gzipped ? gunzipSync(body) : body).includes('command=fetch')) return
      const passed = ['git-protocol', 'content-type', 'content-encoding', 'accept']
      const answer = await fetch(`http://127.0.0.1:${port}${url}`, {
        method,
        headers: passed.flatMap(name => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
        ...(method === 'POST' ? {body} : {})
      })
      response.writeHead(answer.status, {'content-type': answer.headers.get('content-type') ?? ''})
      response.end(Buffer.from(await answer.arrayBuffer()))
    }
  })
}

/** Waits for a process that has the text in its command line, for a minute at most. */
async function processWith(text: string): Promise<void> {
  for (let attempts = 0; attempts < 600; attempts++) {
    if ((await processesWith(text)).some(line => line.includes(text))) return
    await setTimeout(100)
  }
}

/** The command lines of processes that have a text in their command line, their environment or their directory. */
async function processesWith(text: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) continue
    const read = async (name: string) => await readFile(join('/proc', pid, name), 'utf8').catch(() => '')
    const parts = [await read('cmdline'), await read('environ'), await readlink(`/proc/${pid}/cwd`).catch(() => '')]
    if (parts.some(part => part.includes(text))) found.push(`${pid} ${(parts[0] ?? '').replaceAll('\0', ' ')}`)
  }
  return found
}
