import {afterEach, describe, expect, it} from '@jest/globals'
import {httpProber} from '../../../src/adapters/http-prober.js'
import {surveyChecksumDatabase} from '../../../src/network/survey-checksum-database.js'
import type {LoopbackServer} from '../../support/loopback.js'
import {serveAnswers} from '../../support/probe.js'

const servers: LoopbackServer[] = []
const proxyFor = async (...databases: readonly string[]): Promise<string> => {
  const server = await serveAnswers(Object.fromEntries(databases.map(name => [`/p/sumdb/${name}/supported`, {}])))
  servers.push(server)
  return `http://${server.host}/p`
}
const survey = async (goProxy: string | undefined, goSumdb?: string) =>
  await surveyChecksumDatabase(
    {...(goProxy === undefined ? {} : {goProxy}), ...(goSumdb === undefined ? {} : {goSumdb})},
    {proxies: {}},
    httpProber()
  )

describe('surveyChecksumDatabase', () => {
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop()
  })

  it('takes the first proxy that serves the database', async () => {
    const [without, first] = [await proxyFor(), await proxyFor('sum.golang.org')]
    const second = await proxyFor('sum.golang.org')
    expect(await survey(`${without},${first}/|${second},direct`)).toBe(`sum.golang.org ${first}/sumdb/sum.golang.org`)
  })

  it('asks for a database by its name without its key, and keeps the key', async () => {
    const proxy = await proxyFor('sum.example')
    expect(await survey(proxy, 'sum.example+1a2b+Ab/=')).toBe(`sum.example+1a2b+Ab/= ${proxy}/sumdb/sum.example`)
  })

  it.each(['off', 'sum.golang.google.cn', 'sum.golang.org https://db.example'])(
    'leaves %s as it is, which Go asks of no proxy',
    async database => {
      expect(await survey(await proxyFor('sum.golang.org', 'sum.golang.google.cn'), database)).toBe(database)
    }
  )

  it('leaves it to Go when no proxy serves it, or there is none', async () => {
    expect(await survey(await proxyFor())).toBeUndefined()
    expect(await survey('direct')).toBeUndefined()
    expect(await survey(undefined, 'sum.golang.org')).toBe('sum.golang.org')
  })
})
