#!/usr/bin/env node
import {bundledActionDefinition} from './adapters/action-definition.js'
import {reportFailure} from './adapters/entry.js'
import {cancellation, surroundings} from './adapters/surroundings.js'
import {terminalLog} from './adapters/terminal-log.js'
import {parseCommandLine, renderHelp} from './command-line.js'
import {parseInputs, secretsOf} from './inputs.js'
import {run} from './run.js'

const environment = process.env
const log = terminalLog(text => process.stdout.write(text), {debug: environment.RUNNER_DEBUG === '1'})
try {
  const {inputs: options} = bundledActionDefinition(import.meta.dirname)
  const invocation = parseCommandLine(process.argv.slice(2), options)
  if (invocation.kind === 'help') process.stdout.write(renderHelp(options))
  else {
    const {raw, output, cacheDirectory} = invocation
    for (const secret of secretsOf(raw, {environment})) log.mask(secret)
    const inputs = parseInputs(raw, {environment})
    const folders = {...(output ? {output} : {}), ...(cacheDirectory ? {cache: cacheDirectory} : {})}
    const {place, ports} = surroundings(environment, log, cancellation(), folders)
    await run(inputs, place, {...ports, saveState: () => undefined, writeOutputs: () => undefined})
    if (inputs.mode === 'build') log.info(`Everything is in ${place.outputDirectory}`)
  }
} catch (error) {
  reportFailure(error, log)
}
