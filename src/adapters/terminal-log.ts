import type {Log} from '../ports.js'
import {secretForms} from './secrets.js'

export interface TerminalLogOptions {
  /** Also show debug messages. */
  readonly debug?: boolean
}

/**
 * A plain-text log for people outside GitHub. `write` gets whole lines, newline included, in which every secret is
 * replaced by `***`.
 */
export function terminalLog(write: (text: string) => void, options: TerminalLogOptions = {}): Log {
  const secrets = new Set<string>()

  function print(message: string): void {
    const longestFirst = [...secrets].sort((one, other) => other.length - one.length)
    write(`${longestFirst.reduce((text, secret) => text.replaceAll(secret, '***'), message)}\n`)
  }

  return {
    debug(message) {
      if (options.debug === true) print(`Debug: ${message}`)
    },
    info(message) {
      print(message)
    },
    notice(message) {
      print(`Notice: ${message}`)
    },
    warning(message) {
      print(`Warning: ${message}`)
    },
    error(message) {
      print(`Error: ${message}`)
    },
    startGroup(name) {
      print(`\n== ${name} ==`)
    },
    endGroup() {
      // The next group or the end shows where this one ends.
    },
    mask(secret) {
      for (const form of secretForms(secret)) secrets.add(form)
    }
  }
}
