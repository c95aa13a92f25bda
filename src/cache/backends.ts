import {isAbsolute, join} from 'node:path'
import {isAtLeast, type Version} from '../engine/versions.js'

/*
 * The user's own cache backends: lines of `cache-from` and `cache-to`, as buildx has them (docs.docker.com/build/cache/backends).
 */

const types = ['gha', 'registry', 's3', 'azblob', 'local'] as const
type BackendType = (typeof types)[number]

export type BackendDirection = 'from' | 'to'

/** A line, taken apart. */
interface Backend {
  readonly type: BackendType
  readonly attributes: ReadonlyMap<string, string>
}

const required: Readonly<Record<BackendType, Readonly<Record<BackendDirection, readonly string[]>>>> = {
  gha: {from: [], to: []},
  registry: {from: ['ref'], to: ['ref']},
  s3: {from: ['bucket'], to: ['bucket']},
  azblob: {from: ['account_url'], to: ['account_url']},
  local: {from: ['src'], to: ['dest']}
}

/**
 * BuildKit inside of Docker Engine knows no others, and imports none but the last two while images are in the store of a graph
 * driver (moby builder/builder-next/controller.go@v28.5.2, docker-v29.7.2). It passes over what it cannot import, and fails a
 * build that is to export to another type.
 */
const engineTypes: readonly BackendType[] = ['gha', 'registry', 'local']

/** The types of backends that a builder knows; one that cannot export caches imports them only. */
export function knownTypes(driver: string, exportsCaches: boolean): readonly BackendType[] {
  if (driver !== 'docker') return types
  return exportsCaches ? engineTypes : engineTypes.filter(type => type !== 'gha')
}

// Credentials belong to the surroundings: a plan is printed, and BuildKit writes these attributes into its records.
const secretAttribute = /token|secret|password|access_key|credential/

/** What is wrong with a line, for people; undefined when nothing is. No value of it is repeated. */
export function backendProblem(line: string, direction: BackendDirection): string | undefined {
  const backend = readBackend(line)
  if (typeof backend === 'string') return backend
  const {type, attributes} = backend
  const secret = [...attributes.keys()].find(name => secretAttribute.test(name))
  if (secret !== undefined) {
    return `must not hold credentials, as ${secret} is: type=${type} takes them from the environment or from \`docker login\``
  }
  if ([...attributes.values()].some(value => /:\/\/[^/\s]*@|[?&]sig=/.test(value))) {
    return `must not hold credentials, and a URL of type=${type} has some: it takes them from the environment`
  }
  const missing = required[type][direction].filter(name => (attributes.get(name) ?? '') === '')
  return missing.length === 0
    ? undefined
    : `with type=${type} must say ${missing.map(name => `${name}=…`).join(' and ')}`
}

/** What the lines of a plan follow from. */
export interface BackendFacts {
  readonly from: readonly string[]
  readonly to: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Absolute: relative paths begin here. */
  readonly workspace: string
  readonly buildx: Version
  /** Undefined when it is only known once the builder runs. */
  readonly buildkit?: Version
  /** The types that the builder knows. */
  readonly known: readonly BackendType[]
  /** Whether the builder stays when the run is over, and its records with it. */
  readonly builderStays: boolean
  /** What tells this build from others that are kept under one roof. */
  readonly scope: string
}

/** Lines that this builder and these surroundings can serve. */
export interface PlannedBackends {
  readonly from: readonly string[]
  readonly to: readonly string[]
  /** What was left out and why, and what else to know. */
  readonly notes: readonly string[]
  /** Variables that docker needs for them. */
  readonly variables: readonly string[]
  /** Directories that they read and write. */
  readonly reads: readonly string[]
  readonly writes: readonly string[]
}

/** Decides which of the lines are passed on. buildx drops without a word what lacks its environment; this says it. */
export function planBackends(facts: BackendFacts): PlannedBackends {
  const from = facts.from.map(line => planned(line, 'from', facts))
  const to = facts.to.map(line => planned(line, 'to', facts))
  const all = [...from, ...to]
  const usesGithub = all.some(({type}) => type === 'gha')
  return {
    from: from.flatMap(({line}) => line ?? []),
    to: to.flatMap(({line}) => line ?? []),
    notes: [...new Set(all.flatMap(({notes}) => notes))],
    variables: usesGithub ? githubVariables.filter(name => isSet(facts.environment[name])) : [],
    reads: from.flatMap(({directory}) => directory ?? []),
    writes: to.flatMap(({directory}) => directory ?? [])
  }
}

/** Whether buildx puts credentials into what BuildKit records of a build: the attributes of what is imported (`cache-imports`). */
export function recordsCredentials(from: readonly string[]): boolean {
  return from.some(line => /^type=(gha|s3)(,|$)/.test(line))
}

interface PlannedLine {
  readonly type?: BackendType
  /** Absent when it is left out. */
  readonly line?: string
  readonly directory?: string
  readonly notes: readonly string[]
}

function planned(line: string, direction: BackendDirection, facts: BackendFacts): PlannedLine {
  const backend = readBackend(line)
  if (typeof backend === 'string') return {notes: []}
  const {type} = backend
  const attributes = new Map(backend.attributes)
  const notes: string[] = []
  const obstacle = obstacleOf(type, attributes, direction, facts)
  if (obstacle !== undefined) return {notes: [`type=${type} in 'cache-${direction}' is left out: ${obstacle}`]}
  if (type === 'gha' && !attributes.has('scope')) attributes.set('scope', facts.scope)
  if (type === 's3') notes.push(...credentialNotes(facts))
  if (type === 'azblob') {
    notes.push('type=azblob works with the credentials of the builder itself: buildx passes none on.')
  }
  const pathName = direction === 'from' ? 'src' : 'dest'
  const path = type === 'local' ? attributes.get(pathName) : undefined
  const directory = path === undefined || isAbsolute(path) ? path : join(facts.workspace, path)
  if (directory !== undefined) attributes.set(pathName, directory)
  if (direction === 'to' && !attributes.has('ignore-error')) attributes.set('ignore-error', 'true')
  return {type, line: written({type, attributes}), notes, ...(directory === undefined ? {} : {directory})}
}

