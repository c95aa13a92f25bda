import {execFileSync} from 'node:child_process'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, expect, it} from '@jest/globals'
import {type Sandbox, startSandbox} from '../../sandbox/sandbox.js'
import {runBuiltAction} from '../support/built-action.js'
import {describeWithEngine} from '../support/describe-with-engine.js'

const minutes = 60_000

await describeWithEngine('a tree that adds repositories with ADD, behind a git mirror', () => {
  let root: string
  let sandbox: Sandbox
  let stopSandbox = () => Promise.resolve()

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-moby-added-'))
    sandbox = await startSandbox({log: () => undefined})
    stopSandbox = () => sandbox.stop()
  }, 3 * minutes)

  afterAll(async () => {
    await stopSandbox()
    await rm(root, {recursive: true, force: true})
  }, minutes)

  it(
    'gets them from the mirror at the very refs that it names',
    async () => {
      const {main} = await runBuiltAction({
        root,
        with: {...sandbox.inputs, ref: 'docker-v29.4.1', client: 'none', cache: 'off'},
        environment: sandbox.engine.environment
      })
      expect(main.log).not.toContain('##[error]')
      const {bundles = ''} = main.outputs
      const says = (program: string) => run(join(bundles, 'binary-daemon', program))
      expect(says('containerd')).toBe(
        `containerd github.com/containerd/containerd v2.3.3 ${commitOf('containerd/containerd', 'v2.3.3')}`
      )
      expect(says('runc')).toContain(commitOf('opencontainers/runc', 'v1.4.3').slice(0, 7))
      expect(says('docker-init')).toContain(commitOf('krallin/tini', 'v0.19.0').slice(0, 7))
      const asked = sandbox.network.git.requests().map(({path}) => path)
      for (const repository of ['tc-hib/go-winres', 'rootless-containers/rootlesskit']) {
        expect(asked).toContainEqual(expect.stringContaining(`/${repository}.git/git-upload-pack`))
      }
    },
    4 * minutes
  )

  function commitOf(repository: string, tag: string): string {
    const directory = join(sandbox.repositories, `${repository}.git`)
    return run('git', '-c', 'safe.directory=*', '-C', directory, 'rev-parse', `${tag}^{commit}`)
  }
})

function run(program: string, ...words: string[]): string {
  return execFileSync(program, words, {encoding: 'utf8'}).trim()
}
