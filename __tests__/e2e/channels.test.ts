import {execFile, execFileSync} from 'node:child_process'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {afterAll, beforeAll, expect, it, jest} from '@jest/globals'
import {namespaceFile} from '../../sandbox/engine-network.js'
import {downloadsUrl} from '../../sandbox/download-server.js'
import {startHttpServer} from '../../sandbox/http-server.js'
import {channelsTag} from '../../sandbox/moby-fork.js'
import {type Sandbox, startSandbox} from '../../sandbox/sandbox.js'
import {actionFile, node24} from '../support/built-action.js'
import {describeWithEngine} from '../support/describe-with-engine.js'
import {expectFailure} from '../support/failed-run.js'
import {makeFork} from '../support/fork.js'
import {type ActionResult, type ActionRun, runAction} from '../support/runner.js'

const minutes = 60_000
jest.setTimeout(5 * minutes)

/** One way of downloading, and what must be said when it alone has no mirror. */
interface Channel {
  readonly channel: string
  readonly input: string
  /** The rule of that input to leave out, by its beginning; all of them if not given. */
  readonly rule?: string
  readonly url: string
  /** What reaches the channel: the programs alone, all that is shipped with them, or the client, too. */
  readonly build: 'binary' | 'all' | 'client'
}

const github = 'https://github.com'
const downloads = `${downloadsUrl}moby`
const channels: readonly Channel[] = [
  {channel: 'images', input: 'registry-mirrors', url: 'registry-1.docker.io', build: 'binary'},
  {channel: 'apt', input: 'apt-mirror', url: 'http://debian.example/debian', build: 'binary'},
  rule('git of the checkout', 'git-mirrors', `${github}/moby/`, 'binary', `${github}/moby/moby`),
  rule('git in RUN', 'git-mirrors', `${github}/containerd/`, 'all', `${github}/containerd/containerd.git`),
  rule('git in ADD', 'git-mirrors', `${github}/opencontainers/`, 'all', `${github}/opencontainers/runc.git`),
  rule('HTTP in ADD', 'download-mirrors', `${downloads}/added.txt`, 'binary'),
  rule('curl in RUN', 'download-mirrors', `${downloads}/by-curl.txt`, 'binary'),
  rule('wget in RUN', 'download-mirrors', `${downloads}/by-wget.txt`, 'binary'),
  rule('curl in a script', 'download-mirrors', `${downloads}/by-script.txt`, 'binary'),
  {channel: 'Go modules', input: 'go-proxy', url: 'https://proxy.golang.org/github.com/tc-hib/', build: 'binary'},
  {
    channel: 'Go checksums',
    input: 'go-sumdb',
    url: 'https://sum.golang.org/lookup/github.com/tc-hib/',
    build: 'binary'
  },
  {channel: 'pip', input: 'pip-index', url: 'https://pypi.org/simple', build: 'all'},
  {channel: 'gem', input: 'gem-source', url: 'https://rubygems.org', build: 'all'},
  {channel: 'apk', input: 'apk-mirror', url: 'https://dl-cdn.alpinelinux.org/alpine/', build: 'client'}
]

/** What a build of everything asks the mirrors for. */
const everything = [
  /^\/v2\/library\/golang\/manifests\//,
  /^\/debian\/dists\/.*InRelease$/,
  /^\/debian\/pool\/.*\/python3-pip_/,
  /^\/moby\/moby\.git\/git-upload-pack$/,
  /^\/docker\/cli\.git\/git-upload-pack$/,
  /^\/containerd\/containerd\.git\/git-upload-pack$/,
  /^\/opencontainers\/runc\.git\/git-upload-pack$/,
  /^\/moby\/added\.txt$/,
  /^\/moby\/by-curl\.txt$/,
  /^\/moby\/by-wget\.txt$/,
  /^\/moby\/by-script\.txt$/,
  /^\/github\.com\/tc-hib\/go-winres\/@v\/v0\.3\.1\.zip$/,
  /^\/lookup\/github\.com\/tc-hib\/go-winres@v0\.3\.1$/,
  /^\/packages\/yamllint-/,
  /^\/gems\/fpm-/,
  /^\/alpine\/v3\.21\/main\/.*\/APKINDEX\.tar\.gz$/,
  /^\/alpine\/v3\.21\/main\/.*\/bash-/
]

function rule(channel: string, input: string, beginning: string, build: Channel['build'], url = beginning): Channel {
  return {channel, input, rule: beginning, url, build}
}

