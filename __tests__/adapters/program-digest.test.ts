import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {programDigest} from '../../src/adapters/program-digest.js'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'program-digest-'))
  await writeFile(join(directory, 'index.js'), 'await import("./4.index.js")')
  await writeFile(join(directory, '4.index.js'), '')
})

afterEach(async () => {
  await rm(directory, {recursive: true, force: true})
})

describe('programDigest', () => {
  it('changes with every part of the program, and with nothing else', async () => {
    const digest = await programDigest(directory)
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/)
    await writeFile(join(directory, 'licenses.txt'), 'MIT')
    expect(await programDigest(directory)).toBe(digest)
    await writeFile(join(directory, '4.index.js'), ' ')
    expect(await programDigest(directory)).not.toBe(digest)
  })

  it('tells apart which part holds what', async () => {
    await writeFile(join(directory, '4.index.js'), 'x')
    await writeFile(join(directory, 'index.js'), '')
    const digest = await programDigest(directory)
    await writeFile(join(directory, '4.index.js'), '')
    await writeFile(join(directory, 'index.js'), 'x')
    expect(await programDigest(directory)).not.toBe(digest)
  })
})
