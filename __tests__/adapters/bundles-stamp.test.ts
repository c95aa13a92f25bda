import {chmod, mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {systemCommands} from '../../src/adapters/commands.js'
import {systemFiles} from '../../src/adapters/files.js'
import {platformOfMachine} from '../../src/bundles/platform.js'
import {verifyStamp, type VerifiedStamp} from '../../src/bundles/stamp.js'
import {foreignHeader, goBuildInfo, ldflags, moduleTextWith} from '../support/go-program.js'

const expected = {version: '28.5.2', shortCommit: '89c5e8f'}
const machine = platformOfMachine('linux', 'x64')
const module = 'github.com/docker/docker/dockerversion'
const padding = Buffer.alloc(1_000_003, 'code')

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bundles-stamp-'))
})

afterEach(async () => {
  await rm(root, {recursive: true, force: true})
})

async function verify(content: string | Buffer, platform?: string): Promise<VerifiedStamp> {
  const source = join(root, 'dockerd')
  await writeFile(source, content)
  await chmod(source, 0o755)
  const program = {path: 'dockerd', source, ...(platform === undefined ? {} : {platform})}
  const ports = {files: systemFiles(root), commands: systemCommands(new AbortController().signal)}
  return await verifyStamp(program, expected, machine, ports)
}

/** A script that answers `--version`, and nothing else, with `text`. */
function answering(text: string): string {
  return `#!/bin/sh\ntest "$*" = --version && echo '${text}'\n`
}

function foreign(...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat([foreignHeader(), ...parts.map(part => Buffer.from(part))])
}

describe('verifyStamp of a program that runs here', () => {
  it.each([undefined, machine])('believes what it prints, with the platform %s', async platform => {
    const stamp = await verify(answering('Docker version 28.5.2, build 89c5e8f'), platform)
    expect(stamp).toEqual({path: 'dockerd', version: '28.5.2', commit: '89c5e8f', how: 'ran'})
  })

  it('accepts more digits of the commit', async () => {
    expect((await verify(answering('Docker version 28.5.2, build 89c5e8fd66'))).commit).toBe('89c5e8fd66')
  })

  it.each([
    ['another version', 'Docker version dev, build 89c5e8f', 'it prints version dev, build 89c5e8f'],
    ['another commit', 'Docker version 28.5.2, build HEAD', 'it prints version 28.5.2, build HEAD'],
    [
      'uncommitted changes',
      'Docker version 28.5.2, build 89c5e8f-dirty',
      'it prints version 28.5.2, build 89c5e8f-dirty'
    ]
  ])('refuses %s', async (_what, text, found) => {
    await expect(verify(answering(text))).rejects.toThrow(
      `verify: dockerd: expected version 28.5.2, build 89c5e8f, but ${found}`
    )
  })

  it('says what a wrong stamp means', async () => {
    await expect(verify(answering('Docker version dev, build HEAD'))).rejects.toThrow(
      'it prints version dev, build HEAD: the build did not take the planned stamp'
    )
  })

  it('shows the program nothing of the environment', async () => {
    process.env.BUNDLES_STAMP_SECRET = 'visible'
    try {
      const program = answering('Docker version 28.5.2, build 89c5e8f')
      const stamp = await verify(program.replace('test', 'test -z "$BUNDLES_STAMP_SECRET" && test'))
      expect(stamp.how).toBe('ran')
    } finally {
      delete process.env.BUNDLES_STAMP_SECRET
    }
  })

  it('refuses a program that prints something else', async () => {
    await expect(verify(answering('hello'))).rejects.toThrow(
      "verify: dockerd --version does not print 'Docker version …, build …' but: hello"
    )
  })

  it('refuses a program that fails by itself', async () => {
    await expect(verify('#!/bin/sh\necho panic: oh no >&2\nexit 2\n')).rejects.toThrow(
      'verify: dockerd --version exited with 2: panic: oh no'
    )
  })
})

describe('verifyStamp of a program that cannot run here', () => {
  const stamped = goBuildInfo(moduleTextWith(ldflags(module, '28.5.2', '89c5e8f')))
  const fromBuildInfo = {path: 'dockerd', version: '28.5.2', commit: '89c5e8f', how: 'build info'}

  it.each([
    ['an ELF file for another architecture', foreign(padding, stamped, padding), undefined],
    ['a PE file', Buffer.concat([Buffer.from('MZ'), padding, stamped]), undefined],
    [
      'anything in the directory of another platform',
      Buffer.concat([Buffer.from('#!/bin/false\n'), stamped]),
      'linux/arm/v7'
    ],
    ['a program whose loader is missing', Buffer.concat([Buffer.from('#!/nowhere/ld.so\n'), stamped]), undefined],
    [
      'a program whose libraries are missing',
      Buffer.concat([
        Buffer.from('#!/bin/sh\necho "$0: error while loading shared libraries: libx.so" >&2\nexit 1\n'),
        stamped
      ]),
      undefined
    ]
  ])('reads the build information of %s', async (_what, content, platform) => {
    expect(await verify(content, platform)).toEqual(fromBuildInfo)
  })

  it('finds build information behind a lookalike and across the seams of its windows', async () => {
    const lookalike = Buffer.from('\u00ff Go buildinf:', 'latin1')
    const stretch = Buffer.alloc((4 << 20) - foreignHeader().length - lookalike.length - 40)
    expect(await verify(foreign(lookalike, stretch, stamped, padding))).toEqual(fromBuildInfo)
  })

  it('refuses another stamp', async () => {
    const other = goBuildInfo(moduleTextWith(ldflags(module, '28.5.1', 'e180ab8')))
    await expect(verify(foreign(other, '28.5.2 89c5e8f'))).rejects.toThrow(
      'verify: dockerd: expected version 28.5.2, build 89c5e8f, but it was linked with version 28.5.1, build e180ab8'
    )
  })

  it('makes do with the text when the linker flags are not recorded', async () => {
    const trimmed = goBuildInfo(moduleTextWith(undefined))
    expect(
      await verify(foreign(padding, trimmed, '89c5e8f', padding, padding, padding, padding, padding, '28.5.2\0'))
    ).toEqual({
      path: 'dockerd',
      version: '28.5.2',
      commit: '89c5e8f',
      how: 'text'
    })
  })

  it.each([
    ['28.5.2\0', 'build 89c5e8f'],
    ['28.5.2-rc.1\u000089c5e8f\0', 'version 28.5.2'],
    ['89c5e8f', 'version 28.5.2'],
    ['', 'version 28.5.2 and build 89c5e8f']
  ])('refuses a program with the text %j only', async (text, missing) => {
    await expect(verify(foreign(padding, text))).rejects.toThrow(
      `verify: dockerd: expected version 28.5.2, build 89c5e8f, but ${missing} is nowhere in it`
    )
  })
})
