import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from '@jest/globals'
import {ConfigurationError} from '../../../src/errors.js'
import {cliBake} from '../../../src/recipes/cli-bake.js'
import {mobyBake} from '../../../src/recipes/moby-bake.js'
import {declareArguments, recipeFor, treePaths, type BuildOrder, type Tree} from '../../../src/recipes/recipe.js'

function treeOf(name: string): Tree {
  const root = join(import.meta.dirname, '..', '..', '..', 'sandbox', 'trees', name)
  const present = treePaths.filter(path => existsSync(join(root, path)))
  return Object.fromEntries(present.map(path => [path, readFileSync(join(root, path), 'utf8')]))
}

const order = (overrides: Partial<BuildOrder> = {}): BuildOrder => ({
  target: 'all',
  version: '28.5.2',
  shortCommit: '89c5e8f',
  commitTime: 1762348800,
  buildArguments: {},
  ...overrides
})

describe('recipeFor', () => {
  it.each([
    ['moby-28', 'moby-bake'],
    ['moby-29', 'moby-bake'],
    ['cli-28', 'cli-bake']
  ])('gives %s the recipe %s', (name, recipe) => {
    // moby-29's miniature shares the bake file of moby-28.
    const tree = {...treeOf('moby-28'), ...treeOf(name)}
    expect(recipeFor(name === 'cli-28' ? treeOf(name) : tree, [cliBake, mobyBake], name, 'ref').name).toBe(recipe)
  })

  it.each([
    ['no bake file', {...treeOf('moby-28'), 'docker-bake.hcl': undefined}],
    ['a bake file without the target all', {...treeOf('moby-28'), 'docker-bake.hcl': 'target "binary" {}'}],
    ['no Dockerfile', {...treeOf('moby-28'), Dockerfile: undefined}],
    ['the layout of moby 1.13', treeOf('moby-1.13')]
  ])('refuses a tree with %s and says what is covered and what to change', (_what, tree) => {
    const find = () => recipeFor(tree, [mobyBake], 'moby/moby at v1.13.1', 'ref')
    expect(find).toThrow(ConfigurationError)
    expect(find).toThrow(/^moby\/moby at v1\.13\.1 is a tree .*v23\.0\.0.*'ref'\.$/)
  })

  it('does not take moby for docker/cli', () => {
    expect(cliBake.recognises(treeOf('moby-28'))).toBe(false)
  })
})

describe('moby-bake', () => {
  it.each([
    ['all', 'all'],
    ['binary', 'binary'],
    ['dynbinary', 'binary']
  ] as const)('builds the bake target %s from the stage %s', (target, stage) => {
    expect(mobyBake.plan(treeOf('moby-28'), order({target}))).toMatchObject({bakeTarget: target, stage})
  })

  it('stamps version, commit, names and the time of the commit', () => {
    const {arguments: given} = mobyBake.plan(
      treeOf('moby-28'),
      order({product: 'docker', platformName: 'Acme Engine', packagerName: 'Acme'})
    )
    expect(given).toEqual({
      VERSION: '28.5.2',
      DOCKER_GITCOMMIT: '89c5e8f',
      PLATFORM: 'Acme Engine',
      PRODUCT: 'docker',
      DEFAULT_PRODUCT_LICENSE: '',
      PACKAGER_NAME: 'Acme'
    })
  })

  it('sets every stamp, so that nothing of the surroundings gets in', () => {
    const {arguments: given} = mobyBake.plan(treeOf('moby-28'), order())
    expect(given).toMatchObject({PLATFORM: '', PRODUCT: '', DEFAULT_PRODUCT_LICENSE: '', PACKAGER_NAME: ''})
  })

  it('lets the build arguments of the user win', () => {
    const {arguments: given} = mobyBake.plan(
      treeOf('moby-28'),
      order({buildArguments: {VERSION: 'x', DOCKER_DEBUG: '1'}})
    )
    expect(given).toMatchObject({VERSION: 'x', DOCKER_DEBUG: '1', DOCKER_GITCOMMIT: '89c5e8f'})
  })

  it('leaves the tree’s own files as they are, but for the declaration', () => {
    const tree = treeOf('moby-28')
    const {dockerfile, dockerignore, stampedBinary} = mobyBake.plan(tree, order())
    expect(dockerignore).toBe(tree['.dockerignore'])
    expect(dockerfile.replaceAll('ARG VERSION SOURCE_DATE_EPOCH=1762348800', 'ARG VERSION')).toBe(tree.Dockerfile)
    expect(dockerfile).not.toBe(tree.Dockerfile)
    expect(stampedBinary).toBe('dockerd')
  })
})

describe('cli-bake', () => {
  it.each(['all', 'binary', 'dynbinary'] as const)('builds the target binary whatever the daemon’s is: %s', target => {
    expect(cliBake.plan(treeOf('cli-28'), order({target}))).toMatchObject({bakeTarget: 'binary', stage: 'binary'})
  })

  it('declares what its scripts read from the environment, and gives it', () => {
    const {dockerfile, arguments: given, stampedBinary} = cliBake.plan(treeOf('cli-28'), order({platformName: 'Acme'}))
    expect(dockerfile).toContain('\nARG VERSION GITCOMMIT PLATFORM SOURCE_DATE_EPOCH=1762348800\n')
    expect(given).toEqual({
      VERSION: '28.5.2',
      PACKAGER_NAME: '',
      GITCOMMIT: '89c5e8f',
      PLATFORM: 'Acme'
    })
    expect(stampedBinary).toBe('docker')
  })

  it('keeps the history out of the build', () => {
    const {dockerignore} = cliBake.plan(treeOf('cli-28'), order())
    expect(dockerignore.split('\n')).toContain('.git')
    expect(cliBake.plan({Dockerfile: ''}, order()).dockerignore.split('\n')).toContain('.git')
  })
})

describe('declareArguments', () => {
  it('adds to every plain ARG VERSION and keeps the lines', () => {
    const before = 'FROM a\nARG VERSION\nARG VERSION_X\n ARG VERSION\nARG VERSION=1\nFROM b\nARG VERSION  \nRUN x\n'
    const after = declareArguments(before, ['ONE', 'TWO'])
    expect(after.split('\n')).toEqual([
      'FROM a',
      'ARG VERSION ONE TWO',
      'ARG VERSION_X',
      ' ARG VERSION',
      'ARG VERSION=1',
      'FROM b',
      'ARG VERSION ONE TWO',
      'RUN x',
      ''
    ])
  })
})
