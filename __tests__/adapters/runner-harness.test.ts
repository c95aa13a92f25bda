import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from '@jest/globals'
import {isPostDue} from '../support/runner-action.js'
import {parseKeyValues} from '../support/runner-files.js'
import {type ActionResult, type ActionRun, runAction} from '../support/runner.js'

const action = join(import.meta.dirname, '..', 'fixtures', 'runner-action', 'action.yml')
let root: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'runner-harness-'))
})

afterAll(async () => {
  await rm(root, {recursive: true, force: true})
})

async function run(what: string, options: Partial<ActionRun> = {}): Promise<ActionResult> {
  return await runAction({action, root, ...options, with: {what, ...options.with}})
}

function json(text: string | undefined): unknown {
  return JSON.parse(text ?? 'null')
}

describe('the runner harness', () => {
  it('makes inputs by the rules of the runner', async () => {
    const {main} = await run('report', {with: {'Two Words': true, extra: 'given'}})
    expect(json(main.outputs.inputs)).toEqual({
      INPUT_WHAT: 'report',
      INPUT_TWO_WORDS: 'true',
      INPUT_FLAG: 'yes',
      INPUT_NUMBER: '16',
      INPUT_NOTHING: '',
      INPUT_TOKEN: 'harness-token',
      INPUT_EXTRA: 'given'
    })
    expect(main.annotations).toEqual([
      {level: 'warning', message: expect.stringContaining("Unexpected input(s) 'extra', valid inputs are ['what'")}
    ])
  })

  it('prints numbers in defaults as the runner does', async () => {
    const {main} = await run('report')
    expect(json(main.outputs.inputs)).toMatchObject({INPUT_TWO_WORDS: '1.5'})
  })

  it('refuses an expression that it has no value for', async () => {
    const odd = join(root, 'action.yml')
    await writeFile(odd, 'inputs: {where: {default: "${{ job.container }}"}}\nruns: {using: node24, main: main.js}\n')
    await expect(runAction({action: odd, root})).rejects.toThrow("'job.container'")
  })

  it('gives each run an empty workspace and an environment of its own', async () => {
    const one = await run('report', {environment: {GIVEN: 'x'}, prepare: at => writeFile(join(at, 'file'), '')})
    const other = await run('report')
    expect(json(one.main.outputs.workspace)).toEqual([one.workspace, 'file'])
    expect(json(other.main.outputs.workspace)).toEqual([other.workspace])
    expect(one.temporaryDirectory).not.toBe(other.temporaryDirectory)
    const names = json(one.main.outputs.variables)
    expect(names).toEqual(expect.arrayContaining(['PATH', 'HOME', 'GIVEN', 'GITHUB_STATE', 'RUNNER_TEMP']))
    expect(names).not.toEqual(expect.arrayContaining(['JEST_WORKER_ID']))
    expect(one.main.summary).toContain('all well')
  })

  it('hands state, environment, path, inputs and masks on to the post phase', async () => {
    const {main, post} = await run('speak')
    expect(main.state).toEqual({Left: 'for later\nin two lines'})
    expect(post?.log.split('\n')).toEqual([
      'state: "for later\\nin two lines"',
      'exported: to post',
      expect.stringMatching(/^path: \/second:\/first:/),
      'what: speak',
      '*** again'
    ])
  })

  it('shows the log as people see it and keeps what was printed', async () => {
    const {main, masks} = await run('speak')
    expect(main.log.split('\n')).toEqual(
      expect.arrayContaining([
        'the word is swordfish',
        'the word is ***',
        '##[warning]*** was said',
        '##[notice]from the other stream',
        '::warning::only text'
      ])
    )
    expect(main.printed).toContain('::add-mask::swordfish')
    expect([...masks]).toEqual(['swordfish'])
    expect(main.annotations).toHaveLength(2)
    expect(main.annotations).toEqual(
      expect.arrayContaining([
        {level: 'warning', message: '*** was said', title: 'Careful, now: 100%'},
        {level: 'notice', message: 'from the other stream'}
      ])
    )
  })

  it('runs the post phase after a failure too', async () => {
    const {main, post} = await run('fail')
    expect(main).toMatchObject({exitCode: 1, conclusion: 'failure'})
    expect(main.annotations).toEqual([{level: 'error', message: 'it broke'}])
    expect(post).toMatchObject({exitCode: 0, conclusion: 'success'})
  })

  it('fails a step that writes a malformed file although it exits with 0', async () => {
    const {main} = await run('write nonsense')
    expect(main).toMatchObject({exitCode: 0, conclusion: 'failure', outputs: {old: 'way'}})
    expect(main.problems).toEqual([expect.stringContaining("GITHUB_OUTPUT: Error: Invalid format 'neither nor'")])
  })

  it('cancels with an interrupt at a given line', async () => {
    const {main, post} = await run('wait', {cancelAt: 'waiting'})
    expect(main).toMatchObject({exitCode: 0, conclusion: 'cancelled', log: 'waiting\ninterrupted'})
    expect(post).toMatchObject({conclusion: 'success'})
  })

  it.each([
    ['always()', 'failure', true],
    ['success()', 'failure', false],
    ['${{ failure() }}', 'failure', true],
    ['!cancelled()', 'cancelled', false]
  ] as const)('knows whether a post phase under %s runs after a %s', (condition, conclusion, due) => {
    expect(isPostDue(condition, conclusion)).toBe(due)
  })

  it('reads the files of the runner', () => {
    expect(parseKeyValues('a=1<<2\n\nb<<END\none\n\ntwo=2\nEND\nc=\n')).toEqual({
      a: '1<<2',
      b: 'one\n\ntwo=2',
      c: ''
    })
    expect(() => parseKeyValues('b<<END\nnever closed\n')).toThrow("delimiter not found 'END'")
  })
})
