import * as core from '@actions/core'
import type {Log} from '../ports.js'
import {secretForms} from './secrets.js'

/** The log of a GitHub Actions step (@actions/core). The runner applies the masks. */
export function githubLog(): Log {
  return {
    debug(message) {
      core.debug(message)
    },
    info(message) {
      core.info(withoutCommands(message))
    },
    notice(message) {
      core.notice(message)
    },
    warning(message) {
      core.warning(message)
    },
    error(message) {
      core.error(message)
    },
    startGroup(name) {
      core.startGroup(name)
    },
    endGroup() {
      core.endGroup()
    },
    mask(secret) {
      for (const form of secretForms(secret)) core.setSecret(form)
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
