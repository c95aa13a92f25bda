import {describe, expect, it} from '@jest/globals'
import {gitCacheKeys} from '../../../src/cache/git-objects.js'

const repository = {
  url: 'https://github.com/moby/moby.git',
  refs: new Map([
    ['refs/heads/master', 'a'.repeat(40)],
    ['refs/tags/v28.5.2', 'b'.repeat(40)]
  ]),
  ref: 'refs/tags/v28.5.2'
}
const settings = {prefix: '', history: 'blobless'} as const

describe('gitCacheKeys', () => {
  it('prefers the entries of the ref to those of the repository', () => {
    const {key, prefixes} = gitCacheKeys(repository, settings)
    const [own = '', family = '', ...others] = prefixes
    expect(family).toMatch(/^build-moby-git-1-moby_moby-[0-9a-f]{16}-blobless-$/)
    expect(own.startsWith(family)).toBe(true)
    expect(key.startsWith(own)).toBe(true)
    expect(others).toEqual([])
  })

  it.each(['https://github.com/Moby/moby', 'git@github.com:moby/moby.git', 'https://user:secret@github.com/moby/moby'])(
    'knows the repository as %s',
    url => {
      expect(gitCacheKeys({...repository, url}, settings)).toEqual(gitCacheKeys(repository, settings))
    }
  )

  it('has the same key for the same refs in another order, and another for other ones', () => {
    const {key} = gitCacheKeys(repository, settings)
    const reversed = new Map([...repository.refs].reverse())
    expect(gitCacheKeys({...repository, refs: reversed}, settings).key).toBe(key)
    const moved = new Map([...repository.refs, ['refs/heads/master', 'c'.repeat(40)]])
    expect(gitCacheKeys({...repository, refs: moved}, settings).key).not.toBe(key)
  })

  it.each([
    ['a fork', {url: 'https://github.com/acme/moby.git'}, {}],
    ['the same name on another server', {url: 'https://git.example.com/moby/moby.git'}, {}],
    ['another history', {}, {history: 'full' as const}],
    ['another prefix', {}, {prefix: 'mine'}]
  ])('has nothing in common with %s', (_, other, others) => {
    const {prefixes} = gitCacheKeys({...repository, ...other}, {...settings, ...others})
    const {key} = gitCacheKeys(repository, settings)
    expect(prefixes.some(prefix => key.startsWith(prefix))).toBe(false)
  })

  it('lets the refs of a repository share what they have', () => {
    const branch = gitCacheKeys({...repository, ref: 'refs/heads/master'}, settings)
    const tag = gitCacheKeys(repository, settings)
    expect(branch.key).not.toBe(tag.key)
    expect(branch.prefixes.at(-1)).toBe(tag.prefixes.at(-1))
  })
})
