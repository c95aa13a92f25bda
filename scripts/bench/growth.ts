import {readdir, stat} from 'node:fs/promises'
import {join} from 'node:path'
import type {CacheKind} from '../../src/cache/keys.js'
import {formatSize, markdownTable} from '../../src/format.js'
import {type BenchedAction, measureAction} from './action.js'
import type {BuilderKind} from './builder-kinds.js'
import {withFreshEngine} from './fresh-engine.js'
import type {World} from './world.js'

export interface GrowthOrder {
  readonly world: World
  readonly builder: BuilderKind
  readonly action: BenchedAction
  /** How many nights. */
  readonly nights: number
  /** A new directory for the caches. */
  readonly cache: string
  readonly log: (line: string) => void
}

const kinds: readonly CacheKind[] = ['git', 'result', 'layers', 'mounts', 'bundles']

/**
 * A build each night, always of a new commit and on an engine with nothing in it, with the caches that the nights before have
 * left: what of each kind is restored and saved, in bytes.
 */
export async function growthReport({world, builder, action, nights, cache, log}: GrowthOrder): Promise<string> {
  if (world.moveOn === undefined) return 'Growth is measured with the miniature, whose commits move on.'
  const history: Readonly<Record<string, number>>[] = []
  for (let night = 1; night <= nights; night++) {
    const ref = await world.moveOn()
    const order = {name: `night-${night}`, inputs: {ref}, cache}
    const started = Date.now()
    const {seconds} = await withFreshEngine(world, builder, engine =>
      measureAction(action, world, engine, order, () => Promise.resolve())
    )
    const sizes = await transferred(join(cache, 'v1'), started)
    history.push(sizes)
    const text = Object.entries(sizes).map(([what, bytes]) => `${what} ${formatSize(bytes)}`)
    log(`night ${night}: ${seconds.toFixed(1)} s; ${text.join(', ')}`)
  }
  const names = new Set(history.flatMap(sizes => Object.keys(sizes)))
  const rows = [...names].map(name => {
    const sizes = history.flatMap(night => night[name] ?? [])
    const [first = NaN] = sizes
    const largest = Math.max(...sizes)
    const texts = [first, largest, sizes.at(-1) ?? NaN].map(formatSize)
    const target = name === everything ? '' : '≤ 1.3 ×'
    return [name, `${sizes.length} of ${nights}`, ...texts, `${(largest / first).toFixed(2)} ×`, target]
  })
  return markdownTable(['entries', 'nights', 'first', 'largest', 'last', 'largest to first', 'target'], rows)
}

const everything = 'all in the folder'

/** Bytes of the entries that were saved or restored since then: the folder's store sets their times. */
async function transferred(folder: string, since: number): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {}
  const add = (name: string, bytes: number) => {
    sizes[name] = (sizes[name] ?? 0) + bytes
  }
  for (const name of await readdir(folder)) {
    const {size, mtimeMs, atimeMs} = await stat(join(folder, name))
    const kind = kinds.find(each => decodeURIComponent(name).includes(`build-moby-${each}-`))
    if (kind !== undefined && mtimeMs >= since) add(`${kind}, saved`, size)
    else if (kind !== undefined && atimeMs >= since) add(`${kind}, restored`, size)
    add(everything, size)
  }
  return sizes
}
