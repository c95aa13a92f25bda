import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {sandboxCacheDirectory} from './cache-directory.js'
import {type Engine, startEngine} from './engine.js'
import {createRepositories} from './moby-fork.js'
import {type Network, startNetwork} from './network.js'

/** A miniature moby, what it downloads from, and an engine that reaches nothing else. */
export interface Sandbox {
  readonly engine: Engine
  readonly network: Network
  /** Bare repositories, `<owner>/<name>.git`. */
  readonly repositories: string
  /** Inputs of the action that send everything to the mirrors. */
  readonly inputs: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/** Starts all of it, or nothing. */
export async function startSandbox(options: {
  readonly log: (line: string) => void
  readonly containerdStore?: boolean
}): Promise<Sandbox> {
  const cacheDirectory = sandboxCacheDirectory(process.env)
  const engine = await startEngine({...options, cacheDirectory})
  try {
    return {...(await startMirrors(['127.0.0.1', engine.hostAddress], engine, options.log)), engine}
  } catch (error) {
    await engine.stop()
    throw error
  }
}

/** The miniature and its mirrors on `addresses`, the last of which is the one that builds reach. */
export async function startMirrors(
  addresses: readonly string[],
  engine: Pick<Engine, 'stop'> | undefined,
  log: (line: string) => void
): Promise<Omit<Sandbox, 'engine'>> {
  const repositories = await mkdtemp(join(tmpdir(), 'build-moby-repositories-'))
  try {
    await createRepositories(repositories)
    const cacheDirectory = sandboxCacheDirectory(process.env)
    const network = await startNetwork({addresses, cacheDirectory, repositories, log})
    return {
      network,
      repositories,
      inputs: network.inputs(addresses.at(-1) ?? '127.0.0.1'),
      stop: async () => {
        await engine?.stop()
        await network.stop()
        await rm(repositories, {recursive: true, force: true})
      }
    }
  } catch (error) {
    await rm(repositories, {recursive: true, force: true})
    throw error
  }
}
