import {describe, expect, it} from '@jest/globals'
import {bakeOverride, type BakeOrder} from '../../../src/plan/bake-override.js'

function override(order: Partial<BakeOrder>, args: Readonly<Record<string, string>> = {VERSION: '28.5.2'}): string {
  return bakeOverride(
    {bakeTarget: 'binary', arguments: args},
    {
      dockerfile: '/run/Dockerfile',
      platforms: [],
      output: 'type=local,dest=/run/export',
      cacheFrom: [],
      cacheTo: [],
      secrets: [],
      ...order
    }
  )
}

const bare = {dockerfile: '/run/Dockerfile', args: {VERSION: '28.5.2'}, output: ['type=local,dest=/run/export']}

describe('bakeOverride', () => {
  it('re-opens the target alone when there is nothing else to say', () => {
    expect(JSON.parse(override({}))).toEqual({target: {binary: bare}})
  })

  it('says for which platforms', () => {
    expect(JSON.parse(override({platforms: ['linux/arm64']}))).toEqual({
      target: {binary: {...bare, platforms: ['linux/arm64']}}
    })
  })

  it('builds another stage, with caches and secrets', () => {
    const order = {
      stage: 'layers',
      output: 'type=cacheonly',
      cacheFrom: ['type=local,src=/run/from'],
      cacheTo: ['type=local,dest=/run/to'],
      secrets: ['id=a,env=A']
    }
    expect(JSON.parse(override(order))).toEqual({
      target: {
        binary: {
          ...bare,
          target: 'layers',
          output: ['type=cacheonly'],
          secret: ['id=a,env=A'],
          'cache-from': ['type=local,src=/run/from'],
          'cache-to': ['type=local,dest=/run/to']
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
    expect(override({}, {A: value})).toContain(`"A": ${JSON.stringify(written)}`)
  })
})
