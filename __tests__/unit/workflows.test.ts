import {existsSync, readFileSync, readdirSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from '@jest/globals'
import {parse} from 'yaml'
import {readActionDefinition} from '../../src/adapters/action-definition.js'

const root = join(import.meta.dirname, '../..')
const action = readActionDefinition(join(root, 'action.yml'))
const inputNames = action.inputs.map(({name}) => name)
const outputNames = action.outputs.map(({name}) => name)

const workflows = readdirSync(join(root, '.github/workflows')).map(file => {
  const text = readFileSync(join(root, '.github/workflows', file), 'utf8')
  return {file, text, workflow: record(parse(text))}
})
const jobs = workflows.flatMap(({file, workflow}) =>
  Object.entries(record(workflow.jobs)).map(([name, job]) => ({title: `${file}: ${name}`, job: record(job)}))
)

describe('the workflows', () => {
  it.each(workflows)('$file pins every action to a commit and says which version that is', ({text}) => {
    const used = [...text.matchAll(/^\s*(?:- )?uses: (.*)$/gm)].map(([, what = '']) => what)
    expect(
      used.filter(what => what !== './' && !/^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(what))
    ).toEqual([])
  })

  it.each(workflows)('$file grants nothing to all of its jobs', ({workflow}) => {
    expect(workflow.permissions).toEqual({})
  })

  it.each(workflows)('$file says whether a newer run replaces an older one', ({workflow}) => {
    expect(record(workflow.concurrency)).toEqual({group: expect.anything(), 'cancel-in-progress': expect.anything()})
  })

  it.each(jobs)('$title ends after some minutes and has no permission but its own', ({job}) => {
    expect(job).toMatchObject({'timeout-minutes': expect.any(Number)})
    expect(job.permissions ?? {}).not.toEqual(expect.any(String))
  })

  it.each(jobs)('$title leaves no credentials in its checkout', ({job}) => {
    const checkouts = stepsIn(job.steps).filter(({uses}) => uses.startsWith('actions/checkout@'))
    expect(checkouts.filter(step => step.with['persist-credentials'] !== false)).toEqual([])
  })

  it('ci.yml is fine only when every job is', () => {
    const ci = record(record(workflows.find(({file}) => file === 'ci.yml')?.workflow).jobs)
    expect(record(ci['ci-ok']).needs).toEqual(Object.keys(ci).filter(name => name !== 'ci-ok'))
  })
})

describe('the uses of the action', () => {
  const examples = [
    ...workflows.map(({file, text}) => ({title: file, text, steps: stepsIn(parse(text))})),
    ...documents().flatMap(examplesIn)
  ]

  it.each(examples)('$title gives only inputs and takes only outputs that exist', ({text, steps}) => {
    const own = steps.filter(({uses}) => isThisAction(uses))
    expect(own.flatMap(step => Object.keys(step.with)).filter(name => !inputNames.includes(name))).toEqual([])
    const taken = own.flatMap(({id}) => [
      ...text.matchAll(new RegExp(`\\bsteps\\.${id ?? ' '}\\.outputs\\.([\\w-]+)`, 'g'))
    ])
    expect(taken.map(([, name = '']) => name).filter(name => !outputNames.includes(name))).toEqual([])
  })

  it('finds examples in fenced blocks, indented or not, whole or in part', () => {
    const fence = '```'
    const text = [
      `${fence}yaml`,
      '- uses: acme/build-moby@v1',
      '  with: {ref: v28.5.2}',
      fence,
      `1. First:`,
      `   ${fence}yml`,
      '   jobs: {build: {steps: [{id: moby, uses: acme/build-moby@v1}]}}',
      `   ${fence}`,
      `${fence}yaml`,
      'unrelated: true',
      fence
    ].join('\n')
    expect(examplesIn({title: 'README.md', text}).map(({steps}) => steps)).toEqual([
      [{uses: 'acme/build-moby@v1', with: {ref: 'v28.5.2'}}],
      [{uses: 'acme/build-moby@v1', id: 'moby', with: {}}]
    ])
  })
})

interface Step {
  readonly uses: string
  readonly id?: string
  readonly with: Record<string, unknown>
}

/** README.md and docs/*.md. */
function documents(): {title: string; text: string}[] {
  const inDocs = readdirSync(join(root, 'docs')).filter(file => file.endsWith('.md'))
  return ['README.md', ...inDocs.map(file => `docs/${file}`)]
    .filter(title => existsSync(join(root, title)))
    .map(title => ({title, text: readFileSync(join(root, title), 'utf8')}))
}

/** The YAML blocks of a document that use the action. */
function examplesIn({title, text}: {title: string; text: string}): {title: string; text: string; steps: Step[]}[] {
  return [...text.matchAll(/^( *)```ya?ml\n([^]*?)^\1```/gm)]
    .map(([, , block = '']) => block)
    .filter(block => block.includes('build-moby'))
    .map((block, index) => ({title: `${title}, example ${index + 1}`, text: block, steps: stepsIn(parse(block))}))
}

function isThisAction(uses: string): boolean {
  return uses === './' || uses.includes('/build-moby@')
}

/** Everything in some YAML that uses an action, however deep. */
function stepsIn(node: unknown): Step[] {
  if (Array.isArray(node)) return node.flatMap(stepsIn)
  if (typeof node !== 'object' || node === null) return []
  const {uses, id, with: inputs} = record(node)
  if (typeof uses !== 'string') return Object.values(node).flatMap(stepsIn)
  return [{uses, ...(typeof id === 'string' ? {id} : {}), with: record(inputs)}]
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? {...value} : {}
}
