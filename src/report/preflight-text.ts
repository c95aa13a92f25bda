import type {PreflightResult} from '../network/preflight.js'
import {formatTable, markdownTable} from '../format.js'

/** What the preflight found, as text for a terminal or a log. */
export function renderPreflight(results: readonly PreflightResult[]): string {
  const rows = results.map(result => cells(result).map(({text}) => text))
  return [formatTable(header, rows), '', count(results)].join('\n')
}

/** What the preflight found, as Markdown for the job summary: what needs attention is open, the rest folded away. */
export function preflightSummary(results: readonly PreflightResult[]): string {
  const bad = results.filter(result => !isFine(result))
  const good = results.filter(isFine)
  return [
    '### Preflight',
    count(results),
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

function count(results: readonly PreflightResult[]): string {
  const [good, unasked] = [
    results.filter(({state}) => state === 'reachable' || state === 'redirected'),
    results.filter(({state}) => state === 'not probed')
  ].map(({length}) => length)
  const asked = results.length - (unasked ?? 0)
  const rest = unasked === 0 ? '' : `, ${unasked ?? 0} not probed`
  return `${good ?? 0} of ${asked} endpoints answer${rest}.`
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

function cells({endpoint, state, detail, milliseconds, fix}: PreflightResult): Cell[] {
  const {kind, what, route} = endpoint
  const place = route.via === 'mirror' ? `mirror ${route.target}` : route.via
  const proxied = route.proxy === undefined ? '' : `${route.via === 'mirror' ? ' through' : ''} ${route.proxy}`
  return [
    {text: kind, isCode: false},
    {text: what, isCode: true},
    {text: `${place}${proxied}`, isCode: true},
    {text: detail === '' ? state : `${state}: ${detail}`, isCode: false},
    {text: milliseconds === undefined ? '' : `${milliseconds} ms`, isCode: false},
    {text: fix ?? '', isCode: true}
  ]
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
