import {cp, mkdir, mkdtemp, readdir, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it, jest} from '@jest/globals'
import {freePort} from '../../sandbox/http-server.js'
import {type Sandbox, startSandbox} from '../../sandbox/sandbox.js'
import {readActionDefinition} from '../../src/adapters/action-definition.js'
import {actionFile, runBuiltAction} from '../support/built-action.js'
import {describeWithEngine} from '../support/describe-with-engine.js'
import {errorsOf, expectFailure} from '../support/failed-run.js'
import {programDirectory, writeOldDocker} from '../support/programs.js'
import type {ActionResult, ActionRun} from '../support/runner.js'

const minutes = 60_000
jest.setTimeout(2 * minutes)

let root: string
let programs: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'build-moby-failures-'))
  programs = await programDirectory(join(root, 'programs'), ['git', 'tar'])
})

afterAll(async () => {
  await rm(root, {recursive: true, force: true})
})

async function run(options: Omit<ActionRun, 'action' | 'node' | 'root'>): Promise<ActionResult> {
  return runBuiltAction({root, ...options})
}

describe('before it asks docker, the action', () => {
  /** Everything that can be wrong by itself. A token, a ref and a client only are in connection with a server. */
  const wrong = {
    mode: 'rehearse',
    repository: 'moby moby',
    commit: 'latest',
    path: '../moby',
    history: 'shallow',
    'client-repository': 'cli',
    target: 'everything',
    platforms: 'amd64',
    version: '28 5',
    product: 'a "product"',
    'platform-name': '$platform',
    'packager-name': '`id`',
    'build-args': 'DEBUG',
    'mirror-preset': 'mars',
    'registry-mirrors': 'docker.io',
    'apt-mirror': 'mirror.example',
    'apk-mirror': 'mirror.example',
    'git-mirrors': 'https://github.com/',
    'download-mirrors': 'https://files.example/',
    'go-proxy': 'goproxy.example',
    'go-sumdb': 'one two three',
    'pip-index': 'pypi.example',
    'gem-source': 'gems.example',
    'http-proxy': 'ftp://user:hunter2@proxy.example',
    'https-proxy': 'ftp://proxy.example',
    'no-proxy': '"localhost"',
    'ca-certificates': '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----',
    strict: 'maybe',
    preflight: 'later',
    cache: 'sometimes',
    'cache-key': 'a,b',
    'cache-from': 'type=gha,token=hunter2',
    'cache-to': 'type=inline',
    reuse: 'perhaps',
    builder: '--debug',
    'buildkit-image': 'a b',
    retries: 'often',
    verify: 'boot',
    upload: 'later',
    'artifact-prefix': 'a/b',
    'retention-days': '1000',
    'compression-level': '11'
  }

  it('reports every wrong input in one error', async () => {
    const result = await run({with: wrong})
    await expectFailure(result, {says: [/^Invalid inputs:$/m, ...Object.keys(wrong).map(name => `'${name}' must`)]})
    expect(errorsOf(result)[0]).toContain("'ref' is required")
    expect(result.main.log).not.toContain('hunter2')
    const names = readActionDefinition(actionFile).inputs.map(({name}) => name)
    expect([...Object.keys(wrong), 'token', 'ref', 'client'].sort()).toEqual([...names].sort())
  })

  it('asks for a ref', async () => {
    await expectFailure(await run({}), {
      says: ["'ref' is required: a tag, branch, full ref or commit of moby/moby"]
    })
  })

  it('says how to get a docker command', async () => {
    await expectFailure(await run({with: {ref: 'v28.5.2'}, environment: {PATH: programs}}), {
      says: ['the docker command was not found', 'Install Docker Engine with the buildx plugin']
    })
  })

  it.each([
    {
      what: 'buildx',
      versions: {buildx: 'v0.10.5', buildkit: 'v0.12.5'},
      says: ['buildx is 0.10.5, at least 0.13.0 is needed', 'update the plugin']
    },
    {
      what: 'BuildKit',
      versions: {buildx: 'v0.29.1', buildkit: 'v0.10.6'},
      says: ["BuildKit of the builder 'default' is 0.10.6, at least 0.11.0 is needed", "with 'builder'"]
    }
  ])('says that $what is too old', async ({what, versions, says}) => {
    const directory = await programDirectory(join(root, what), ['sh', 'git'])
    await writeOldDocker(directory, versions)
    await expectFailure(await run({with: {ref: 'v28.5.2'}, environment: {PATH: directory}}), {says})
  })
})

