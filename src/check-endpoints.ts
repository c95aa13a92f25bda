import type {Decision} from './decide.js'
import {StepError} from './errors.js'
import type {Inputs} from './inputs.js'
import {preflight, type PreflightResult} from './network/preflight.js'
import type {Clock, Log, Prober} from './ports.js'
import {whatText} from './report/plan-text.js'
import {countText, renderPreflight, stateText} from './report/preflight-text.js'

const harmless: readonly PreflightResult['state'][] = ['reachable', 'redirected', 'not probed']

/**
 * Probes every endpoint through its route, as `preflight` says. A plan alone is only probed by `preflight: fail`.
 *
 * @throws StepError with every endpoint that does not answer, when `preflight` is `fail`.
 */
export async function checkEndpoints(
  {plan, network}: Decision,
  inputs: Inputs,
  ports: {
    readonly prober: Prober
    readonly clock: Clock
    readonly pause: (milliseconds: number) => Promise<void>
    readonly log: Log
  }
): Promise<readonly PreflightResult[]> {
  const {log} = ports
  if (inputs.preflight === 'off' || (inputs.mode === 'plan' && inputs.preflight !== 'fail')) return []
  const results = await preflight(plan.endpoints, network, ports)
  log.startGroup('Preflight')
  log.info(renderPreflight(results))
  log.endGroup()
  const failed = results.filter(({state}) => !harmless.includes(state))
  if (failed.length === 0) return results
  const lines = failed.map(
    result =>
      `  - ${result.endpoint.kind} ${whatText(result.endpoint)}: ${stateText(result)}${result.fix === undefined ? '' : `; try ${result.fix}`}`
  )
  const text = `${countText(results)}:\n${lines.join('\n')}`
  // What this process cannot reach a daemon with ways of its own still may.
  const certain = failed.filter(({endpoint}) => endpoint.route.via !== 'daemon')
  if (inputs.preflight === 'fail' && certain.length > 0) throw new StepError('preflight', text)
  log.warning(`Preflight: ${text}`)
  return results
}
