import {describe, expect, it} from '@jest/globals'
import {formatDuration, formatSize, formatTable, markdownTable} from '../../src/format.js'

describe('formatDuration', () => {
  it.each([
    [0, '0.0 s'],
    [0.44, '0.4 s'],
    [59.94, '59.9 s'],
    [59.96, '1 min 00 s'],
    [60, '1 min 00 s'],
    [185.4, '3 min 05 s'],
    [3599.7, '60 min 00 s'],
    [7265, '121 min 05 s']
  ])('%d s is %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text)
  })
})

describe('formatSize', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [3482, '3.4 KiB'],
    [61 * 1024 ** 2, '61.0 MiB'],
    [3 * 1024 ** 3, '3.0 GiB'],
    [5000 * 1024 ** 3, '5000.0 GiB']
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text)
  })
})

describe('formatTable', () => {
  it('pads columns, but leaves no blanks at the ends of lines', () => {
    expect(formatTable(['a', 'long'], [['xyz', '1'], ['x', ''], ['x']])).toBe('a    long\nxyz  1\nx\nx')
  })
})

describe('markdownTable', () => {
  it('escapes what would end a cell', () => {
    expect(markdownTable(['a', 'b'], [['1|2', 'one\ntwo\r\nthree']])).toBe(
      '| a | b |\n| --- | --- |\n| 1\\|2 | one two three |'
    )
  })
})