/** Why a line cannot be served; undefined when it can, for which its attributes may have been completed. */
function obstacleOf(
  type: BackendType,
  attributes: Map<string, string>,
  direction: BackendDirection,
  facts: BackendFacts
): string | undefined {
  if (!facts.known.includes(type)) {
    return `BuildKit inside of this Docker Engine knows ${facts.known.join(', ')} only. A builder of the docker-container driver (docker/setup-buildx-action, docker buildx create) knows it: make that the current one, or name it in 'builder'`
  }
  if (type === 'gha') return githubObstacle(attributes, direction, facts)
  return type === 's3' ? addRegion(attributes, facts) : undefined
}

/** What buildx reads (docker/buildx build/opt.go, addGithubToken). A runner sets them for actions only, and not for `run`. */
const githubVariables = [
  'ACTIONS_RUNTIME_TOKEN',
  'ACTIONS_RESULTS_URL',
  'ACTIONS_CACHE_URL',
  'ACTIONS_CACHE_SERVICE_V2'
]

/** Of those that buildx's AWS library reads. */
const awsVariables = ['AWS_ACCESS_KEY_ID', 'AWS_PROFILE', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_SHARED_CREDENTIALS_FILE']

/** buildx 0.21 and BuildKit 0.20 speak with the service that GitHub has had since April 2025, and no older ones do. */
const versionTwo = {buildx: [0, 21, 0], buildkit: [0, 20, 0]} as const

function githubObstacle(
  attributes: ReadonlyMap<string, string>,
  direction: BackendDirection,
  {environment, buildx, buildkit}: BackendFacts
): string | undefined {
  const mode = environment.ACTIONS_CACHE_MODE ?? ''
  // BuildKit does not know it, and its export would fail.
  if (mode === 'none' || mode === (direction === 'to' ? 'read' : 'write-only')) {
    return `this job's cache mode is ${mode} (ACTIONS_CACHE_MODE)`
  }
  if (!isSet(environment.ACTIONS_RUNTIME_TOKEN)) {
    return 'ACTIONS_RUNTIME_TOKEN is not set. A runner of GitHub sets it for actions'
  }
  const isSecond = /^(1|t|true)$/i.test(environment.ACTIONS_CACHE_SERVICE_V2 ?? '') || attributes.get('version') === '2'
  if (isSecond && (isSet(environment.ACTIONS_RESULTS_URL) || attributes.has('url_v2'))) {
    const old =
      !isAtLeast(buildx, versionTwo.buildx) || (buildkit !== undefined && !isAtLeast(buildkit, versionTwo.buildkit))
    return old ? "GitHub's cache service needs buildx 0.21 and BuildKit 0.20" : undefined
  }
  if (isSet(environment.ACTIONS_CACHE_URL) || attributes.has('url')) return undefined
  return 'neither ACTIONS_RESULTS_URL with ACTIONS_CACHE_SERVICE_V2 nor ACTIONS_CACHE_URL is set'
}

// BuildKit looks for it in the environment of the builder, which does not have ours (cache/remotecache/s3/s3.go).
function addRegion(attributes: Map<string, string>, {environment}: BackendFacts): string | undefined {
  const region = attributes.get('region') ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION ?? ''
  if (region === '') return 'it says no region=…, and AWS_REGION is not set'
  attributes.set('region', region)
  return undefined
}

function credentialNotes({environment, builderStays}: BackendFacts): string[] {
  if (!awsVariables.some(name => isSet(environment[name]))) {
    return [
      `type=s3 finds no credentials in the environment (${awsVariables.join(', ')}): those in ~/.aws or of the builder itself must serve.`
    ]
  }
  if (!builderStays) return []
  return [
    'The builder writes the credentials that type=s3 has from the environment into its records. Those are removed, but may be read in its database until other data takes their place: give them to the builder itself if others can read its files.'
  ]
}

/** A line taken apart, or what is wrong with its form. */
function readBackend(line: string): Backend | string {
  const fields = csvFields(line)
  const [only = ''] = fields
  if (fields.length === 1 && !only.includes('=')) {
    return {type: 'registry', attributes: new Map([['ref', only]])}
  }
  if (!fields.every(field => /^[A-Za-z][\w.-]*=/.test(field))) {
    return 'must have one backend a line, as type=…,name=value,… or as the name of an image'
  }
  const attributes = new Map(
    fields.map(field => {
      const equals = field.indexOf('=')
      return [field.slice(0, equals).toLowerCase(), field.slice(equals + 1)]
    })
  )
  const named = attributes.get('type')
  attributes.delete('type')
  const type = types.find(known => known === named)
  if (type !== undefined) return {type, attributes}
  return named === 'inline'
    ? 'must not be type=inline: it puts the cache into an image, and binaries are built here'
    : `must say type=… with one of ${types.join(', ')}`
}

/** The fields of a CSV record; those with commas are quoted. */
function csvFields(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain = '']) =>
    (quoted?.replaceAll('""', '"') ?? plain).trim()
  )
}

function written({type, attributes}: Backend): string {
  const fields = [...attributes].map(([name, value]) => `${name}=${value}`)
  return [
    `type=${type}`,
    ...fields.map(field => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
  ].join(',')
}

function isSet(value: string | undefined): boolean {
  return (value ?? '') !== ''
}
