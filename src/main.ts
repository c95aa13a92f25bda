import {greeting, inputsOfStep, reportFailure} from './adapters/entry.js'
import {githubLog} from './adapters/github-log.js'
import {terminalLog} from './adapters/terminal-log.js'
import {stepOutlets} from './adapters/runner.js'
import {cancellation, surroundings} from './adapters/surroundings.js'
import {parseInputs, secretsOf} from './inputs.js'
import {run} from './run.js'

// Outside a runner nobody reads workflow commands.
const log = process.env.GITHUB_ACTIONS === 'true' ? githubLog() : terminalLog(text => process.stdout.write(text))
const environment = process.env
try {
  const raw = inputsOfStep(environment)
  for (const secret of secretsOf(raw, {environment})) log.mask(secret)
  const inputs = parseInputs(raw, {environment})
  log.info(greeting(inputs, import.meta.dirname))
  const {place, ports} = surroundings(environment, log, cancellation())
  await run(inputs, place, {...ports, ...(await stepOutlets())})
} catch (error) {
  reportFailure(error, log)
}
