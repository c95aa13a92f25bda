import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {access, constants, mkdtemp, readFile, readdir, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DefaultArtifactClient} from '@actions/artifact'
import {afterAll, beforeAll, expect, it} from '@jest/globals'
import {type Sandbox, startSandbox} from '../../sandbox/sandbox.js'
import {runBuiltAction} from '../support/built-action.js'
import {describeWithEngine} from '../support/describe-with-engine.js'
import {insideRunner} from '../support/inside-runner.js'
import {type ResultsService, startResultsService} from '../support/results-service.js'
import type {ActionResult} from '../support/runner.js'

const minutes = 60_000

await describeWithEngine('the action on a network where only the mirrors answer', () => {
  let root: string
  let sandbox: Sandbox
  let stopSandbox = () => Promise.resolve()
  let service: ResultsService
  let first: ActionResult
  let second: ActionResult
  /** Of another commit of the same line, with the caches of the first. */
  let neighbour: ActionResult
  /** Of that commit again, with what the one before has saved. */
  let again: ActionResult
  /** Of that commit as well, with no caches. */
  let alone: ActionResult
  let firstIdentity: Record<string, string>

  const build = async (identity: Record<string, string>, inputs: Record<string, string> = {}): Promise<ActionResult> =>
    runBuiltAction({
      root,
      with: {...sandbox.inputs, ref: 'v28.5.2', 'platform-name': 'Miniature', product: 'docker', ...inputs},
      environment: {...identity, ...sandbox.engine.environment, VERSION: 'stray', DESTDIR: '/stray', PLATFORM: 'stray'}
    })

  /** From now on nothing but the cache service remembers what was built. */
  const forget = () => {
    execFileSync('docker', ['buildx', 'prune', '--all', '--force'], {
      env: {...process.env, ...sandbox.engine.environment},
      stdio: 'ignore'
    })
  }

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-moby-pipeline-'))
    sandbox = await startSandbox({log: () => undefined})
    stopSandbox = () => sandbox.stop()
    service = await startResultsService()
    firstIdentity = service.environment()
    first = await build(firstIdentity)
    forget()
    second = await build(service.environment())
    forget()
    neighbour = await build(service.environment(), {ref: 'v28.5.1'})
    forget()
    again = await build(service.environment(), {ref: 'v28.5.1'})
    forget()
    alone = await build(service.environment(), {ref: 'v28.5.1', cache: 'off'})
  }, 10 * minutes)

  afterAll(async () => {
    await Promise.all([stopSandbox(), service.close()])
    await rm(root, {recursive: true, force: true})
  }, minutes)

  it('builds, and the outputs say what', () => {
    expect(first.main.log).not.toContain('##[error]')
    expect(first.main).toMatchObject({conclusion: 'success', exitCode: 0, problems: []})
    const commit = git('rev-parse', 'v28.5.2^{commit}')
    expect(first.main.outputs).toMatchObject({version: '28.5.2', commit, describe: 'v28.5.2', 'cache-hit': 'none'})
    expect(first.main.summary).toContain(`28.5.2, build ${commit.slice(0, 7)}`)
  })

  it('stamps the binaries as planned, whatever variables lie about', () => {
    const {bundles = '', commit = ''} = first.main.outputs
    expect(run(join(bundles, 'binary-daemon/dockerd'), '--version')).toBe(
      `Docker version 28.5.2, build ${commit.slice(0, 7)}`
    )
    const client = git('-C', join(sandbox.repositories, 'docker/cli.git'), 'rev-parse', 'v28.5.2^{commit}')
    expect(run(join(bundles, 'binary-client/docker'), '--version')).toBe(
      `Docker version 28.5.2, build ${client.slice(0, 7)}`
    )
  })

  it('leaves the checkouts clean, complete and without credentials', async () => {
    for (const [path, tag] of [
      ['moby', 'refs/tags/v28.5.2'],
      ['moby-cli', 'refs/tags/v28.5.2']
    ] as const) {
      const directory = join(first.workspace, path)
      expect(git('-C', directory, 'status', '--porcelain')).toBe('')
      expect(git('-C', directory, 'rev-parse', '--is-shallow-repository')).toBe('false')
      expect(git('-C', directory, 'for-each-ref', '--format=%(refname)', tag)).toBe(tag)
      expect(await readFile(join(directory, '.git/config'), 'utf8')).not.toMatch(/harness-token|extraheader/i)
    }
    expect(git('-C', join(first.workspace, 'moby'), 'cat-file', '-t', 'v28.5.2')).toBe('tag')
  })

  it('took everything from the mirrors', () => {
    const {registry, git: gitServer, goProxy, aptMirror} = sandbox.network
    const paths = (server: {requests(): readonly {path: string}[]}) => server.requests().map(({path}) => path)
    expect(paths(registry)).toEqual(
      expect.arrayContaining([
        expect.stringMatching('/v2/docker/dockerfile/manifests/1'),
        expect.stringMatching('/v2/library/golang/manifests/'),
        expect.stringMatching('/v2/tonistiigi/xx/manifests/'),
        expect.stringMatching('/v2/library/busybox/manifests/')
      ])
    )
    for (const repository of [
      'moby/moby',
      'docker/cli',
      'containerd/containerd',
      'opencontainers/runc',
      'krallin/tini'
    ]) {
      expect(paths(gitServer)).toContainEqual(expect.stringContaining(`/${repository}.git/info/refs`))
    }
    expect(paths(goProxy)).toContainEqual(expect.stringContaining('/github.com/tc-hib/go-winres/@v/v0.3.1.zip'))
    expect(paths(aptMirror)).toContainEqual(expect.stringMatching(/^\/debian\/dists\/.*InRelease/))
  })

  it('uploads archives that keep executable bits through a download', async () => {
    expect(service.artifacts().map(({name}) => name)).toEqual(
      expect.arrayContaining(['binary-client', 'binary-daemon'])
    )
    const id = Number(first.main.outputs['daemon-artifact-id'])
    const path = join(root, 'downloaded')
    await insideRunner(join(root, 'download'), {...firstIdentity, GITHUB_SERVER_URL: 'https://github.com'}, () =>
      new DefaultArtifactClient().downloadArtifact(id, {path})
    )
    execFileSync('tar', ['-xzf', 'binary-daemon.tar.gz'], {cwd: path})
    await access(join(path, 'binary-daemon/dockerd'), constants.X_OK)
    expect(
      execFileSync('sha256sum', ['--check', 'binary-daemon.tar.gz.sha256'], {cwd: path, encoding: 'utf8'}).trim()
    ).toBe('binary-daemon.tar.gz: OK')
  })

  it('runs no step the second time, and publishes the same bytes', async () => {
    expect(second.main).toMatchObject({conclusion: 'success'})
    expect(second.main.outputs['cache-hit']).toBe('full')
    expect(second.main.log).toMatch(/From GitHub Actions cache: finished layers of the daemon: exact \(\S+ [KM]iB\)/)
    expect(second.main.log).not.toContain('cache mounts of the daemon')
    for (const [, steps, cached] of second.main.log.matchAll(/(\d+) steps in .*, (\d+) of them from the cache/g)) {
      expect(cached).toBe(steps)
    }
    for (const archive of ['client', 'daemon'] as const) {
      expect(second.main.outputs[`${archive}-digest`]).toBe(first.main.outputs[`${archive}-digest`])
      expect(await digest(second.main.outputs[archive] ?? '')).toBe(second.main.outputs[`${archive}-digest`])
    }
  })

  it('uses the layers and the compiler cache of another commit, and builds the same bytes as without', () => {
    expect(neighbour.main.log).not.toContain('##[error]')
    expect(neighbour.main.outputs).toMatchObject({version: '28.5.1', 'cache-hit': 'partial'})
    expect(neighbour.main.log).toMatch(/reusable layers of the daemon: exact/)
    expect(neighbour.main.log).toMatch(
      /Cache mounts from build-moby-mounts-\S+ \([^)]+\): fetched after .*, put into the builder in/
    )
    expect(neighbour.main.summary).toMatch(/\| git objects \| moby\/moby \| older \| \d/)
    expect(neighbour.main.log).not.toMatch(/^✔ .*apt-get.* \((?!cached)/m)
    expect(neighbour.main.outputs['daemon-digest']).toBe(alone.main.outputs['daemon-digest'])
    expect(neighbour.main.outputs['client-digest']).toBe(alone.main.outputs['client-digest'])
  })

  it('keeps of a build that began with restored layers no more than its own', () => {
    const saved = (main: ActionResult['main']) =>
      /\| finished layers \| daemon \| none \| {2}\| ([\d.]+ [KM]iB) \|/.exec(main.summary)?.[1] ?? 'nothing'
    const mebibytes = (size: string) => Number.parseFloat(size) / (size.endsWith('KiB') ? 1024 : 1)
    expect(mebibytes(saved(neighbour.main))).toBeLessThan(1.3 * mebibytes(saved(first.main)))
    expect(again.main.outputs['cache-hit']).toBe('full')
    expect(again.main.outputs['daemon-digest']).toBe(neighbour.main.outputs['daemon-digest'])
  })

  it('tells of every cache in the summary', () => {
    for (const name of ['git objects', 'finished layers', 'reusable layers', 'cache mounts']) {
      expect(first.main.summary).toMatch(new RegExp(`\\| ${name} \\| \\S+ \\| none \\|  \\| \\d`))
    }
    expect(second.main.summary).toMatch(/\| finished layers \| daemon \| exact \| \d/)
    expect(neighbour.main.summary).toMatch(/\| cache mounts \| daemon \| older \| \d/)
  })

  it('leaves nothing behind in the temporary directory but the output', async () => {
    for (const {post, temporaryDirectory, workspace} of [first, second, neighbour, again, alone]) {
      expect(post).toMatchObject({conclusion: 'success', exitCode: 0})
      const left = await readdir(temporaryDirectory)
      expect(left.filter(name => name.startsWith('build-moby') && !name.startsWith('build-moby-output-'))).toEqual([])
      expect((await readdir(workspace)).sort()).toEqual(['moby', 'moby-cli'])
    }
  })

  function git(...words: string[]): string {
    const inRepository = words[0] === '-C' ? words : ['-C', join(sandbox.repositories, 'moby/moby.git'), ...words]
    return run('git', '-c', 'safe.directory=*', ...inRepository)
  }
})

function run(program: string, ...words: string[]): string {
  return execFileSync(program, words, {encoding: 'utf8'}).trim()
}

async function digest(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}
