import {type Engine, startEngine} from '../../sandbox/engine.js'
import {prepareBuilder, type BuilderKind} from './builder-kinds.js'
import {relayToLoopback} from './relay.js'
import {programsDirectory, type World} from './world.js'

/** An engine with nothing in it, and the builder to use. */
export interface FreshEngine {
  /** What a program needs to find docker, and nothing else of this process. */
  readonly environment: Readonly<Record<string, string>>
  /** Where the world's mirrors are, for the engine and everything else: the same for every engine. */
  readonly address: string
  /** The builder to name; none for the engine's own. */
  readonly builder?: string
}

// Far from those that other programs begin with: keys of caches would change with the mirrors' address.
const subnet = 200
const address = `10.213.${subnet}.1`

/** Calls `use` with a new engine that reaches the world's mirrors and nothing else, and removes it afterwards. */
export async function withFreshEngine<T>(
  world: World,
  kind: BuilderKind,
  use: (engine: FreshEngine) => Promise<T>
): Promise<T> {
  const engine: Engine = await startEngine({
    cacheDirectory: programsDirectory,
    log: () => undefined,
    firstSubnet: subnet
  })
  try {
    if (engine.hostAddress !== address) throw new Error(`another benchmark is running: ${address} is taken`)
    const environment = {HOME: process.env.HOME ?? '/', ...engine.environment}
    const close = await relayToLoopback(address, world.ports)
    try {
      const builder = await prepareBuilder(kind, environment, world.inputs(address))
      return await use({environment, address, ...(builder === undefined ? {} : {builder})})
    } finally {
      await close()
    }
  } finally {
    await engine.stop()
  }
}
