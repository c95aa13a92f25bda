import {systemCommands} from './adapters/commands.js'
import {stateOfStep} from './adapters/entry.js'
import {systemFiles} from './adapters/files.js'
import {githubLog} from './adapters/github-log.js'
import {terminalLog} from './adapters/terminal-log.js'
import {dockerEnvironment} from './engine/environment.js'
import {describeError} from './errors.js'
import {cleanUp, decodeState} from './state.js'

const log = process.env.GITHUB_ACTIONS === 'true' ? githubLog() : terminalLog(text => process.stdout.write(text))
try {
  const commands = systemCommands(new AbortController().signal)
  const files = systemFiles(process.env.RUNNER_TEMP ?? '/tmp')
  await cleanUp(decodeState(stateOfStep(process.env)), {commands, files, log}, dockerEnvironment(process.env))
} catch (error) {
  log.warning(describeError(error))
}
