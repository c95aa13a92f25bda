import {describe, expect, it} from '@jest/globals'
import {carryZstd, loadedFiles} from '../../../src/cache/carried-zstd.js'
import {memoryCommands, memoryFiles, memoryLog} from '../../support/memory.js'

const glibc = `\tlinux-vdso.so.1 (0x00007f8ac4fa0000)
\tliblz4.so.1 => /lib/x86_64-linux-gnu/liblz4.so.1 (0x00007f8ac4de3000)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f8ac4c01000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f8ac4fa2000)
`

describe('carryZstd', () => {
  const machine: Readonly<Record<string, string>> = {
    '/usr/bin/zstd': 'program',
    '/lib64/ld-linux-x86-64.so.2': 'what loads it',
    '/lib/x86_64-linux-gnu/liblz4.so.1': 'lz4',
    '/lib/x86_64-linux-gnu/libc.so.6': 'libc'
  }
  const search = 'sh -c command -v zstd && uname -m'
  const found = {stdout: '/usr/bin/zstd\nx86_64\n'}
  const carry = async (answers: Readonly<Record<string, object>>, there = machine) => {
    const files = memoryFiles(there)
    const log = memoryLog()
    await carryZstd('/context', {commands: memoryCommands(command => answers[command]), files, log})
    const copies = [...files.texts].filter(([path]) => path.startsWith('/context/'))
    return {copies: Object.fromEntries(copies), lines: log.lines}
  }

  it('copies the program, what loads it, and the libraries by their names', async () => {
    expect(await carry({[search]: found, 'ldd /usr/bin/zstd': {stdout: glibc}})).toEqual({
      copies: {
        '/context/zstd-x86_64/zstd': 'program',
        '/context/zstd-x86_64/loader': 'what loads it',
        '/context/zstd-x86_64/liblz4.so.1': 'lz4',
        '/context/zstd-x86_64/libc.so.6': 'libc'
      },
      lines: []
    })
  })

  it.each([
    ['there is none', {[search]: {exitCode: 127}}],
    ['nobody says what it loads', {[search]: found}],
    ['it is static', {[search]: found, 'ldd /usr/bin/zstd': {exitCode: 1, stdout: '\tnot a dynamic executable\n'}}]
  ])('copies nothing where %s', async (_, answers) => {
    expect(await carry(answers)).toEqual({copies: {}, lines: []})
  })

  it('does not fail where a file cannot be copied', async () => {
    const {lines} = await carry({[search]: found, 'ldd /usr/bin/zstd': {stdout: glibc}}, {})
    expect(lines).toEqual([expect.stringMatching(/^debug: .* cannot be carried .*: no such file: \/usr\/bin\/zstd$/)])
  })
})

describe('loadedFiles', () => {
  it('reads what ldd of glibc says', () => {
    expect(loadedFiles(glibc)).toEqual({
      loader: '/lib64/ld-linux-x86-64.so.2',
      libraries: [
        ['liblz4.so.1', '/lib/x86_64-linux-gnu/liblz4.so.1'],
        ['libc.so.6', '/lib/x86_64-linux-gnu/libc.so.6']
      ]
    })
  })

  it('reads what ldd of musl says', () => {
    const ldd = `\t/lib/ld-musl-x86_64.so.1 (0x7f7d5a5d4000)
\tlibzstd.so.1 => /usr/lib/libzstd.so.1 (0x7f7d5a4e2000)
\tlibc.musl-x86_64.so.1 => /lib/ld-musl-x86_64.so.1 (0x7f7d5a5d4000)
`
    expect(loadedFiles(ldd)).toEqual({
      loader: '/lib/ld-musl-x86_64.so.1',
      libraries: [
        ['libzstd.so.1', '/usr/lib/libzstd.so.1'],
        ['libc.musl-x86_64.so.1', '/lib/ld-musl-x86_64.so.1']
      ]
    })
  })

  it('knows what loads a program by its name, wherever it stands', () => {
    const ldd = `\t/usr/lib/libpreloaded.so (0x00007f06c4c2d000)
\tlibc.so.6 => /usr/lib/libc.so.6 (0x00007f06c4a00000)
\t/lib64/ld-linux-x86-64.so.2 => /usr/lib64/ld-linux-x86-64.so.2 (0x00007f06c4c5f000)
`
    expect(loadedFiles(ldd)).toEqual({
      loader: '/usr/lib64/ld-linux-x86-64.so.2',
      libraries: [
        ['libc.so.6', '/usr/lib/libc.so.6'],
        ['/lib64/ld-linux-x86-64.so.2', '/usr/lib64/ld-linux-x86-64.so.2']
      ]
    })
  })

  it.each(['\tnot a dynamic executable\n', '\tstatically linked\n', ''])('finds nothing in %j', ldd => {
    expect(loadedFiles(ldd)).toEqual({loader: undefined, libraries: []})
  })
})
