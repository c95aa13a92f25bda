import {inputsOfStep, reportFailure} from './adapters/entry.js'
import {githubLog} from './adapters/github-log.js'
import {cancellation, surroundings} from './adapters/surroundings.js'
import {parseInputs, secretsOf} from './inputs.js'
import {run} from './run.js'

const log = githubLog()
const environment = process.env
try {
  const raw = inputsOfStep(environment)
  for (const secret of secretsOf(raw, {environment})) log.mask(secret)
  const inputs = parseInputs(raw, {environment})
  const {place, ports} = surroundings(environment, log, cancellation())
  await run(inputs, place, ports)
} catch (error) {
  reportFailure(error, log)
}
