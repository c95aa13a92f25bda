import {execFile} from 'node:child_process'
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {afterAll, beforeAll, expect, it, jest} from '@jest/globals'
import {checksumDatabase} from '../../sandbox/checksum-database.js'
import {type GoModule, goProxyFiles} from '../../sandbox/go-proxy.js'
import {type Sandbox, startSandbox} from '../../sandbox/sandbox.js'
import {startFileServer, type StaticFiles} from '../../sandbox/static-files.js'
import {describeWithEngine} from '../support/describe-with-engine.js'

const debian = '1.24.9-bookworm'
const alpine = '1.24.9-alpine3.21'
const minutes = 60_000
jest.setTimeout(minutes)

await describeWithEngine('in a build step of the sandbox', () => {
  let root: string
  let sandbox: Sandbox
  const stops: (() => Promise<void>)[] = []

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-moby-channels-test-'))
    sandbox = await startSandbox({log: () => undefined})
    stops.push(() => sandbox.stop())
  }, 5 * minutes)

  afterAll(async () => {
    await Promise.all(stops.map(stop => stop()))
    await rm(root, {recursive: true, force: true})
  }, minutes)

  it('go installs what the checksum database knows', async () => {
    const variables = {GOPROXY: sandbox.inputs['go-proxy'], GOSUMDB: sandbox.inputs['go-sumdb']}
    const said = await run(debian, `GOBIN=/ go install ${module} && /go-winres`, variables)

    expect(said).toMatch(/go-winres: a stand-in that embeds nothing$/)
    expect(pathsAsked('checksumDatabase')).toEqual(['/lookup/github.com/tc-hib/go-winres@v0.3.1', '/tile/8/0/000.p/2'])
  })

  it('go verifies each of several modules in the checksum database', async () => {
    const modules = ['a', 'B', 'c'].map(name => moduleWith('func main() {}', `example.com/${name}`))
    const variables = {
      GOPROXY: await serve(goProxyFiles(modules)),
      GOSUMDB: checksumDatabase(modules).goSumdb(await serve(checksumDatabase(modules).files))
    }
    const commands = modules.map(({path, version}) => `GOBIN=/bin go install ${path}@${version}`)

    expect(await run(debian, `${commands.join(' && ')} && ls /bin/B /bin/c`, variables)).toMatch(/\/bin\/B\n\/bin\/c$/)
  })

  it('go refuses other bytes than those that the checksum database knows', async () => {
    const altered = [moduleWith('func main() { println("altered") }')]
    const variables = {GOPROXY: await serve(goProxyFiles(altered)), GOSUMDB: sandbox.inputs['go-sumdb']}
    const running = run(debian, `GOBIN=/ go install ${module}`, variables)

    await expect(running).rejects.toThrow(/go-winres@v0\.3\.1: verifying module: checksum mismatch[^]*SECURITY ERROR/)
  })

  it('go takes nothing on trust when the database does not answer', async () => {
    const variables = {GOPROXY: sandbox.inputs['go-proxy']}

    await expect(run(debian, `GOBIN=/ go install ${module}`, variables)).rejects.toThrow(
      'Get "https://sum.golang.org/lookup/github.com/tc-hib/go-winres@v0.3.1": dial tcp: lookup sum.golang.org'
    )
  })

  it('pip installs from the index', async () => {
    const install = `${apt('python3-pip')} && pip3 install --break-system-packages yamllint==1.27.1`
    const variables = {PIP_INDEX_URL: sandbox.inputs['pip-index'], PIP_TRUSTED_HOST: sandbox.engine.hostAddress}

    expect(await run(debian, `${install} && yamllint`, variables)).toMatch(/yamllint 1\.27\.1, a stand-in$/)
    expect(pathsAsked('pipIndex')).toEqual(['/simple/yamllint/', '/packages/yamllint-1.27.1-py3-none-any.whl'])
  })

  it('gem installs from the source', async () => {
    const source = `printf -- '---\\n:sources:\\n- ${sandbox.inputs['gem-source'] ?? ''}\\n' > /etc/gemrc`
    const install = `${apt('ruby')} && gem install --no-document fpm --version 1.3.2`

    expect(await run(debian, `${source} && ${install} && fpm`)).toMatch(/fpm 1\.3\.2, a stand-in$/)
    expect(pathsAsked('gemSource')).toEqual([
      '/',
      '/info/fpm',
      '/quick/Marshal.4.8/fpm-1.3.2.gemspec.rz',
      '/gems/fpm-1.3.2.gem'
    ])
  })

  it("the stand-in for apk adds Alpine's packages, and says as apk does that one is missing", async () => {
    const mirror = sandbox.inputs['apk-mirror'] ?? ''
    const script = [
      `sed -i 's#https://dl-cdn.alpinelinux.org#${mirror}#' /etc/apk/repositories`,
      'apk add --no-cache bash',
      "bash -c 'echo from bash'",
      'if apk add file nothing; then exit 1; else echo $?; fi'
    ]
    const said = await run(alpine, script.join(' && '))

    expect(said).toContain(`fetch ${mirror}/alpine/v3.21/main/`)
    expect(said).toMatch(/from bash\nfetch [^]*nothing \(no such package\):\n {4}required by: world\[nothing\]\n1$/)
  })

  it('the stand-in for apk says as apk does that the mirror cannot be reached', async () => {
    await expect(run(alpine, 'apk add --no-cache bash')).rejects.toThrow(
      /WARNING: fetching https:\/\/dl-cdn\.alpinelinux\.org\/alpine\/v3\.21\/main: temporary error \(try again later\)/
    )
  })

  it('the stand-in for apk says as apk does that the mirror does not have what is asked for', async () => {
    const script = `sed -i 's#https://dl-cdn.alpinelinux.org#${sandbox.inputs['go-proxy'] ?? ''}#' /etc/apk/repositories`

    await expect(run(alpine, `${script} && apk add bash`)).rejects.toThrow(
      /WARNING: updating and opening http:\/\/\S+\/alpine\/v3\.21\/main: No such file or directory/
    )
  })

  it.each([
    ['curl', 'curl -fsSL', debian],
    ["Debian's wget", 'wget -q -O -', debian],
    ["Alpine's wget", 'wget -q -O -', alpine]
  ])('%s gets what is to be downloaded', async (_name, command, tag) => {
    const [, mirror = ''] = (sandbox.inputs['download-mirrors'] ?? '').split('=')

    expect(await run(tag, `${command} ${mirror}moby/by-curl.txt`)).toBe('by-curl.txt of the download server')
  })

  /** Starts a server of these files and returns its URL. */
  async function serve(files: StaticFiles): Promise<string> {
    const {hostAddress} = sandbox.engine
    const server = await startFileServer({addresses: [hostAddress], files, log: () => undefined})
    stops.push(() => server.stop())
    return `http://${hostAddress}:${server.port}`
  }

  function pathsAsked(server: 'checksumDatabase' | 'pipIndex' | 'gemSource'): string[] {
    return sandbox.network[server].requests().map(({path}) => path)
  }

  /** Shell commands that install Debian's packages from the mirror. */
  function apt(...names: readonly string[]): string {
    const expression = `s#http://debian.example#${sandbox.inputs['apt-mirror'] ?? ''}#`
    const options = 'install -y -qq --no-install-recommends'
    return `sed -i ${expression} /etc/apt/sources.list.d/* && apt-get update -qq && apt-get ${options} ${names.join(' ')}`
  }

  /** Runs a command as a step on the golang image of that tag; returns what it prints, trimmed. */
  async function run(
    tag: string,
    command: string,
    variables: Readonly<Record<string, string | undefined>> = {}
  ): Promise<string> {
    const directory = await mkdtemp(join(root, 'context-'))
    const [, registry = ''] = (sandbox.inputs['registry-mirrors'] ?? '').split('=http://')
    const lines = [
      `FROM ${registry}/library/golang:${tag} AS made`,
      ...Object.entries(variables).map(([name, value = '']) => `ENV ${name}="${value}"`),
      `RUN <<END\n{ ${command}; } > /said 2>&1 || { code=$?; cat /said >&2; exit $code; }\nEND`,
      'FROM scratch',
      'COPY --from=made /said /'
    ]
    await writeFile(join(directory, 'Dockerfile'), lines.join('\n'))
    const output = join(directory, 'output')
    await promisify(execFile)('docker', ['buildx', 'build', '--progress=plain', `--output=${output}`, directory], {
      env: {...process.env, ...sandbox.engine.environment}
    })
    return (await readFile(join(output, 'said'), 'utf8')).trim()
  }
})

const module = 'github.com/tc-hib/go-winres@v0.3.1'

function moduleWith(main: string, path = 'github.com/tc-hib/go-winres'): GoModule {
  const files = {'go.mod': `module ${path}\n\ngo 1.16\n`, 'main.go': `package main\n\n${main}\n`}
  return {path, version: 'v0.3.1', files}
}
