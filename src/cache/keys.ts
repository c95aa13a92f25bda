import {createHash} from 'node:crypto'

/** What is kept between runs. */
export type CacheKind = 'git' | 'result' | 'layers' | 'mounts' | 'bundles'

/** The layout of an entry; another number for another layout, so that nobody reads what he does not understand. */
const layouts: Readonly<Record<CacheKind, number>> = {git: 1, result: 1, layers: 2, mounts: 3, bundles: 1}

/**
 * The beginning of the keys of one kind, ending in `-`: `prefix` is the input `cache-key`, `parts` tell caches of this
 * kind apart. GitHub allows 512 characters without commas (docs.github.com, dependency caching reference).
 */
export function keyFamily(kind: CacheKind, prefix: string, parts: readonly string[]): string {
  const own = prefix === '' ? [] : [prefix]
  return `${[...own, 'build-moby', kind, String(layouts[kind]), ...parts.map(slug)].join('-')}-`
}

/** 16 hexadecimal digits that stand for all these texts. */
export function digestOf(texts: readonly string[]): string {
  return createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 16)
}

/** Platforms as a part of a key: `linux_amd64+linux_arm64`. */
export function platformsPart(platforms: readonly string[]): string {
  return platforms.join('+').replaceAll('/', '_')
}

/** The line of releases a version belongs to, such as `28.5`; `other` for what has none. */
export function releaseLine(version: string): string {
  return /^\d+\.\d+/.exec(version)?.[0] ?? 'other'
}

function slug(part: string): string {
  return part.replaceAll(/[^\w.+]/g, '_')
}
