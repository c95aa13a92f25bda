import {execFile} from 'node:child_process'
import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {afterAll, beforeAll, expect, it} from '@jest/globals'
import {httpProber} from '../../src/adapters/http-prober.js'
import {type ClosedNetwork, startClosedNetwork} from '../support/closed-network.js'
import {describeWithEngine} from '../support/describe-with-engine.js'

const inspecting = {username: 'porter', password: 'first.secret'}
const outer = {username: 'branch', password: 'second.secret'}
const login = 'porter:first.secret@'

const answers = [
  ['https://registry-1.docker.io/v2/', 401],
  ['https://auth.docker.io/token?service=registry.docker.io&scope=repository%3Alibrary%2Fbusybox%3Apull', 200],
  ['https://github.com/moby/moby/info/refs?service=git-upload-pack', 200],
  ['https://proxy.golang.org/github.com/tc-hib/go-winres/@v/list', 200],
  ['https://sum.golang.org/latest', 200],
  ['https://dl-cdn.alpinelinux.org/alpine/v3.21/community/', 404],
  ['https://downloads.example/moby/added.txt', 200],
  ['https://pypi.org/simple/', 200],
  ['https://index.rubygems.org/info/fpm', 200],
  ['http://debian.example/debian/dists/bookworm/Release', 200],
  ['http://elsewhere.example/', 502]
] as const

await describeWithEngine('the closed network', () => {
  let directory: string
  let network: ClosedNetwork
  let stop = () => Promise.resolve()

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'build-moby-closed-test-'))
    network = await startClosedNetwork({inspecting, outer, node: process.execPath})
    stop = () => network.stop()
  }, 300_000)

  afterAll(async () => {
    await stop()
    await rm(directory, {recursive: true, force: true})
  })

  it.each(answers)('answers for %s behind two proxies with %i', async (url, status) => {
    expect(await ask(network, url, login, network.certificate)).toBe(status)
  })

  it.each([
    ['without credentials', '', 'http://debian.example/', 'proxy login'],
    ['with wrong ones', 'porter:second.secret@', 'https://github.com/', 'proxy login'],
    ['for a name that nobody has', login, 'https://elsewhere.example/', 502]
  ])('refuses a request %s', async (_, userinfo, url, status) => {
    expect(await ask(network, url, userinfo, network.certificate)).toBe(status)
  })

  it('is trusted only by who knows its authority', async () => {
    expect(await ask(network, 'https://github.com/', login)).toBe('unknown authority')
  })

  it('has no other way out', async () => {
    const outside = "require('net').connect(443, '198.51.100.1').on('error', ({code}) => console.log(code))"
    const lookup = "require('dns').lookup('github.com', error => console.log(error.code))"
    const said = await Promise.all([outside, lookup].map(words => run(network.node, ['--eval', words])))
    expect(said).toEqual(['ENETUNREACH', expect.stringMatching(/^(EAI_AGAIN|ENOTFOUND)$/)])
  })

  it('lets git clone, and the daemon pull as from Docker Hub', async () => {
    const proxy = network.proxyUrl(login)
    const settings = ['-c', `http.sslCAInfo=${network.certificateFile}`, '-c', `http.proxy=${proxy}`]
    const url = 'https://github.com/moby/moby'
    await run('git', [...settings, 'clone', '--quiet', '--filter=blob:none', url, join(directory, 'moby')])
    const before = network.upstreams.requests().length
    await run('docker', ['pull', '--quiet', 'busybox'], network.engine.environment)
    const asked = network.upstreams.requests().slice(before)
    expect(await run('git', ['-C', join(directory, 'moby'), 'describe', 'v28.5.2'])).toBe('v28.5.2')
    expect(asked.map(request => `${new URL(request.url).host} ${request.status}`)).toEqual(
      expect.arrayContaining([
        'registry-1.docker.io 401',
        'auth.docker.io 200',
        'registry-1.docker.io 307',
        'production.cloudflare.docker.com 200'
      ])
    )
  })

  it('lets a build fetch its frontend, an image and a repository, its client being let out as well', async () => {
    const context = join(directory, 'context')
    await mkdir(context)
    await writeFile(join(context, 'Dockerfile'), dockerfile)
    const proxy = network.proxyUrl(login)
    const environment = {...network.engine.environment, HTTPS_PROXY: proxy, SSL_CERT_FILE: network.certificateFile}
    const output = join(directory, 'output')
    const words = ['--quiet', '--build-context=more=context', `--output=${output}`, context]
    await run('docker', ['buildx', 'build', ...words], environment, directory)

    expect(await readFile(join(output, 'greeting'), 'utf8')).toBe('hello\n')
    expect(await readFile(join(output, 'main.go'), 'utf8')).toContain('package main')
    expect(await readFile(join(output, 'Dockerfile'), 'utf8')).toBe(dockerfile)
  })

  it('tells what each of the proxies was asked for', () => {
    const asked = network.inspecting.requests()
    const frontend = 'https://registry-1.docker.io/v2/docker/dockerfile/manifests/1'
    expect(asked).toEqual(
      expect.arrayContaining([
        ...answers.map(([target]) => ({method: 'GET', target})),
        {method: 'HEAD', target: frontend},
        {method: 'POST', target: 'https://github.com/moby/moby/git-upload-pack'}
      ])
    )
    const hosts = (targets: readonly string[]): Set<string> =>
      new Set(targets.map(target => new URL(target.includes('://') ? target : `https://${target}`).host))
    const passedOn = network.outer.requests().map(({target}) => target)
    expect(hosts(passedOn)).toEqual(hosts(asked.map(({target}) => target)))
  })
})

const dockerfile = `# syntax=docker/dockerfile:1
FROM busybox AS greeter
ADD https://github.com/tc-hib/go-winres.git?ref=v0.3.1 /source
RUN <<END
echo hello > /source/greeting
END
FROM scratch
COPY --from=greeter /source /
COPY --from=more / /
`

async function ask(
  network: ClosedNetwork,
  url: string,
  userinfo: string,
  certificates?: string
): Promise<number | string> {
  const answer = await httpProber({}).get({
    ...{url, proxy: network.proxyUrl(userinfo), timeoutMilliseconds: 10_000},
    ...(certificates === undefined ? {} : {certificates})
  })
  return 'status' in answer ? answer.status : answer.reason
}

async function run(
  program: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {PATH: process.env.PATH ?? ''},
  cwd?: string
): Promise<string> {
  return (
    await promisify(execFile)(program, words, {env: environment, ...(cwd === undefined ? {} : {cwd})})
  ).stdout.trim()
}