await describeWithEngine('on a network where nothing but the mirrors answers', () => {
  let root: string
  let sandbox: Sandbox
  let stop = () => Promise.resolve()
  /** Runs Node where the engine is: no name is known there, and no way leads elsewhere. */
  let nodeInside: string

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-moby-channels-'))
    sandbox = await startSandbox({log: () => undefined})
    stop = () => sandbox.stop()
    nodeInside = join(root, 'node')
    await writeNodeInside(nodeInside, sandbox.engine.namespace)
  }, 5 * minutes)

  afterAll(async () => {
    await stop()
    await rm(root, {recursive: true, force: true})
  }, minutes)

  const run = async (inputs: ActionRun['with']): Promise<ActionResult> => {
    // Modules that are in a cache mount would come from no proxy.
    const prune = ['buildx', 'prune', '--force', '--filter=type=exec.cachemount', '--filter=description~="/go/pkg/mod"']
    await promisify(execFile)('docker', prune, {env: {...process.env, ...sandbox.engine.environment}})
    return runAction({
      ...{root, action: actionFile, node: nodeInside},
      with: {ref: channelsTag, cache: 'off', retries: '0', preflight: 'off', ...inputs},
      environment: {...sandbox.engine.environment, BUILD_MOBY_OUTPUT: await mkdtemp(join(root, 'output-'))}
    })
  }

  it.each(channels)(
    'without a mirror for $channel the run fails, and names $url and $input',
    async ({input, rule: beginning, url, build}) => {
      const inputs: Record<string, string> = {...sandbox.inputs, ...finerRules()}
      const lines = (inputs[input] ?? '').split('\n')
      inputs[input] = lines.filter(line => beginning !== undefined && !line.startsWith(beginning)).join('\n')
      const target = build === 'all' ? 'all' : 'binary'
      const result = await run({...inputs, target, client: build === 'client' ? 'auto' : 'none'})
      const checkouts = beginning === `${github}/moby/` ? [] : build === 'client' ? ['moby', 'moby-cli'] : ['moby']
      await expectFailure(result, {says: [url, new RegExp(`['\`]${input}\\b`)], workspace: checkouts})
    }
  )

  it.each(['false', 'true'])('with a mirror for every channel the run succeeds, strict: %s', async strict => {
    const before = asked()
    const {main} = await run({...sandbox.inputs, strict})
    expect(main.log).not.toContain('##[error]')
    const says = (program: string) =>
      execFileSync(join(main.outputs.bundles ?? '', program), ['--version'], {encoding: 'utf8'})
    expect(says('binary-daemon/dockerd')).toMatch(/^Docker version 28\.9\.0, /)
    expect(says('binary-client/docker')).toMatch(/^Docker version 28\.9\.0, /)
    const paths = asked().flatMap((now, server) => now.slice(before[server]?.length))
    for (const path of everything) expect(paths).toContainEqual(expect.stringMatching(path))
  })

  it('strict: true refuses what a step hides from the plan, and would get', async () => {
    const {hostAddress} = sandbox.engine
    const hidden = await startHttpServer({
      addresses: [hostAddress],
      log: () => undefined,
      handle: (_, response) => void response.end('found')
    })
    try {
      // A name that only the running step knows, and that leads to a server whose own name is no mirror's.
      const name = Buffer.from('hidden.example').toString('base64')
      const step = `RUN host=$(echo ${name} | base64 -d) && curl -fsS --resolve "$host:${hidden.port}:${hostAddress}" "http://$host:${hidden.port}/"`
      const repository = join(root, 'fork')
      await makeFork(repository, join(sandbox.repositories, 'moby/moby.git'), channelsTag, {
        path: 'Dockerfile',
        from: 'RUN wget ',
        to: `${step}\nRUN wget `
      })
      const build = {...sandbox.inputs, repository, ref: 'fork', target: 'binary', client: 'none'}
      const found = await run(build)
      expect(found.main).toMatchObject({conclusion: 'success'})
      expect(hidden.requests()).toHaveLength(1)
      await expectFailure(await run({...build, strict: 'true'}), {
        says: [/ in the step \[notes \d\/\d\] RUN host=/, /['`]strict\b/],
        workspace: ['moby']
      })
      expect(hidden.requests()).toHaveLength(1)
    } finally {
      await hidden.stop()
    }
  })

  /** Every path that each of the mirrors was asked for so far. */
  function asked(): string[][] {
    const {registry, git, goProxy, checksumDatabase, aptMirror, apkMirror, downloads, pipIndex, gemSource} =
      sandbox.network
    const servers = [registry, git, goProxy, checksumDatabase, aptMirror, apkMirror, downloads, pipIndex, gemSource]
    return servers.map(server => server.requests().map(({path}) => path))
  }

  /** The mirrors of these inputs as one rule for each thing, so that one can be left out. */
  function finerRules(): Record<string, string> {
    const mirror = (input: string): string => sandbox.inputs[input]?.split('=')[1] ?? ''
    const owners = ['moby', 'docker', 'containerd', 'opencontainers', 'krallin', 'rootless-containers']
    const files = ['added', 'by-curl', 'by-wget', 'by-script'].map(name => `moby/${name}.txt`)
    return {
      'git-mirrors': owners.map(owner => `${github}/${owner}/=${mirror('git-mirrors')}${owner}/`).join('\n'),
      'download-mirrors': files.map(file => `${downloadsUrl}${file}=${mirror('download-mirrors')}${file}`).join('\n')
    }
  }
})

/** Writes a program that is Node in a network namespace. No shell: those drop variables like INPUT_GO-PROXY. */
async function writeNodeInside(path: string, namespace: string): Promise<void> {
  const command = ['nsenter', `--net=${namespaceFile(namespace)}`, node24]
  const text = `#!${process.execPath}
const [program, ...words] = ${JSON.stringify(command)}
const {spawnSync} = require('node:child_process')
process.exitCode = spawnSync(program, [...words, ...process.argv.slice(2)], {stdio: 'inherit'}).status ?? 1
`
  await writeFile(path, text, {mode: 0o755})
}
