import {describe, expect, it} from '@jest/globals'
import {isSameRepository, parseRepository} from '../../../src/source/repository.js'

const context = {serverUrl: 'https://github.example/', workspace: '/workspace', input: 'repository'}
const parse = (text: string) => parseRepository(text, context)

describe('parseRepository', () => {
  it.each([
    ['moby/moby', 'https://github.example/moby/moby.git', 'http'],
    ['https://git.example/a/b', 'https://git.example/a/b', 'http'],
    ['git://git.example/a/b.git', 'git://git.example/a/b.git', 'other'],
    ['git@github.com:moby/moby.git', 'git@github.com:moby/moby.git', 'ssh'],
    ['ssh://git@github.com/moby/moby', 'ssh://git@github.com/moby/moby', 'ssh'],
    ['/srv/moby', '/srv/moby', 'local'],
    ['../moby', '/moby', 'local'],
    ['./moby', '/workspace/moby', 'local'],
    ['file:///srv/a%20b', '/srv/a b', 'local']
  ])('reads %s', (text, url, kind) => {
    expect(parse(text)).toMatchObject({url, kind})
  })

  it('keeps credentials apart from the URL and the name, decoded', () => {
    expect(parse('https://robot:p%40ss@git.example/a/b.git')).toEqual({
      name: 'https://git.example/a/b.git',
      url: 'https://git.example/a/b.git',
      kind: 'http',
      credentials: {username: 'robot', password: 'p@ss'}
    })
  })

  it('keeps the user of an SSH URL, which is part of the address, and drops the password', () => {
    expect(parse('ssh://git:hunter2@git.example/a/b').url).toBe('ssh://git@git.example/a/b')
  })

  it.each(['moby', 'a b/c', '--upload-pack=x', '-o/x', 'https://', 'ext::sh -c true', ''])(
    'refuses %j, naming the input',
    text => {
      expect(() => parse(text)).toThrow(/Input 'repository'/)
    }
  )
})

describe('isSameRepository', () => {
  it.each([
    ['https://github.com/moby/moby', 'https://github.com/moby/moby.git'],
    ['https://github.com/moby/moby', 'https://github.com/Moby/Moby/'],
    ['https://github.com/moby/moby', 'https://token@github.com/moby/moby'],
    ['https://github.com/moby/moby', 'git@github.com:moby/moby.git'],
    ['https://github.com/moby/moby', 'ssh://git@github.com/moby/moby.git'],
    ['/srv/moby', 'file:///srv/moby/'],
    ['/srv/moby', '/srv/moby/.git']
  ])('takes %s and %s for one repository', (one, other) => {
    expect(isSameRepository(one, other)).toBe(true)
  })

  it.each([
    ['https://github.com/moby/moby', 'https://github.com/acme/moby'],
    ['https://github.com/moby/moby', 'https://github.example/moby/moby'],
    ['http://localhost:1000/a/b', 'http://localhost:2000/a/b'],
    ['/srv/moby', '/srv/other']
  ])('tells %s from %s', (one, other) => {
    expect(isSameRepository(one, other)).toBe(false)
  })
})
