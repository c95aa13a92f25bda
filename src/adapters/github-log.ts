import {EOL} from 'node:os'
import type {Log} from '../ports.js'
import {secretForms} from './secrets.js'

/**
 * The log of a GitHub Actions step. The runner applies the masks. The commands are written here as @actions/core 3.0.1
 * writes them (src/command.ts), because loading that takes longer than everything else before the first line.
 */
export function githubLog(): Log {
  return {
    debug(message) {
      command('debug', message)
    },
    info(message) {
      print(withoutCommands(message))
    },
    notice(message) {
      command('notice', message)
    },
    warning(message) {
      command('warning', message)
    },
    error(message) {
      command('error', message)
    },
    startGroup(name) {
      command('group', name)
    },
    endGroup() {
      command('endgroup', '')
    },
    mask(secret) {
      for (const form of secretForms(secret)) command('add-mask', form)
    }
  }
}

/**
 * The output of a build is only text: the runner must not obey what looks like one of its commands, neither `::name::`
 * at the start of a line nor `##[name]` anywhere (actions/runner v2.336.0, src/Runner.Common/ActionCommand.cs).
 */
function withoutCommands(text: string): string {
  return text.replace(/^(?=\s*::)/gm, '|').replaceAll('##[', '# #[')
}

function command(name: string, message: string): void {
  print(`::${name}::${message.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')}`)
}

function print(text: string): void {
  process.stdout.write(`${text}${EOL}`)
}
