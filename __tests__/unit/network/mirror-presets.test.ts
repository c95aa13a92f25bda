import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from '@jest/globals'
import {parse} from 'yaml'
import {readActionDefinition} from '../../../src/adapters/action-definition.js'
import {parseInputs} from '../../../src/inputs.js'
import {mirrorPresets, presetInputs} from '../../../src/network/mirror-presets.js'

const root = join(import.meta.dirname, '../../..')
const inputNames = readActionDefinition(join(root, 'action.yml')).inputs.map(({name}) => name)
const page = readFileSync(join(root, 'docs/networks.md'), 'utf8')
const presets = Object.entries(mirrorPresets).map(([name, preset]) => ({name, preset}))

describe('the mirror presets', () => {
  it('have one for mainland China and one for each well-known site', () => {
    expect(presets.map(({name}) => name)).toEqual(['cn', 'tuna', 'ustc', 'aliyun', 'daocloud', 'goproxy-cn', 'gitee'])
  })

  it.each(presets)('$name gives values that the inputs of the action take', ({name, preset}) => {
    expect(Object.keys(preset.inputs).filter(input => !inputNames.includes(input))).toEqual([])
    expect(() => parseInputs({ref: 'v28.5.2', ...presetInputs(name)}, {environment: {}})).not.toThrow()
  })

  it.each(presets)('$name is taken as a whole by mirror-preset', ({name}) => {
    const given = parseInputs({ref: 'v28.5.2', ...presetInputs(name)}, {environment: {}})
    expect(parseInputs({ref: 'v28.5.2', 'mirror-preset': name}, {environment: {}})).toEqual(given)
  })

  it.each(presets)('$name says where each of its values comes from', ({preset}) => {
    expect(Object.keys(preset.sources)).toEqual(Object.keys(preset.inputs))
    const pages = Object.values(preset.sources).flat()
    expect(pages.filter(source => !/^https:\/\/[\w.-]+\/\S*$/.test(source))).toEqual([])
    expect(Object.values(preset.sources).filter(sources => sources.length === 0)).toEqual([])
  })

  it.each(presets)('$name stands in docs/networks.md with its last check', ({name, preset}) => {
    const {description, lastChecked} = preset
    const checked = lastChecked === null ? 'never' : `${lastChecked.date}, ${lastChecked.how}`
    expect(tableRows(page)).toContainEqual([`\`${name}\``, description, checked])
  })

  it('stand in docs/networks.md with all their values', () => {
    const [, block = ''] = /<!-- presets -->\s+```yaml\n([^]*?)```/.exec(page) ?? []
    expect(parse(block)).toEqual(Object.fromEntries(presets.map(({name, preset}) => [name, preset.inputs])))
  })

  it.each(presets)('$name goes to other sites than those it replaces, over HTTPS', ({preset}) => {
    const values = Object.values(preset.inputs).join('\n')
    expect(values).not.toMatch(/http:\/\//)
    expect(values).not.toMatch(/=https:\/\/(github\.com|go\.dev|golang\.org)\//)
  })
})

describe('presetInputs', () => {
  it('gives the texts by the names of the inputs', () => {
    expect(presetInputs('goproxy-cn')).toEqual({'go-proxy': 'https://goproxy.cn', 'go-sumdb': 'sum.golang.google.cn'})
  })

  it.each(['moon', 'toString', ''])('refuses the unknown name %j and names those there are', name => {
    expect(() => presetInputs(name)).toThrow('only cn, tuna, ustc')
  })
})

/** The cells of every row of every table. */
function tableRows(markdown: string): string[][] {
  return [...markdown.matchAll(/^\| (.*) \|$/gm)].map(([, row = '']) => row.split(' | ').map(cell => cell.trim()))
}
