import {describe, expect, it} from '@jest/globals'
import {parseCommandLine, renderHelp, type Invocation, type Option} from '../../src/command-line.js'
import {ConfigurationError} from '../../src/errors.js'

const option = (name: string, fallback = ''): Option => ({name, description: `What ${name} is.`, default: fallback})
const options = [option('mode', 'build'), option('ref'), option('token', '${{ github.token }}'), option('git-mirrors')]
const defaults = {mode: 'build', ref: '', token: '', 'git-mirrors': ''}

const parse = (...words: string[]): Invocation => parseCommandLine(words, options)

describe('parseCommandLine', () => {
  it.each<[string[], Record<string, string>]>([
    [[], {}],
    [['--ref', 'v1'], {ref: 'v1'}],
    [['--ref=v1'], {ref: 'v1'}],
    [['--ref='], {ref: ''}],
    [['--ref', 'a=b=c'], {ref: 'a=b=c'}],
    [['--ref=a=b'], {ref: 'a=b'}],
    [['--git-mirrors', 'one', '--git-mirrors=two\nthree'], {'git-mirrors': 'one\ntwo\nthree'}],
    [['plan'], {mode: 'plan'}],
    [['plan', '--ref', 'v1'], {mode: 'plan', ref: 'v1'}],
    [['build', '--mode', 'plan'], {mode: 'plan'}],
    [['--ref', 'plan'], {ref: 'plan'}],
    [['--token', '--dashes'], {token: '--dashes'}]
  ])('reads %j as %j', (words, given) => {
    expect(parse(...words)).toEqual({kind: 'run', raw: {...defaults, ...given}})
  })

  it('keeps what is no input apart', () => {
    expect(parse('--output', '/out', '--cache-directory=/cache')).toEqual({
      kind: 'run',
      raw: defaults,
      output: '/out',
      cacheDirectory: '/cache'
    })
  })

  it.each([['--help'], ['-h'], ['plan', '--nonsense', '--help']])('shows the help for %j', (...words) => {
    expect(parse(...words)).toEqual({kind: 'help'})
  })

  it('lists every unknown word at once', () => {
    const failing = () => parse('--rev', 'v1', '-x', '--Mode=plan', 'stray', '--ref')
    expect(failing).toThrow(ConfigurationError)
    expect(failing).toThrow(
      `Invalid command line:
  - '--rev' is no option; see --help
  - '-x' is no option; see --help
  - '--Mode' is no option; see --help
  - 'stray' is no option; see --help
  - '--ref' needs a value`
    )
  })

  it.each([
    ['the value of a misspelt option', ['--tokn', 's3cret']],
    ['the value of a misspelt option after =', ['--tokn=s3cret']],
    ['credentials in a stray word', ['http://me:s3cret@proxy:1']]
  ])('does not repeat %s', (_what, words) => {
    expect(() => parse(...words)).toThrow(/is no option/)
    expect(() => parse(...words)).not.toThrow(/s3cret/)
  })
})

describe('renderHelp', () => {
  it('has every option with its description and default', () => {
    const help = renderHelp([...options, {name: 'long', description: 'word '.repeat(50).trim(), default: ''}])
    expect(help).toContain('\n  --mode (default: build)\n      What mode is.\n')
    expect(help).toContain('\n  --token\n      What token is.\n')
    expect(help).toContain('\n  --output (default: ./out)\n')
    for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(96)
    expect(help.match(/\bword\b/g)).toHaveLength(50)
  })
})
