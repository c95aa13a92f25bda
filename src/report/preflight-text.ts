import type {PreflightResult} from '../network/preflight.js'
import {formatTable, markdownTable} from '../format.js'
import {routeText, whatText} from './plan-text.js'

/**
 * What the preflight found, as text for a terminal or a log. What is wrong with an endpoint, and what to try, is too long
 * for a line of it.
 */
export function renderPreflight(results: readonly PreflightResult[]): string {
  const rows = results.map(result => [
    result.endpoint.kind,
    whatText(result.endpoint),
    routeText(result.endpoint),
    isFine(result) ? stateText(result) : result.state,
    latency(result)
  ])
  return [formatTable(header.slice(0, -1), rows), '', `${countText(results)}.`].join('\n')
}

/** What became of an endpoint, in full. */
export function stateText({state, detail}: Pick<PreflightResult, 'state' | 'detail'>): string {
  if (detail === '') return state
  return detail.startsWith(state) ? detail : `${state}: ${detail}`
}

/** How many of all endpoints answer, and what became of the others. */
export function countText(results: readonly PreflightResult[]): string {
  const unasked = results.filter(({state}) => state === 'not probed').length
  const refused = results.filter(({state}) => state === 'refused by strict').length
  const good = results.filter(isFine).length - unasked
  return [
    `${good} of ${results.length} endpoints answer`,
    ...rest(results.length - good - refused - unasked, 'do not'),
    ...rest(refused, "refused by 'strict'"),
    ...rest(unasked, 'not probed')
  ].join(', ')
}

function rest(count: number, words: string): string[] {
  return count === 0 ? [] : [`${count} ${words}`]
}

/** What the preflight found, as Markdown for the job summary: what needs attention is open, the rest folded away. */
export function preflightSummary(results: readonly PreflightResult[]): string {
  const bad = results.filter(result => !isFine(result))
  const good = results.filter(isFine)
  return [
    '### Preflight',
    `${countText(results)}.`,
    ...(bad.length === 0 ? [] : [table(bad)]),
    ...(good.length === 0
      ? []
      : [`<details><summary>${good.length} without a complaint</summary>`, table(good), '</details>'])
  ].join('\n\n')
}

const header = ['kind', 'what', 'route', 'state', 'latency', 'fix']

/** What was not asked is no reason to complain. */
function isFine({state}: PreflightResult): boolean {
  return state === 'reachable' || state === 'redirected' || state === 'not probed'
}

function table(results: readonly PreflightResult[]): string {
  const rows = results.map(result => cells(result).map(({text, isCode}) => (isCode ? code(text) : escape(text))))
  return markdownTable(header, rows)
}

interface Cell {
  readonly text: string
  /** Whether it is to be read literally. */
  readonly isCode: boolean
}

function cells(result: PreflightResult): Cell[] {
  const {endpoint, fix} = result
  // The route has told of it.
  const state = stateText(result).replace(` (through the proxy ${endpoint.route.proxy ?? ''})`, '')
  return [
    {text: endpoint.kind, isCode: false},
    {text: whatText(endpoint), isCode: true},
    {text: routeText(endpoint), isCode: true},
    {text: state, isCode: false},
    {text: latency(result), isCode: false},
    {text: fix ?? '', isCode: true}
  ]
}

function latency({milliseconds}: PreflightResult): string {
  return milliseconds === undefined ? '' : `${milliseconds} ms`
}

function code(text: string): string {
  return text === '' ? '' : `\`${text.replaceAll('`', "'")}\``
}

// A server's or a library's words may hold anything.
function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_[\]]/g, String.raw`\$&`)
}
