import {objectOf, parseObject, textOf} from '../engine/json.js'
import type {Bundle} from '../bundles/make-bundle.js'
import type {BundleFile} from '../bundles/gather.js'
import type {ReuseFacts} from './reuse.js'

/** The file of an entry that tells of its archives, which lie beside it. */
export const factsFile = 'facts.json'

/** Where an entry comes from. */
export interface Origin {
  /** When it was built, such as `2026-11-20T03:12:44Z`. */
  readonly when: string
  /** A page on GitHub. */
  readonly run?: string
}

/** A bundle of an entry: the archive `name.tar.gz`, and what is in it. */
export type KeptBundle = Pick<Bundle, 'name' | 'files'> & {readonly archive: Omit<Bundle['archive'], 'path'>}

/** What an entry of finished bundles says of itself. */
export interface KeptBundles {
  readonly facts: ReuseFacts
  readonly origin: Origin
  readonly bundles: readonly KeptBundle[]
}

/** A run at this time, and its page if the environment is that of one on GitHub. */
export function originOf(now: Date, environment: Readonly<Record<string, string | undefined>>): Origin {
  const {GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: id} = environment
  const when = now.toISOString().replace(/\.\d+Z$/, 'Z')
  return {when, ...(server && repository && id ? {run: `${server}/${repository}/actions/runs/${id}`} : {})}
}

/** The text of `facts.json` for these bundles. */
export function renderKept(facts: ReuseFacts, origin: Origin, bundles: readonly Bundle[]): string {
  const kept: KeptBundles = {
    facts,
    origin,
    bundles: bundles.map(({name, files, archive: {size, sha256}}) => ({name, files, archive: {size, sha256}}))
  }
  return `${JSON.stringify(kept, undefined, 2)}\n`
}

/**
 * Reads `facts.json`. Undefined when it is not of exactly these facts, or not as `renderKept` writes it: with a path that
 * leads out of its bundle, for example.
 */
export function parseKept(text: string, facts: ReuseFacts): KeptBundles | undefined {
  const kept = parseObject(text)
  const origin = parseOrigin(objectOf(kept.origin))
  const bundles = Array.isArray(kept.bundles) ? kept.bundles.map(bundleOf) : []
  if (JSON.stringify(kept.facts) !== JSON.stringify(facts) || origin === undefined) return undefined
  const sound = bundles.filter(bundle => bundle !== undefined)
  return sound.length === facts.builds.length && sound.length === bundles.length
    ? {facts, origin, bundles: sound}
    : undefined
}

function parseOrigin({when, run}: Record<string, unknown>): Origin | undefined {
  const time = textOf(when)
  const page = textOf(run)
  if (time === undefined || !/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(time)) return undefined
  return {when: time, ...(page !== undefined && /^https?:\/\/[^\s()<>|]+$/.test(page) ? {run: page} : {})}
}

function bundleOf(value: unknown): KeptBundle | undefined {
  const {name, archive, files} = objectOf(value)
  const {size, sha256} = objectOf(archive)
  const found = Array.isArray(files) ? files.map(fileOf) : []
  const sound = found.filter(file => file !== undefined)
  if (name !== 'binary-daemon' && name !== 'binary-client') return undefined
  if (sound.length === 0 || sound.length < found.length || !isSize(size) || !isHash(sha256, 64)) return undefined
  return {name, archive: {size, sha256}, files: sound}
}

function fileOf(value: unknown): BundleFile | undefined {
  const {path, size, mode, md5, sha256} = objectOf(value)
  if (!isSize(size) || !isSize(mode) || mode > 0o7777 || !isHash(md5, 32) || !isHash(sha256, 64)) return undefined
  if (typeof path !== 'string' || !/^[^\0\\]+$/.test(path)) return undefined
  const leadsOut = path.split('/').some(name => name === '' || name === '.' || name === '..')
  return leadsOut ? undefined : {path, size, mode, md5, sha256}
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isHash(value: unknown, digits: number): value is string {
  return typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/.test(value)
}
