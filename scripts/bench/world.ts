import {sandboxCacheDirectory} from '../../sandbox/cache-directory.js'
import {startMirrors} from '../../sandbox/sandbox.js'
import {readActionDefinition} from '../../src/adapters/action-definition.js'
import {commitSeries} from './commit-series.js'

/** What is built in a benchmark and where everything for it comes from: real moby or the miniature. */
export interface World {
  readonly name: string
  /** The ref that the caches are made with. */
  readonly from: string
  /** Refs that are built with the caches of `from`, nearest first. */
  readonly later: readonly string[]
  /** Ports of 127.0.0.1 that mirrors listen on. */
  readonly ports: readonly number[]
  /** The action's inputs, for an engine that reaches those mirrors at `address`. */
  inputs(address: string): Record<string, string>
  /** URL of moby's repository, for a plain git that reaches the mirrors at `address`. */
  repositoryUrl(address: string): string
  /** Makes the next commit of a branch, each with a change of one Go file, and resolves with its ref. */
  readonly moveOn?: () => Promise<string>
  stop(): Promise<void>
}

/** The daemon alone and no network to wait for: all arms build the same. */
const common = {client: 'none', target: 'binary', preflight: 'off'}

/** The miniature behind the sandbox's mirrors. */
export async function miniatureWorld(): Promise<World> {
  const mirrors = await startMirrors(['127.0.0.1'], undefined, () => undefined)
  try {
    const {network, repositories} = mirrors
    const moveOn = commitSeries(repositories, 'v28.5.2')
    const inputs = (address: string) => ({...common, ...network.inputs(address)})
    const portPattern = /(?<=http:\/\/127\.0\.0\.1:)\d+/g
    const ports = Object.values(inputs('127.0.0.1')).flatMap(text => (text.match(portPattern) ?? []).map(Number))
    return {
      name: 'the miniature of the sandbox',
      from: 'v28.5.2',
      later: [await moveOn()],
      ports: [...new Set(ports)],
      inputs,
      repositoryUrl: address => `http://${address}:${network.git.port}/moby/moby.git`,
      moveOn,
      stop: () => mirrors.stop()
    }
  } catch (error) {
    await mirrors.stop()
    throw error
  }
}

/**
 * Real moby, `repository` being a URL on 127.0.0.1. Inputs come from the variables `MOBY_<NAME>`, mirrors on 127.0.0.1
 * among them; `FROM_REF` and `TO_REFS` (separated by spaces) name the refs.
 */
export function mobyWorld(
  repository: string,
  environment: Readonly<Record<string, string | undefined>>,
  actionFile: string
): World {
  const given = Object.fromEntries(
    readActionDefinition(actionFile).inputs.flatMap(({name}) => {
      const value = environment[`MOBY_${name.toUpperCase().replaceAll('-', '_')}`]
      return value === undefined ? [] : [[name, value]]
    })
  )
  const loopback = /(?<=\/\/)127\.0\.0\.1(?=:(\d+))/g
  const seenFrom = (address: string, text: string) => text.replace(loopback, address)
  const texts = [repository, ...Object.values(given)]
  return {
    name: 'moby',
    from: environment.FROM_REF ?? 'v28.5.2',
    later: (environment.TO_REFS ?? 'v28.5.1 v28.3.0').split(/\s+/),
    ports: [...new Set(texts.flatMap(text => [...text.matchAll(loopback)].map(match => Number(match[1]))))],
    inputs: address => ({
      ...common,
      repository: seenFrom(address, repository),
      ...Object.fromEntries(Object.entries(given).map(([name, value]) => [name, seenFrom(address, value)]))
    }),
    repositoryUrl: address => seenFrom(address, repository),
    stop: () => Promise.resolve()
  }
}

/** Where downloaded programs are kept. */
export const programsDirectory = sandboxCacheDirectory(process.env)
