import type {Prober} from '../ports.js'
import {asker, follow, type AskSettings} from './ask.js'
import {isHttpUrl} from './url.js'

const timeoutMilliseconds = 10_000

/**
 * The `GOSUMDB` to build with. Go asks a checksum database by way of the first of its proxies that serves it, which it finds
 * out by `<proxy>/sumdb/<name>/supported` (go.dev/ref/mod#checksum-database); asked here, the answer is a route that the
 * plan can show and `strict` can let through. Undefined stays undefined when no proxy serves it: Go then asks it directly.
 */
export async function surveyChecksumDatabase(
  {goProxy, goSumdb}: {readonly goProxy?: string; readonly goSumdb?: string},
  settings: AskSettings,
  prober: Prober
): Promise<string | undefined> {
  const database = goSumdb ?? 'sum.golang.org'
  // With a URL, which the one for mainland China stands for, Go asks no proxy (cmd/go/internal/modfetch/sumdb.go).
  if (database === 'off' || database === 'sum.golang.google.cn' || database.includes(' ')) return goSumdb
  const ask = asker(prober, settings, () => timeoutMilliseconds)
  for (const proxy of (goProxy ?? '').split(/[,|]/).filter(isHttpUrl)) {
    const served = `${proxy.replace(/\/+$/, '')}/sumdb/${database.replace(/\+.*$/, '')}`
    const {result} = await follow(ask, `${served}/supported`)
    if ('status' in result && result.status === 200) return `${database} ${served}`
  }
  return goSumdb
}
