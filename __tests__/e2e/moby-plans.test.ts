import {spawnSync} from 'node:child_process'
import {readdirSync} from 'node:fs'
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from '@jest/globals'
import {dockerEnvironment} from '../../src/engine/environment.js'
import {formatTable} from '../../src/format.js'
import type {Plan} from '../../src/plan/plan.js'
import {placeText, routeText} from '../../src/report/plan-text.js'
import {runBuiltAction} from '../support/built-action.js'

/*
 * What the action says of real moby before it builds it, against `__tests__/fixtures/plans`: `make test-moby MOBY=…`. The
 * fixtures are of the official repositories and without mirrors, so a mirror of git must come from git's own
 * configuration (`url.….insteadOf`). `UPDATE_PLANS=1 PLAN_REFS="…"` writes them, for a review by eye.
 */
const directory = join(import.meta.dirname, '../fixtures/plans')
const fixtures = readdirSync(directory).map(name => name.replace(/\.txt$/, ''))
const {MOBY: repository, PLAN_REFS: refs = fixtures.join(' '), UPDATE_PLANS: update} = process.env
const obstacle =
  repository === undefined
    ? 'MOBY is not set'
    : spawnSync('docker', ['info']).status === 0
      ? undefined
      : 'docker does not answer on this machine'
const suite = obstacle === undefined ? describe : describe.skip

suite(obstacle === undefined ? 'the plans of real moby' : `the plans of real moby (skipped: ${obstacle})`, () => {
  let root: string

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'build-moby-plans-'))
  })

  afterAll(async () => {
    await rm(root, {recursive: true, force: true})
  })

  it.each(refs.split(/\s+/))('list every endpoint of %s', async ref => {
    const {main} = await runBuiltAction({
      root,
      with: {mode: 'plan', repository: repository ?? '', ref, platforms: 'linux/amd64'},
      environment: {...dockerEnvironment(process.env), ...gitConfiguration()}
    })
    expect(main.log).not.toContain('##[error]')
    expect(main.conclusion).toBe('success')
    process.stdout.write(`${ref}: ${/^Planned in .*$/m.exec(main.log)?.[0] ?? 'not planned'}\n`)
    const text = reviewable(JSON.parse(await readFile(main.outputs.plan ?? '', 'utf8')) as Plan)
    const file = join(directory, `${ref}.txt`)
    if (update !== undefined) await writeFile(file, text)
    expect(text).toBe(await readFile(file, 'utf8'))
  })
})

/** What does not depend on the machine. */
function reviewable({builds, endpoints}: Plan): string {
  const told = builds.map(
    ({component, source, recipe, stamp}) =>
      `${component}: ${source.repository} ${source.ref.name}, ${recipe}, stamp ${stamp.version} ${stamp.commit}`
  )
  const table = formatTable(
    ['kind', 'what', 'hosts', 'route', 'asked for in'],
    endpoints.map(endpoint => [
      endpoint.kind,
      endpoint.what,
      endpoint.hosts.join(' '),
      `${endpoint.fetcher}: ${routeText(endpoint)}`,
      placeText(endpoint.from)
    ])
  )
  return `${[...told, '', table].join('\n')}\n`
}

function gitConfiguration(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value = '']) => (name.startsWith('GIT_CONFIG_') ? [[name, value]] : []))
  )
}
