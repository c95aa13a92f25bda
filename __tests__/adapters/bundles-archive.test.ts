import {execFileSync} from 'node:child_process'
import {createHash, randomBytes} from 'node:crypto'
import {chmod, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {gunzipSync} from 'node:zlib'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {systemFiles} from '../../src/adapters/files.js'
import {createArchive, type Archive} from '../../src/bundles/archive.js'
import type {Files} from '../../src/ports.js'

const modifiedTime = Date.UTC(2025, 10, 5, 14, 19, 32) / 1000

// Larger than a chunk, and only half of it compressible.
const program = Buffer.concat([randomBytes(300_001), Buffer.alloc(300_000, 'the same again and again ')])

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bundles-archive-'))
})

afterEach(async () => {
  await rm(root, {recursive: true, force: true})
})

async function put(directory: string, name: string, content: Buffer | string, mode: number): Promise<void> {
  await mkdir(join(root, directory, 'linux_arm64'), {recursive: true})
  await writeFile(join(root, directory, name), content)
  await chmod(join(root, directory, name), mode)
}

async function archive(directory: string, files: Files = systemFiles(root)): Promise<Archive> {
  const path = join(root, `${directory}.tar.gz`)
  return await createArchive({directory: join(root, directory), name: 'binary-daemon', path, modifiedTime}, files)
}

/** Lines of `tar -tv` for owner and group as numbers, with spaces squeezed. */
function tarList(path: string): readonly string[] {
  const output = execFileSync('tar', ['-tvzf', path, '--numeric-owner'], {
    env: {...process.env, TZ: 'UTC', LC_ALL: 'C'}
  })
  return output.toString().trim().replaceAll(/ +/g, ' ').split('\n')
}

describe('createArchive', () => {
  it('makes what tar reads: sorted, with two modes, one time and no owner', async () => {
    await put('some', 'linux_arm64/dockerd', 'foreign', 0o700)
    await put('some', 'dockerd', program, 0o775)
    await put('some', 'dockerd.md5', 'checksum', 0o600)
    await put('some', 'empty', '', 0o444)
    const {path} = await archive('some')
    expect(tarList(path)).toEqual([
      'drwxr-xr-x 0/0 0 2025-11-05 14:19 binary-daemon/',
      `-rwxr-xr-x 0/0 ${program.length} 2025-11-05 14:19 binary-daemon/dockerd`,
      '-rw-r--r-- 0/0 8 2025-11-05 14:19 binary-daemon/dockerd.md5',
      '-rw-r--r-- 0/0 0 2025-11-05 14:19 binary-daemon/empty',
      'drwxr-xr-x 0/0 0 2025-11-05 14:19 binary-daemon/linux_arm64/',
      '-rwxr-xr-x 0/0 7 2025-11-05 14:19 binary-daemon/linux_arm64/dockerd'
    ])
    execFileSync('tar', ['-xzf', path, '-C', root])
    expect(program.equals(await readFile(join(root, 'binary-daemon', 'dockerd')))).toBe(true)
  })

  it('says its size and checksum, and writes the checksum beside it', async () => {
    await put('some', 'dockerd', program, 0o755)
    const {path, size, sha256} = await archive('some')
    const bytes = await readFile(path)
    expect({size, sha256}).toEqual({size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex')})
    expect(await readFile(`${path}.sha256`, 'utf8')).toBe(`${sha256}  some.tar.gz\n`)
  })

  it('makes the same bytes of the same content', async () => {
    await put('one', 'dockerd', program, 0o755)
    await put('one', 'containerd', 'containerd', 0o755)
    await put('other', 'containerd', 'containerd', 0o711)
    await put('other', 'dockerd', program, 0o755)
    await utimes(join(root, 'other', 'dockerd'), 1, 1)
    const [one, other] = [await archive('one'), await archive('other')]
    expect(one.sha256).toBe(other.sha256)
  })

  it('makes the same bytes however the content arrives', async () => {
    await put('one', 'dockerd', program, 0o755)
    const inPieces: Files = {
      ...systemFiles(root),
      readBytes: async function* (path) {
        const bytes = await readFile(path)
        for (let start = 0; start < bytes.length; start += 7777) yield bytes.subarray(start, start + 7777)
      }
    }
    const whole = await archive('one')
    expect((await archive('one', inPieces)).sha256).toBe(whole.sha256)
  })

  it('makes the bytes that it always made', async () => {
    await put('some', 'dockerd', '#!/bin/sh\necho dockerd\n'.repeat(5000), 0o755)
    const {path, sha256} = await archive('some')
    const header = (await readFile(path)).subarray(0, 10).toString('hex')
    expect(header).toBe('1f8b0800000000000003')
    expect(sha256).toBe('50f32d53a1b7601c81615cb34187baf665cd51246dfeb0d28c6b5dc238440d79')
    expect(gunzipSync(await readFile(path)).length % 512).toBe(0)
  })

  it('compresses what is large in several parts, which are one archive', async () => {
    const large = Buffer.alloc(40_000_000, 'what is in a program ')
    await put('some', 'dockerd', large, 0o755)
    const {path, sha256} = await archive('some')
    expect(gunzipSync(await readFile(path)).includes(large)).toBe(true)
    expect((await readFile(path)).toString('latin1').split('\x1f\x8b\x08\0\0\0\0\0\0\x03')).toHaveLength(4)
    expect(sha256).toBe('4bacd0c596bcae10c0498d5a7671c1a57ee88b595295405266b3da32e304ff62')
    execFileSync('tar', ['-xzf', path, '-C', root])
    expect(large.equals(await readFile(join(root, 'binary-daemon', 'dockerd')))).toBe(true)
  })

  it('keeps the names that do not fit the classic header', async () => {
    const long = `${'long-'.repeat(30)}name`
    await put('some', long, 'content', 0o644)
    await put('some', 'dæmon', 'content', 0o644)
    const {path} = await archive('some')
    execFileSync('tar', ['-xzf', path, '-C', root])
    expect(await readFile(join(root, 'binary-daemon', long), 'utf8')).toBe('content')
    expect(await readFile(join(root, 'binary-daemon', 'dæmon'), 'utf8')).toBe('content')
  })

  it('refuses links and leaves no archive', async () => {
    await put('some', 'dockerd', program, 0o755)
    await symlink('dockerd', join(root, 'some', 'link'))
    await expect(archive('some')).rejects.toThrow('link in')
    expect(await systemFiles(root).list(root)).toEqual(['some'])
  })

  it('rejects when a file changes its size meanwhile', async () => {
    await put('some', 'dockerd', program, 0o755)
    const growing: Files = {...systemFiles(root), status: async () => Promise.resolve({size: 5, mode: 0o755})}
    await expect(archive('some', growing)).rejects.toThrow('Size mismatch')
    expect(await systemFiles(root).list(root)).toEqual(['some'])
  })
})
