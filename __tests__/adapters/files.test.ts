import {mkdtemp, readFile, readdir, rm, stat, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {systemFiles} from '../../src/adapters/files.js'
import type {Files} from '../../src/ports.js'

let root: string
let files: Files

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'files-'))
  files = systemFiles(join(root, 'temporary'))
})

afterEach(async () => {
  await rm(root, {recursive: true})
})

const at = (...names: string[]) => join(root, ...names)
async function* chunks(...texts: string[]) {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text))
}
async function* broken() {
  yield await Promise.resolve(Buffer.from('half'))
  throw new Error('cut off')
}

describe('write', () => {
  it('makes directories, and files that everybody may read', async () => {
    await files.write(at('a', 'b', 'file'), 'text')
    expect(await readFile(at('a', 'b', 'file'), 'utf8')).toBe('text')
    expect(await files.status(at('a', 'b', 'file'))).toEqual({size: 4, mode: 0o644})
  })

  it.each([0o600, 0o755, 0o777])('gives the mode %o, whatever the umask is', async mode => {
    await files.write(at('file'), 'text', mode)
    expect((await files.status(at('file'))).mode).toBe(mode)
  })

  it('takes bytes as they come', async () => {
    await files.write(at('file'), chunks('one', 'two'))
    expect(await files.readText(at('file'))).toBe('onetwo')
  })

  it('replaces an older file, or leaves it as it was', async () => {
    await files.write(at('file'), 'old')
    await files.write(at('file'), 'new')
    await expect(files.write(at('file'), broken())).rejects.toThrow('cut off')
    expect(await files.readText(at('file'))).toBe('new')
    expect(await readdir(root)).toEqual(['file'])
  })
})

describe('what is not there', () => {
  it.each(['nothing', 'nothing/below', 'file/below'])('is told from what is: %s', async path => {
    await writeFile(at('file'), '')
    expect(await files.readText(at(path))).toBeUndefined()
    expect(await files.kind(at(path))).toBeUndefined()
    expect(await files.list(at(path))).toEqual([])
  })

  it('cannot be asked for its status, its bytes or where it leads', async () => {
    const drain = async () => {
      for await (const chunk of files.readBytes(at('nothing'))) expect(chunk).toBeUndefined()
    }
    await symlink('nowhere', at('dangling'))
    await expect(files.status(at('nothing'))).rejects.toMatchObject({code: 'ENOENT'})
    await expect(drain()).rejects.toMatchObject({code: 'ENOENT'})
    await expect(files.resolveLinks(at('dangling'))).rejects.toMatchObject({code: 'ENOENT'})
  })

  it('is no reason to hide other failures', async () => {
    await expect(files.readText(root)).rejects.toMatchObject({code: 'EISDIR'})
  })
})

describe('what is there', () => {
  it('is known by its kind, links not followed', async () => {
    await files.makeDirectory(at('deep', 'directory'))
    await files.write(at('file'), '')
    await files.link('nowhere', at('link'))
    const kinds = await Promise.all(['deep', 'file', 'link'].map(name => files.kind(at(name))))
    expect(kinds).toEqual(['directory', 'file', 'link'])
    expect(await files.kind('/dev/null')).toBe('other')
  })

  it('is listed in order', async () => {
    for (const name of ['b', 'a', 'C']) await files.write(at('list', name), '')
    expect(await files.list(at('list'))).toEqual(['C', 'a', 'b'])
  })

  it('is read through links', async () => {
    await files.write(at('program'), 'text', 0o750)
    await files.link('program', at('one'))
    await files.link('one', at('two'))
    expect(await files.status(at('two'))).toEqual({size: 4, mode: 0o750})
    expect(await files.resolveLinks(at('two'))).toBe(at('program'))
    await files.copyFile(at('two'), at('copies', 'program'))
    expect(await files.kind(at('copies', 'program'))).toBe('file')
    expect(await files.status(at('copies', 'program'))).toEqual({size: 4, mode: 0o750})
  })
})

describe('temporary directories', () => {
  it('are new, private and below the root', async () => {
    const one = await files.makeTemporaryDirectory('build-')
    const two = await files.makeTemporaryDirectory('build-')
    expect(one).not.toBe(two)
    expect(one.startsWith(at('temporary', 'build-'))).toBe(true)
    expect((await stat(one)).mode & 0o777).toBe(0o700)
    expect(await files.list(one)).toEqual([])
  })
})

describe('replace', () => {
  it('puts a directory in the place of another', async () => {
    await files.write(at('old', 'stale'), '')
    await files.write(at('new', 'fresh'), '')
    await files.replace(at('new'), at('old'))
    expect(await files.list(at('old'))).toEqual(['fresh'])
    expect(await files.kind(at('new'))).toBeUndefined()
  })

  it('makes the directories above', async () => {
    await files.write(at('file'), 'text')
    await files.replace(at('file'), at('a', 'b', 'file'))
    expect(await files.readText(at('a', 'b', 'file'))).toBe('text')
  })
})

describe('remove', () => {
  it('removes files, whole directories and links alone, and minds nothing that is not there', async () => {
    await files.write(at('kept', 'file'), '')
    await files.write(at('gone', 'deep', 'file'), '')
    await files.link('kept', at('link'))
    for (const name of ['gone', 'link', 'nothing']) await files.remove(at(name))
    expect(await readdir(root)).toEqual(['kept'])
    expect(await files.list(at('kept'))).toEqual(['file'])
  })
})
