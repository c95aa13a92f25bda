import {describe, expect, it} from '@jest/globals'
import {bakeOverride, type PrimedImage} from '../../../src/plan/bake-override.js'
import type {PlannedCache} from '../../../src/plan/plan.js'
import type {TreeBuild} from '../../../src/recipes/recipe.js'

interface Case {
  readonly args?: Readonly<Record<string, string>>
  readonly images?: readonly PrimedImage[]
  readonly platforms?: readonly string[]
  readonly cache?: PlannedCache
}

function override({args = {VERSION: '28.5.2'}, images = [], platforms = [], cache}: Case): string {
  const build: TreeBuild = {
    bakeTarget: 'binary',
    stage: 'binary',
    dockerfile: 'FROM scratch\n',
    dockerignore: '',
    arguments: args,
    stampedBinary: 'dockerd'
  }
  const paths = {dockerfile: '/run/Dockerfile', exportDirectory: '/run/export', emptyContext: '/run/empty'}
  return bakeOverride(build, images, platforms, paths, cache)
}

const bare = {dockerfile: '/run/Dockerfile', args: {VERSION: '28.5.2'}, output: ['type=local,dest=/run/export']}

describe('bakeOverride', () => {
  it('re-opens the target alone when there is nothing else to say', () => {
    expect(JSON.parse(override({}))).toEqual({target: {binary: bare}})
  })

  it('puts primed images in place of those of the tree, each made by a target of its own', () => {
    const images = [
      {namedContext: 'golang:1.24', dockerfile: 'FROM golang:1.24\n'},
      {namedContext: 'debian', dockerfile: 'FROM debian\n'}
    ]
    expect(JSON.parse(override({images, platforms: ['linux/arm64']}))).toEqual({
      target: {
        binary: {
          ...bare,
          platforms: ['linux/arm64'],
          contexts: {'golang:1.24': 'target:build-moby-base-1', debian: 'target:build-moby-base-2'}
        },
        'build-moby-base-1': {
          context: '/run/empty',
          'dockerfile-inline': 'FROM golang:1.24\n',
          platforms: ['linux/arm64']
        },
        'build-moby-base-2': {context: '/run/empty', 'dockerfile-inline': 'FROM debian\n', platforms: ['linux/arm64']}
      }
    })
  })

  it('takes layers from one directory and leaves all of them in another', () => {
    const cache = {key: 'k', prefixes: [], importDirectory: '/run/from', exportDirectory: '/run/to'}
    expect(JSON.parse(override({cache}))).toEqual({
      target: {
        binary: {
          ...bare,
          'cache-from': ['type=local,src=/run/from'],
          'cache-to': ['type=local,dest=/run/to,mode=max,compression=zstd,ignore-error=true']
        }
      }
    })
  })

  it.each([
    ['${HOME}', '$${HOME}'],
    ['%{if true}', '%%{if true}'],
    ['$${x}', '$$${x}'],
    ['$HOME 100% {}', '$HOME 100% {}']
  ])('passes the value %j on as it is, though bake reads it as a template', (value, written) => {
    expect(override({args: {A: value}})).toContain(`"A": ${JSON.stringify(written)}`)
  })
})
