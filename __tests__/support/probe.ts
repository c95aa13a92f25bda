import {httpProber} from '../../src/adapters/http-prober.js'
import {asker} from '../../src/network/ask.js'
import type {EndpointKind, Fetcher} from '../../src/network/endpoint.js'
import type {Finding} from '../../src/network/finding.js'
import type {Network} from '../../src/network/network.js'
import {probe} from '../../src/network/probe.js'
import {type LoopbackServer, serve} from './loopback.js'
import {networkWith} from './network.js'

/** What a server says to one request; 200 and nothing else if not given. */
export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A server that gives these answers by path and query, and 404 to all else. */
export const serveAnswers = async (answers: Readonly<Record<string, Answer>>): Promise<LoopbackServer> =>
  await serve(({url = ''}, response) => {
    const {status = 200, headers = {}, body = ''} = answers[url] ?? {status: 404}
    response.writeHead(status, headers).end(body)
  })

/** Probes `target` for real, in a network that is empty but for `network`. */
export const probed = async (
  kind: EndpointKind,
  target: string,
  {
    network = {},
    images = [],
    fetcher = 'build step'
  }: {network?: Partial<Network>; images?: readonly string[]; fetcher?: Fetcher} = {}
): Promise<Finding> =>
  await probe({kind, fetcher}, target, {
    ask: asker(httpProber(), networkWith(network), () => 5000),
    network: networkWith(network),
    images
  })
