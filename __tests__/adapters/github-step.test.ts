import {readFile, mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {githubLog} from '../../src/adapters/github-log.js'
import {greeting, stateOfStep} from '../../src/adapters/entry.js'
import {appendSummary, stepOutlets} from '../../src/adapters/runner.js'
import {parseInputs} from '../../src/inputs.js'
import type {Log} from '../../src/ports.js'
import {type Inside, insideRunner} from '../support/inside-runner.js'
import {makeFileCommands} from '../support/runner-files.js'

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'github-step-'))
})

afterEach(async () => {
  await rm(root, {recursive: true, force: true})
})

async function logged(use: (log: Log) => void): Promise<Inside<void>> {
  return await insideRunner(root, {}, () => {
    use(githubLog())
    return Promise.resolve()
  })
}

describe('githubLog', () => {
  it('speaks the language of the runner', async () => {
    const {log, annotations} = await logged(log => {
      log.startGroup('Checkout')
      log.info('plain')
      log.debug('detail')
      log.endGroup()
      log.notice('look')
      log.warning('two\nlines')
      log.error('100% broken')
    })
    expect(log).toContain('##[group]Checkout\nplain\n##[debug]detail\n##[endgroup]')
    expect(annotations).toEqual([
      {level: 'notice', message: 'look'},
      {level: 'warning', message: 'two\nlines'},
      {level: 'error', message: '100% broken'}
    ])
  })

  it.each([
    ['p%40ss', 'p@ss and p%40ss', '*** and ***'],
    ['one\ntwo', 'two then one', '*** then ***'],
    ['', 'nothing to hide', 'nothing to hide']
  ])('masks %j, decoded and line by line', async (secret, message, shown) => {
    const {log} = await logged(log => {
      log.mask(secret)
      log.info(message)
    })
    expect(log).toBe(shown)
  })

  it('does not let the output of a build give commands to the runner', async () => {
    const {log, annotations} = await logged(log => {
      log.info('#7 done\n  ::error::forged\n::add-mask::done\n##[error]forged too')
    })
    expect(annotations).toEqual([])
    expect(log).toBe('#7 done\n|  ::error::forged\n|::add-mask::done\n# #[error]forged too')
  })
})

describe('the first line', () => {
  // As dist/main: two levels below package.json.
  const bundle = join(import.meta.dirname, '../../dist/main')

  it.each([
    [{ref: 'v28.5.2'}, 'build moby/moby v28.5.2'],
    [{ref: 'v28.5.2', mode: 'plan'}, 'plan a build of moby/moby v28.5.2'],
    [{ref: 'main', repository: 'https://me:hidden@git.example/moby'}, 'build https://git.example/moby main']
  ])('says for %j which version is about to do what', (given, task) => {
    const line = greeting(parseInputs(given, {environment: {}}), bundle)
    expect(line).toMatch(/^Build Moby \d+\.\d+\.\d+, Node\.js \d+\.\d+\.\d+: /)
    expect(line).toContain(`: ${task}`)
  })
})

describe('the files of the runner', () => {
  it('take outputs and one document of state, of which the last counts', async () => {
    const files = await makeFileCommands(root)
    await insideRunner(root, files.variables, async () => {
      const {saveState, writeOutputs} = await stepOutlets()
      writeOutputs({version: '28.5.2', plan: 'two\nlines', empty: ''})
      saveState({workDirectory: '/early'})
      saveState({workDirectory: '/late'})
    })
    const {outputs, state, problems} = await files.read()
    expect(problems).toEqual([])
    expect(outputs).toEqual({version: '28.5.2', plan: 'two\nlines', empty: ''})
    expect(Object.values(state)).toEqual(['{"workDirectory":"/late"}'])

    const variables = Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]))
    expect(stateOfStep(variables)).toBe('{"workDirectory":"/late"}')
  })

  it('hold no state when nothing was saved', () => {
    expect(stateOfStep({})).toBeUndefined()
    expect(stateOfStep({STATE_state: ''})).toBeUndefined()
  })

  it('take a summary in several parts', async () => {
    expect(await summaryOf('# One', '## Two')).toBe('# One\n## Two\n')
  })

  it('take what fits of a summary that is too long, under a notice', async () => {
    const line = '| ünï | côdé |\n'
    const summary = await summaryOf('# Short', line.repeat(100_000))
    expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(1024 * 1024)
    expect(Buffer.byteLength(summary)).toBeGreaterThan(1024 * 1024 - 2 * Buffer.byteLength(line))
    expect(summary).toMatch(/^# Short\n> \[!WARNING\]\n> This summary was cut/)
    expect(summary.endsWith(`\n${line}`)).toBe(true)
  })

  it('are not missed outside a runner', async () => {
    await expect(insideRunner(root, {}, () => appendSummary('# Nothing'))).resolves.toMatchObject({log: ''})
  })
})

async function summaryOf(...parts: readonly string[]): Promise<string> {
  const {variables} = await makeFileCommands(root)
  await insideRunner(root, variables, async () => {
    for (const part of parts) await appendSummary(part)
  })
  return await readFile(variables.GITHUB_STEP_SUMMARY ?? '', 'utf8')
}
