import {execFileSync} from 'node:child_process'
import {join} from 'node:path'
import {describe, expect, it} from '@jest/globals'
import {readActionDefinition} from '../../src/adapters/action-definition.js'
import {parseInputs} from '../../src/inputs.js'
import {runOutputs} from '../../src/report/outputs.js'
import {outcomeWith} from '../support/outcome.js'

const root = join(import.meta.dirname, '..', '..')
const {inputs, outputs} = readActionDefinition(join(root, 'action.yml'))
const environment = {GITHUB_REPOSITORY: 'moby/moby', GITHUB_REF: 'refs/heads/master', GITHUB_SHA: 'a'.repeat(40)}

describe('action.yml', () => {
  it('has exactly the inputs that the parser reads', () => {
    const read = new Set<string>()
    const raw = new Proxy<Record<string, string>>(
      {},
      {
        get: (_target, name) => {
          read.add(String(name))
          return undefined
        }
      }
    )
    parseInputs(raw, {environment})
    expect([...read].sort()).toEqual(inputs.map(({name}) => name).sort())
  })

  it('has the defaults that the parser has', () => {
    const defaults = inputs
      .filter(input => !input.default.includes('${{'))
      .map(input => [input.name, input.default] as const)
    expect(parseInputs(Object.fromEntries(defaults), {environment})).toEqual(parseInputs({}, {environment}))
  })

  it('has exactly the outputs that a run writes', () => {
    expect(Object.keys(runOutputs(outcomeWith())).sort()).toEqual(outputs.map(({name}) => name).sort())
  })

  it.each([...inputs, ...outputs].map(({name, description}) => [name, description]))('describes %s', (_name, text) => {
    expect(text).toMatch(/^[A-Z`].*\.$/s)
  })
})

describe('README.md', () => {
  it('has tables that match action.yml', () => {
    const script = join(root, 'scripts', 'update-readme.ts')
    const check = () =>
      execFileSync(process.execPath, ['--import', 'tsx', script, '--check'], {cwd: root, stdio: 'pipe'})
    expect(check).not.toThrow()
  })
})
