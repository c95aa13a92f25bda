import type {Endpoint, Route} from '../network/endpoint.js'
import type {Plan, PlannedBuild} from '../plan/plan.js'
import {formatTable} from '../format.js'

/** The plan as text for a terminal or a log. */
export function renderPlan(plan: Plan): string {
  const {builder} = plan
  return [
    ...plan.builds.map(renderBuild),
    section('Builder', [
      `${builder.name} (${builder.kind}, driver ${builder.driver}): ${builder.why}`,
      ...(builder.creation === undefined ? [] : [`image ${builder.creation.image}`])
    ]),
    `Endpoints\n${indent(
      formatTable(
        ['kind', 'what', 'fetched by', 'route', 'asked for in'],
        plan.endpoints.map(({kind, what, fetcher, route, from}) => [
          kind,
          what,
          fetcher,
          routeText(route, fetcher),
          placeText(from)
        ])
      )
    )}`,
    ...(plan.notes.length === 0 ? [] : [section('Notes', plan.notes)])
  ].join('\n\n')
}

/** A route in a few words. */
export function routeText({via, target, proxy, inputs}: Route, fetcher: Endpoint['fetcher']): string {
  const through = proxy === undefined ? '' : `proxy ${proxy}`
  switch (via) {
    case 'mirror':
      return `mirror ${target}${through === '' ? '' : `, ${through}`}`
    case 'proxy':
      return through
    case 'daemon':
      return `direct, or the proxy of the ${fetcher === 'dockerd' ? 'daemon' : 'builder'} itself`
    case 'refused':
      return `refused: set '${inputs[0] ?? ''}'`
    case 'built in':
    case 'direct':
    case 'this machine':
      return via
  }
}

/** Where an endpoint is asked for. */
export function placeText(from: Endpoint['from']): string {
  return from === undefined ? '' : `${from.component} ${from.file}:${from.line}`
}

function renderBuild(build: PlannedBuild): string {
  const {source, stamp} = build
  return section(build.component === 'daemon' ? 'Daemon' : 'Client', [
    `source    ${source.repository} ${source.ref.fullName} (${source.history} history)`,
    `commit    ${source.commit} (${source.describe})`,
    `stamp     ${stamp.binary} --version: Docker version ${stamp.version}, build ${stamp.commit}`,
    `recipe    ${build.recipe}`,
    `command   ${build.command.join(' ')}`,
    `platforms ${build.platforms.length === 0 ? "the builder's own" : build.platforms.join(', ')}`,
    `cache     ${build.cache?.key ?? 'none'}`,
    ...Object.entries(build.environment).map(([name, value]) => `sets      ${name}=${value}`),
    ...build.files.map(({path}) => `writes    ${path}`)
  ])
}

function section(title: string, lines: readonly string[]): string {
  return `${title}\n${indent(lines.join('\n'))}`
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ')
}
