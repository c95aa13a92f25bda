import {execFileSync, spawnSync} from 'node:child_process'
import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from '@jest/globals'
import {dockerEnvironment} from '../../src/engine/environment.js'
import {readActionDefinition} from '../../src/adapters/action-definition.js'
import {proxiesFromEnvironment, proxyEnvironment} from '../../src/network/proxy.js'
import {actionFile, runBuiltAction} from '../support/built-action.js'

/*
 * Real moby, on request: `make test-moby MOBY=<git URL or path> REFS="v28.5.2 docker-v29.7.2"`, with the docker of this
 * machine. Every other input comes from the variable MOBY_<NAME>, for example MOBY_REGISTRY_MIRRORS.
 */
const {MOBY: repository, REFS: refs = 'v28.5.2'} = process.env
const obstacle =
  repository === undefined
    ? 'MOBY is not set'
    : spawnSync('docker', ['info']).status === 0
      ? undefined
      : 'docker does not answer on this machine'
const suite = obstacle === undefined ? describe : describe.skip

suite(obstacle === undefined ? 'real moby' : `real moby (skipped: ${obstacle})`, () => {
  let root: string

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-moby-real-'))
  })

  afterAll(async () => {
    await rm(root, {recursive: true, force: true})
  })

  it.each(refs.split(/\s+/))('builds %s with its stamp, and leaves the checkout clean', async ref => {
    const started = performance.now()
    const {main, post, workspace} = await runBuiltAction({
      root,
      with: {repository: repository ?? '', ref, ...inputsFromEnvironment()},
      environment: {...dockerEnvironment(process.env), ...proxyEnvironment(proxiesFromEnvironment(process.env))}
    })
    const seconds = (performance.now() - started) / 1000
    expect(main.log.split('\n').slice(-30).join('\n')).not.toContain('##[error]')
    expect(main.conclusion).toBe('success')
    expect(post?.conclusion).toBe('success')
    const {bundles = '', commit = '', version = ''} = main.outputs
    const said = execFileSync(join(bundles, 'binary-daemon/dockerd'), ['--version'], {encoding: 'utf8'}).trim()
    expect(said).toBe(`Docker version ${version}, build ${commit.slice(0, 7)}`)
    const status = ['-c', 'safe.directory=*', '-C', join(workspace, 'moby'), 'status', '--porcelain']
    expect(execFileSync('git', status, {encoding: 'utf8'})).toBe('')
    const summary = await readFile(join(bundles, 'summary.md'), 'utf8')
    const slowest = /^\d+ steps in [^]*?(?=\n\S)/m.exec(main.log)?.[0] ?? ''
    process.stdout.write(`\n${ref}: ${said}, ${seconds.toFixed(0)} s in all\n${slowest}\n${summary}\n`)
  })
})

function inputsFromEnvironment(): Record<string, string> {
  const variableOf = (name: string) => `MOBY_${name.toUpperCase().replaceAll('-', '_')}`
  return Object.fromEntries(
    readActionDefinition(actionFile).inputs.flatMap(({name}) => {
      const value = process.env[variableOf(name)]
      return value === undefined ? [] : [[name, value]]
    })
  )
}
