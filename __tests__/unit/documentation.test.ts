import {existsSync, readFileSync, readdirSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from '@jest/globals'
import {parse} from 'yaml'
import {readActionDefinition} from '../../src/adapters/action-definition.js'
import {parseInputs} from '../../src/inputs.js'

const docs = join(import.meta.dirname, '../../docs')
const action = readActionDefinition(join(docs, '../action.yml'))
const page = readFileSync(join(docs, 'networks.md'), 'utf8')

const workflows = readdirSync(join(docs, 'workflows')).map(file => {
  const text = readFileSync(join(docs, 'workflows', file), 'utf8')
  const workflow = record(parse(text))
  const jobs = Object.values(record(workflow.jobs)).map(record)
  return {file, text, workflow, jobs, steps: jobs.flatMap(({steps}) => (Array.isArray(steps) ? steps.map(record) : []))}
})

describe('the workflows of docs/workflows', () => {
  it.each(workflows)('$file stands in docs/networks.md as it is', ({file, text}) => {
    expect(page).toContain(`<!-- workflow ${file} -->\n\n\`\`\`yaml\n${text}\`\`\`\n`)
  })

  it('are all that docs/networks.md shows', () => {
    const shown = [...page.matchAll(/^<!-- workflow (.*) -->$/gm)].map(([, file]) => file)
    expect(shown.toSorted()).toEqual(workflows.map(({file}) => file).toSorted())
  })

  it.each(workflows)('$file has a name, a trigger, and jobs that end', ({workflow, jobs}) => {
    expect(workflow).toMatchObject({name: expect.any(String), on: expect.any(Object)})
    expect(jobs).toEqual(jobs.map(() => expect.objectContaining({'timeout-minutes': expect.any(Number)})))
  })

  it.each(workflows)('$file may read the contents of the repository and nothing else', ({workflow, jobs}) => {
    expect(workflow.permissions).toEqual({contents: 'read'})
    expect(jobs.filter(({permissions}) => permissions !== undefined)).toEqual([])
  })

  it.each(workflows)('$file uses this action by its major version, and any other by a commit', ({text}) => {
    const used = [...text.matchAll(/^\s*(?:- )?uses: (.*)$/gm)].map(([, what = '']) => what)
    expect(used).toContain('build-moby/build-moby@v1')
    const others = used.filter(what => what !== 'build-moby/build-moby@v1')
    expect(others.filter(what => !/^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(what))).toEqual([])
  })

  it.each(workflows)('$file gives this action inputs that it has and takes', ({steps}) => {
    const given = steps.filter(({uses}) => String(uses).includes('/build-moby@')).map(step => record(step.with))
    expect(given).not.toEqual([])
    const known = action.inputs.map(({name}) => name)
    expect(given.flatMap(inputs => Object.keys(inputs)).filter(name => !known.includes(name))).toEqual([])
    for (const inputs of given) expect(() => parseInputs(rawTexts(inputs), {environment: {}})).not.toThrow()
  })

  it.each(workflows)('$file takes passwords from secrets only', ({text}) => {
    const passwords = [...text.matchAll(/:\/\/[^\s@]*:([^\s@]*)@/g)].map(([, password]) => password)
    expect(passwords.filter(password => !/^\$\{\{ secrets\.\w+ \}\}$/.test(password ?? ''))).toEqual([])
  })
})

describe('the pages in docs', () => {
  const pages = ['../README.md', ...readdirSync(docs).filter(file => file.endsWith('.md'))]

  it.each(pages)('%s links to files and headings that exist', file => {
    const text = readFileSync(join(docs, file), 'utf8')
    const targets = [...withoutCode(text).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, target = '']) => target)
    const broken = targets.filter(target => {
      const [path = '', anchor] = target.split('#')
      const linked = join(docs, file, '..', path)
      if (path !== '' && !existsSync(linked)) return true
      return anchor !== undefined && !anchorsOf(path === '' ? text : readFileSync(linked, 'utf8')).includes(anchor)
    })
    expect(broken).toEqual([])
  })

  it('have the anchors that GitHub makes of their headings, and none in code', () => {
    expect(anchorsOf('# A b: `c`, d (e)\n```\n# no heading\n```\n## Mirrors')).toEqual(['a-b-c-d-e', 'mirrors'])
  })
})

/** What a step gives, as the runner hands it over, with a word in the place of every expression. */
function rawTexts(inputs: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [name, String(value).replaceAll(/\$\{\{.*?\}\}/g, 'v28.5.2')])
  )
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(markdown: string): string[] {
  return [...withoutCode(markdown).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-')
  )
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^( *)```[^]*?^\1```$/gm, '')
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? {...value} : {}
}
