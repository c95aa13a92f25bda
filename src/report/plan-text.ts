import type {Endpoint, RoutedEndpoint} from '../network/endpoint.js'
import type {PlannedMounts} from '../cache/plan-mounts.js'
import type {Plan, PlannedBuild, PlannedCaches} from '../plan/plan.js'
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
    section('Endpoints', [endpointTable(plan.endpoints), ...refusedText(plan.endpoints)]),
    ...(plan.notes.length === 0 ? [] : [section('Notes', plan.notes)])
  ].join('\n\n')
}

function endpointTable(endpoints: readonly RoutedEndpoint[]): string {
  return formatTable(
    ['kind', 'what', 'fetched by', 'route', 'asked for in'],
    endpoints.map(endpoint => [
      endpoint.kind,
      whatText(endpoint),
      endpoint.fetcher,
      routeText(endpoint),
      placeText(endpoint.from)
    ])
  )
}

function refusedText(endpoints: readonly RoutedEndpoint[]): string[] {
  const refused = endpoints.filter(({route}) => route.via === 'refused').length
  return refused === 0 ? [] : [`${refused} of ${endpoints.length} endpoints are refused by 'strict'`]
}

/** What an endpoint is, of a Go module its path and version (go.dev/ref/mod, "GOPROXY protocol"). */
export function whatText({kind, what}: Pick<Endpoint, 'kind' | 'what'>): string {
  const [, path, version] = /^https?:\/\/[^/]+\/(.+)\/@v\/(.+)\.info$/.exec(what) ?? []
  if (kind !== 'go' || path === undefined || version === undefined) return what
  return `${path}@${version}`.replaceAll(/!([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** A route in a few words: of a mirror only where it begins, as what is asked for there is known. */
export function routeText({what, route, fetcher}: Pick<RoutedEndpoint, 'what' | 'route' | 'fetcher'>): string {
  const {via, target, proxy, inputs} = route
  const through = proxy === undefined ? '' : `proxy ${proxy}`
  switch (via) {
    case 'mirror':
      return `mirror ${mirrorBase(what, target)}${through === '' ? '' : `, ${through}`}`
    case 'proxy':
      return through
    case 'daemon':
      return fetcher === 'dockerd'
        ? 'direct, or a mirror or proxy of the daemon itself'
        : 'direct, or the proxy of the builder itself'
    case 'refused':
      return `refused: set '${inputs[0] ?? ''}'`
    case 'direct':
    case 'this machine':
      return via
  }
}

/** `target` without the end that it has in common with `what`, but for its host. */
function mirrorBase(what: string, target: string): string {
  const [, origin = ''] = /^([a-z]+:\/\/[^/]+|[^/]+)/.exec(target) ?? []
  const path = target.slice(origin.length).split('/')
  const asked = what.split('/')
  while (path.length > 1 && path.at(-1) === asked.at(-1)) {
    path.pop()
    asked.pop()
  }
  return origin + path.join('/')
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
    ...cacheLines(build.caches),
    ...Object.entries(build.environment).map(([name, value]) => `sets      ${name}=${value}`),
    ...build.files.map(({path}) => `writes    ${path}`)
  ])
}

/** What is kept of the build between runs. */
function cacheLines({result, layers, mounts, from, to}: PlannedCaches): string[] {
  const kept = [
    ...(result === undefined ? [] : [result.key]),
    ...(layers === undefined ? [] : [layers.key]),
    ...(mounts === undefined ? [] : [`${mounts.prefixes[0] ?? ''}… (${mountIds(mounts)})`]),
    ...from.map(line => `from ${line}`),
    ...to.map(line => `to ${line}`)
  ]
  return (kept.length === 0 ? ['nothing'] : kept).map(line => `keeps     ${line}`)
}

function mountIds({groups}: PlannedMounts): string {
  return [...new Set(groups.flatMap(({mounts}) => mounts.map(({id}) => id)))].join(', ')
}

function section(title: string, lines: readonly string[]): string {
  return `${title}\n${indent(lines.join('\n'))}`
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ')
}