await describeWithEngine('before it builds, the action', () => {
  let sandbox: Sandbox
  let stop = () => Promise.resolve()
  let closed: string

  beforeAll(async () => {
    sandbox = await startSandbox({log: () => undefined})
    stop = () => sandbox.stop()
    closed = `${sandbox.engine.hostAddress}:${await freePort([sandbox.engine.hostAddress])}`
  }, 5 * minutes)

  afterAll(async () => {
    await stop()
  })

  async function runInSandbox(
    inputs: ActionRun['with'],
    options: Pick<ActionRun, 'environment' | 'prepare'> = {}
  ): Promise<ActionResult> {
    return run({
      ...options,
      with: {...sandbox.inputs, ref: 'v28.5.2', client: 'none', retries: 0, ...inputs},
      environment: {...sandbox.engine.environment, ...options.environment}
    })
  }

  it.each([
    ['28.5.2', 'did you mean v28.5.2'],
    ['v29.1.0', 'did you mean docker-v29.1.0'],
    ['v28.5.9', /did you mean .*v28\.5\./],
    ['refs/heads/mastre', 'did you mean master'],
    ['nothing-like-it-at-all', 'none of a similar name'],
    ['0123456789abcdef0123456789abcdef01234567', 'no branch or tag of moby/moby contains commit 0123456'],
    ['0123456', 'no branch or tag of moby/moby contains a commit that begins with 0123456']
  ])('refuses the unknown ref %s', async (ref, hint) => {
    await expectFailure(await runInSandbox({ref}), {says: ["Input 'ref': ", hint]})
  })

  it('refuses a tag that was moved', async () => {
    const says = ["Input 'commit': moved tag: v28.5.2 resolves to ", 'not to 89c5e8f', "change 'commit'"]
    await expectFailure(await runInSandbox({commit: '89c5e8f'}), {says})
  })

  it('refuses a repository that is an unpacked source archive', async () => {
    const result = await runInSandbox({repository: './moby-28.5.2'}, {prepare: unpackInto('moby-28.5.2')})
    const says = ["Input 'repository': ", 'moby-28.5.2 is no git repository', 'give a clone']
    await expectFailure(result, {says, workspace: ['moby-28.5.2']})
  })

  it('refuses to check out over an unpacked source archive, and leaves it alone', async () => {
    const result = await runInSandbox({}, {prepare: unpackInto('moby')})
    const says = ["Input 'path': ", 'holds files, but is no git checkout', 'give a clone']
    await expectFailure(result, {says, workspace: ['moby']})
    expect(await readdir(join(result.workspace, 'moby'))).toEqual(['Dockerfile', 'VERSION', 'hack'])
  })

  it('refuses a tree that no recipe knows, and says which trees it builds', async () => {
    const says = ['moby/moby at v17.05.0-ce is a tree that no recipe recognises', 'v23.0.0 to master', "with 'ref'"]
    await expectFailure(await runInSandbox({ref: 'v17.05.0-ce'}), {says, workspace: ['moby']})
  })

  it('names the DOCKER_HOST that does not answer', async () => {
    const environment = {DOCKER_HOST: `tcp://${closed}`}
    const says = [`the Docker daemon does not answer at DOCKER_HOST=tcp://${closed}`, "with 'builder'"]
    await expectFailure(await runInSandbox({}, {environment}), {says})
  })

  it('says how to get buildx', async () => {
    const {PATH: path} = sandbox.engine.environment
    const directory = await programDirectory(join(root, 'no-buildx'), ['git', 'docker'], path)
    const environment = {PATH: directory, DOCKER_CONFIG: join(directory, 'config'), HOME: directory}
    const says = ['docker has no buildx plugin', 'Install buildx 0.13.0 or newer']
    await expectFailure(await runInSandbox({}, {environment}), {says})
  })

  it('names a builder that does not exist', async () => {
    await expectFailure(await runInSandbox({builder: 'elsewhere'}), {
      says: ["'builder' names elsewhere, which buildx cannot inspect", '`docker buildx ls`']
    })
  })

  it('names the registry mirror that cannot be reached', async () => {
    await expectFailure(await runInSandbox({'registry-mirrors': `docker.io=http://${closed}`}), {
      says: ['no mirror of docker.io answers as an image registry', `${closed}: `, 'ECONNREFUSED', "'registry-mirrors'"]
    })
  })

  it('names the registry mirror that is no registry', async () => {
    const host = `${sandbox.engine.hostAddress}:${sandbox.network.git.port}`
    await expectFailure(await runInSandbox({'registry-mirrors': `docker.io=http://${host}`}), {
      says: [
        'no mirror of docker.io answers as an image registry',
        `http://${host}/v2/ answered 404`,
        "'registry-mirrors'"
      ]
    })
  })

  it('names the git mirror that cannot be reached, and tried it as often as it was told', async () => {
    const result = await runInSandbox({'git-mirrors': `https://github.com/=http://${closed}/`, retries: 1})
    await expectFailure(result, {
      says: [
        'could not list the refs of https://github.com/moby/moby.git',
        'after 2 attempts',
        `route: mirror http://${closed}/ for https://github.com/ ('git-mirrors')`
      ]
    })
    expect(result.main.log).toContain('Trying again in 2 s')
  })

  function unpackInto(name: string): (workspace: string) => Promise<void> {
    return async workspace => {
      const directory = join(workspace, name)
      await mkdir(join(directory, 'hack'), {recursive: true})
      await writeFile(join(directory, 'VERSION'), '28.5.2\n')
      const trees = join(import.meta.dirname, '../../sandbox/trees/moby-28')
      await cp(join(trees, 'Dockerfile'), join(directory, 'Dockerfile'))
    }
  }
})
