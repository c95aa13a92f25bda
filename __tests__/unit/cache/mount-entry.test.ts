import {createHash} from 'node:crypto'
import {describe, expect, it} from '@jest/globals'
import {readMountEntry, type MountEntry} from '../../../src/cache/mount-entry.js'
import {memoryFiles} from '../../support/memory.js'

const sha256 = createHash('sha256').update('packed').digest('hex')
const mount = {archive: '0.archive', id: 'a', owner: [], files: 2, contentBytes: 5, firstBytes: 5}
const sound: MountEntry = {
  schema: 3,
  kind: 'mounts',
  archives: {'0.archive': {bytes: 6, sha256}},
  mounts: {'0': mount}
}
const read = (entry: object, files: Readonly<Record<string, string>> = {}) =>
  readMountEntry(
    '/entry',
    memoryFiles({
      '/entry/entry.json': JSON.stringify(entry),
      '/entry/0.archive': 'packed',
      '/entry/0.names': './a\n./b\n',
      ...files
    })
  )

describe('readMountEntry', () => {
  it('takes one of which every byte is as it was', async () => {
    expect(await read(sound)).toEqual(sound)
    await expect(read(sound, {'/entry/0.archive': 'PACKED'})).rejects.toThrow('0.archive is damaged')
    await expect(read(sound, {'/entry/0.archive': 'packed!'})).rejects.toThrow('0.archive is damaged')
    await expect(read(sound, {'/entry/0.names': './a\n'})).rejects.toThrow('0.names is damaged')
  })

  it.each([
    ['of another layout', {schema: 1}],
    ['of another kind', {kind: 'layers'}]
  ])('refuses one %s', async (_, change) => {
    await expect(read({...sound, ...change})).rejects.toThrow('entry.json is of another kind')
  })

  it.each([
    ['no archives', {archives: undefined}],
    ['an archive elsewhere', {archives: {'../0.archive': {bytes: 6, sha256}}}],
    ['an archive without a checksum', {archives: {'0.archive': {bytes: 6}}}],
    ['no mounts', {mounts: null}],
    ['a mount elsewhere', {mounts: {'../0': mount}}],
    ['a mount in an archive that is not there', {mounts: {'0': {...mount, archive: 'toString'}}}],
    ['a mount without a size', {mounts: {'0': {...mount, contentBytes: '5'}}}]
  ])('refuses one with %s', async (_, change) => {
    await expect(read({...sound, ...change})).rejects.toThrow('entry.json is damaged')
  })
})
