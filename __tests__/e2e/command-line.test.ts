import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdir, mkdtemp, readFile, readdir, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {text} from 'node:stream/consumers'
import {afterAll, beforeAll, describe, expect, it, jest} from '@jest/globals'
import {unreachableMobyCommit} from '../../sandbox/moby-fork.js'
import {type Sandbox, startSandbox} from '../../sandbox/sandbox.js'
import {readActionDefinition} from '../../src/adapters/action-definition.js'
import type {Plan} from '../../src/plan/plan.js'
import {git} from '../support/bare-repository.js'
import {actionFile, commandLine} from '../support/built-action.js'
import {describeWithEngine} from '../support/describe-with-engine.js'

const minutes = 60_000
jest.setTimeout(3 * minutes)

interface CommandLineRun {
  readonly exitCode: number | null
  readonly output: string
  /** Its current directory. */
  readonly directory: string
  /** Where it had its temporary files. */
  readonly temporary: string
}

let root: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'build-moby-command-line-'))
})

afterAll(async () => {
  await rm(root, {recursive: true, force: true})
})

/** Runs the built program in a new directory, as on somebody's own machine: with no more variables than given. */
async function run(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  prepare: (directory: string) => Promise<unknown> = () => Promise.resolve()
): Promise<CommandLineRun> {
  const home = await mkdtemp(join(root, 'home-'))
  const [directory, temporary] = [join(home, 'work'), join(home, 'tmp')]
  for (const path of [directory, temporary]) await mkdir(path)
  await prepare(directory)
  const child = spawn(process.execPath, [commandLine, ...words], {
    cwd: directory,
    env: {PATH: process.env.PATH, HOME: home, TMPDIR: temporary, ...environment},
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return {exitCode: child.exitCode, output: output + errors, directory, temporary}
}

describe('build-moby', () => {
  it('explains every input of the action with --help', async () => {
    const {exitCode, output} = await run(['--help'])
    expect(exitCode).toBe(0)
    const names = readActionDefinition(actionFile).inputs.map(({name}) => name)
    for (const name of [...names, 'output', 'cache-directory'])
      expect(output).toMatch(new RegExp(`^  --${name}( |$)`, 'm'))
  })

  it('names every unknown option at once, and leaves nothing behind', async () => {
    const {exitCode, output, directory} = await run(['plan', '--tag', 'v28.5.2', '--mirror=x', 'now', '--ref'])
    expect(exitCode).toBe(1)
    for (const problem of [
      "'--tag' is no option",
      "'--mirror' is no option",
      "'now' is no option",
      "'--ref' needs a value"
    ])
      expect(output).toContain(problem)
    expect(await readdir(directory)).toEqual([])
  })
})

await describeWithEngine('build-moby beside an engine that reaches nothing but mirrors', () => {
  let sandbox: Sandbox
  let stop = () => Promise.resolve()
  let mirrors: string[]
  let moby: string

  beforeAll(async () => {
    sandbox = await startSandbox({log: () => undefined})
    stop = () => sandbox.stop()
    mirrors = Object.entries(sandbox.inputs).flatMap(([name, value]) => [`--${name}`, value])
    moby = join(sandbox.repositories, 'moby/moby.git')
  }, 5 * minutes)

  afterAll(async () => {
    await stop()
  })

  async function runInSandbox(
    words: readonly string[],
    prepare?: (directory: string) => Promise<unknown>
  ): Promise<CommandLineRun & {readonly plan: Plan}> {
    const done = await run([...words, ...mirrors], {...sandbox.engine.environment}, prepare)
    expect(done.output).not.toContain('Error:')
    expect(done.exitCode).toBe(0)
    expect(await readdir(done.temporary)).toEqual([])
    return {...done, plan: JSON.parse(await readFile(join(done.directory, 'out/plan.json'), 'utf8')) as Plan}
  }

  it('prints a plan and writes it as JSON, without the credentials of a proxy', async () => {
    const {output, plan, directory} = await runInSandbox([
      ...[
        'plan',
        '--ref',
        'v28.5.2',
        '--https-proxy',
        'http://ann:hunter2@127.0.0.1:1',
        '--no-proxy=localhost,127.0.0.1'
      ]
    ])
    expect(plan.builds.map(({component, stamp}) => [component, stamp.version])).toEqual([
      ['daemon', '28.5.2'],
      ['client', '28.5.2']
    ])
    for (const title of ['Daemon', 'Client', 'Builder', 'Endpoints'])
      expect(output).toMatch(new RegExp(`^${title}$`, 'm'))
    expect(output).toMatch(/^ {2}kind +what +fetched by +route +asked for in$/m)
    expect(output).toContain('docker --version: Docker version 28.5.2, build ')
    expect(output + JSON.stringify(plan)).not.toMatch(/hunter2|ann:/)
    expect(await readdir(join(directory, 'out'))).toEqual(['plan.json'])
    expect((await readdir(directory)).sort()).toEqual(['moby', 'moby-cli', 'out'])
  })

  it.each([
    ['a branch', 'docker-29.x', /^29\.4\.1-0-g\w{7}$/],
    ['a branch with a slash', 'feature/mirror', /^29\.0\.0-rc\.1-1-g\w{7}$/],
    ['a full ref', 'refs/pull/42/merge', /^29\.0\.0-rc\.1-3-g\w{7}$/]
  ])('stamps %s (%s) by the nearest release', async (_what, ref, version) => {
    const {plan} = await runInSandbox(['plan', '--ref', ref, '--client', 'none'])
    expect(plan.builds[0]?.stamp.version).toMatch(version)
  })

  it('stamps a bare commit as the release that it is', async () => {
    const commit = await git('-C', moby, 'rev-parse', 'docker-v29.1.0^{commit}')
    const {plan} = await runInSandbox(['plan', '--ref', commit, '--client', 'none'])
    expect(plan.builds[0]).toMatchObject({stamp: {version: '29.1.0', commit: commit.slice(0, 7)}, source: {commit}})
  })

  it('finds a commit that no ref leads to', async () => {
    const commit = await unreachableMobyCommit(sandbox.repositories)
    const {plan} = await runInSandbox(['plan', '--ref', commit, '--client', 'none'])
    const version = `29.0.0-rc.1-1-g${commit.slice(0, 7)}`
    expect(plan.builds[0]).toMatchObject({stamp: {version}, source: {commit, ref: {kind: 'commit'}}})
  })

  it('completes a shallow checkout of a local repository and builds it for two platforms', async () => {
    const {directory, output} = await runInSandbox(
      [
        ...['--repository', moby, '--ref', 'v28.5.2', '--client', 'none', '--target', 'binary'],
        ...['--platforms', 'linux/amd64,linux/arm64', '--cache-directory', 'cache']
      ],
      async work => git('clone', '--quiet', '--depth=1', '--branch=28.x', `file://${moby}`, join(work, 'moby'))
    )
    const checkout = join(directory, 'moby')
    expect(await git('-C', checkout, 'rev-parse', '--is-shallow-repository')).toBe('false')
    expect(await git('-C', checkout, 'describe', '--tags', '--exact-match')).toBe('v28.5.2')
    expect(await git('-C', checkout, 'status', '--porcelain')).toBe('')
    const bundle = join(directory, 'out/binary-daemon')
    expect(await readdir(bundle)).toEqual(['linux_amd64', 'linux_arm64'])
    expect(await readdir(join(bundle, 'linux_arm64'))).toEqual(expect.arrayContaining(['docker-proxy', 'dockerd']))
    expect(output).toMatch(/^linux_amd64\/dockerd: version 28\.5\.2, build \w{7} \(ran\)$/m)
    expect(output).toMatch(/^linux_arm64\/dockerd: version 28\.5\.2, build \w{7} \(build info\)$/m)
    expect((await readdir(join(directory, 'cache'))).length).toBeGreaterThan(0)
  })

  it('links dynamically on request', async () => {
    const words = ['--ref', 'v28.5.2', '--client', 'none', '--target', 'dynbinary', '--cache', 'off']
    const {directory, output} = await runInSandbox(words)
    expect(output).toContain('---> Making bundle: dynbinary')
    expect(output).toMatch(/^dockerd: version 28\.5\.2, build \w{7} \(ran\)$/m)
    expect(await readdir(join(directory, 'out'))).toContain('binary-daemon.tar.gz')
  })

  it('fetches the repositories that BuildKit adds from the mirror, and takes the client it is told', async () => {
    const words = ['--ref', 'docker-v29.4.1', '--client', 'v29.1.0', '--target', 'binary', '--cache', 'off']
    const {output} = await runInSandbox(words)
    expect(output).toMatch(/^dockerd: version 29\.4\.1, build \w{7} \(ran\)$/m)
    expect(output).toMatch(/^docker: version 29\.1\.0, build \w{7} \(ran\)$/m)
    const asked = sandbox.network.git.requests().map(({path}) => path)
    expect(asked).toContainEqual(expect.stringContaining('/tc-hib/go-winres.git/info/refs'))
  })
})
