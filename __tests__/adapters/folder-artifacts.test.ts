import {chmod, mkdir, mkdtemp, readdir, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {folderArtifacts} from '../../src/adapters/folder-artifacts.js'
import {describeTree} from '../support/directory-tree.js'

let root: string
let file: string
let out: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'folder-artifacts-'))
  file = join(root, 'binary-client.tar.gz')
  out = join(root, 'deep', 'out')
  await writeFile(file, 'archive')
  await chmod(file, 0o750)
})

afterEach(async () => {
  await rm(root, {recursive: true, force: true})
})

describe('folderArtifacts', () => {
  it('copies files with their modes into a folder that it makes', async () => {
    const published = await folderArtifacts(out).publish('binary-client', [file], {compressionLevel: 0})
    expect(published).toEqual({url: out})
    expect(await describeTree(out)).toEqual(['binary-client.tar.gz 750 archive'])
  })

  it('replaces what an earlier run left', async () => {
    await mkdir(out, {recursive: true})
    await writeFile(join(out, 'binary-client.tar.gz'), 'something older')
    await folderArtifacts(out).publish('binary-client', [file], {compressionLevel: 0})
    expect(await describeTree(out)).toEqual(['binary-client.tar.gz 750 archive'])
  })

  it('keeps a file that is in the folder already', async () => {
    await folderArtifacts(root).publish('binary-client', [file], {compressionLevel: 0})
    expect(await describeTree(root)).toEqual(['binary-client.tar.gz 750 archive'])
  })

  it('rejects for a missing file and leaves nothing behind', async () => {
    const missing = join(root, 'nowhere')
    await expect(folderArtifacts(out).publish('x', [missing], {compressionLevel: 0})).rejects.toThrow('ENOENT')
    expect(await readdir(out)).toEqual([])
  })
})
