import {describe, expect, it} from '@jest/globals'
import {type TerminalLogOptions, terminalLog} from '../../src/adapters/terminal-log.js'
import type {Log} from '../../src/ports.js'

function written(use: (log: Log) => void, options: TerminalLogOptions = {}): string {
  let text = ''
  use(
    terminalLog(part => {
      text += part
    }, options)
  )
  return text
}

describe('terminalLog', () => {
  it('writes plain lines, with a title for each group', () => {
    const text = written(log => {
      log.startGroup('Checkout')
      log.info('two\nlines')
      log.endGroup()
      log.notice('look')
      log.warning('careful')
      log.error('broken')
    })
    expect(text).toBe('\n== Checkout ==\ntwo\nlines\nNotice: look\nWarning: careful\nError: broken\n')
  })

  it.each([
    [{}, ''],
    [{debug: true}, 'Debug: detail\n']
  ])('shows debug messages only when asked to: %j', (options, expected) => {
    const text = written(log => {
      log.debug('detail')
    }, options)
    expect(text).toBe(expected)
  })

  it.each([
    ['as it is', 'hunter2', 'http://me:hunter2@proxy'],
    ['percent-decoded', 'p%40ss', 'p@ss and p%40ss'],
    ['line by line', 'first line\n  second line\n', 'second line, then first line'],
    ['although it looks like a pattern', '$&(a|b)*', 'the word $&(a|b)*'],
    ['although it cannot be decoded', '100%', 'at 100%']
  ])('masks a secret %s in every kind of text', (_, secret, message) => {
    const text = written(
      log => {
        log.mask(secret)
        log.startGroup(message)
        log.info(message)
        log.debug(message)
        log.warning(message)
        log.error(message)
        log.notice(message)
      },
      {debug: true}
    )
    for (const form of ['hunter2', 'p@ss', 'p%40ss', 'first line', 'second line', '(a|b)', '100%']) {
      expect(text).not.toContain(form)
    }
    expect(text.match(/\*\*\*/g)?.length).toBeGreaterThanOrEqual(6)
  })

  it('masks the longer of two secrets that overlap', () => {
    const text = written(log => {
      log.mask('pass')
      log.mask('password')
      log.info('password pass')
    })
    expect(text).toBe('*** ***\n')
  })

  it('ignores a blank secret', () => {
    const text = written(log => {
      log.mask('')
      log.mask(' \n')
      log.info('a b')
    })
    expect(text).toBe('a b\n')
  })
})
