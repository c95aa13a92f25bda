import {describe, expect, it} from '@jest/globals'
import {chooseBuilder} from '../../../src/engine/choose-builder.js'
import {planeNotes} from '../../../src/engine/plane-notes.js'
import type {EngineFacts} from '../../../src/engine/survey-engine.js'
import type {Inputs} from '../../../src/inputs.js'
import type {Network, ReachableMirror} from '../../../src/network/network.js'
import type {ProxySettings} from '../../../src/network/proxy.js'
import {routeEndpoints} from '../../../src/plan/routes.js'
import {engineWith} from '../../support/engine.js'
import {inputsWith} from '../../support/inputs.js'
import {networkWith} from '../../support/network.js'

const mirror = (host: string, scheme: 'http' | 'https' = 'https'): ReachableMirror => ({
  registry: 'docker.io',
  host,
  path: '',
  scheme
})
const proxies = {https: 'http://me:s3cret@proxy.example:3128'}
const certificates = '-----BEGIN CERTIFICATE-----'

interface Case {
  readonly network?: Partial<Network>
  readonly inputs?: Partial<Inputs>
  readonly server?: Partial<NonNullable<EngineFacts['server']>>
  readonly clientProxies?: ProxySettings
}

function notesOf(builder: Partial<EngineFacts['builder']>, {network = {}, inputs = {}, server, clientProxies}: Case) {
  const engine = engineWith({
    builder,
    ...(server === undefined ? {} : {server}),
    ...(clientProxies === undefined ? {} : {clientProxies})
  })
  const given = inputsWith(inputs)
  const effective = networkWith(network)
  const builderOf = chooseBuilder(given, effective, engine, 'a1b2')
  const fetcher = builderOf.driver === 'docker' ? 'dockerd' : 'buildkitd'
  const images = ['docker.io/library/golang:1.24'].map(what => ({kind: 'image', what, hosts: [], fetcher}) as const)
  const endpoints = routeEndpoints(images, effective, builderOf, engine)
  const notes = planeNotes(given, effective, engine, builderOf, endpoints)
  expect(notes.join('\n')).not.toContain('s3cret')
  return notes
}

const ofDaemon = (given: Case) => notesOf({}, given)
const ofCreated = (given: Case) => notesOf({exportsCaches: false}, given)
const ofFar = (given: Case) => notesOf({name: 'far', driver: 'remote'}, {...given, inputs: {builder: 'far'}})

describe('planeNotes', () => {
  it.each([
    ['the daemon', ofDaemon],
    ['a created builder', ofCreated],
    ['somebody’s builder', ofFar]
  ])('has nothing to say of %s on an open network', (_what, notes) => {
    expect(notes({})).toEqual([])
    expect(notes({network: {registryMirrors: [mirror('mirror.example')], aptMirror: 'http://mirror.example'}})).toEqual(
      []
    )
  })

  it.each<[string, Case, RegExp]>([
    [
      'has a proxy',
      {server: {proxies: {http: 'http://a:1', https: 'http://b:2', none: 'x'}}},
      /fetches images and ADD sources through its own proxies http:\/\/a:1 and http:\/\/b:2.*daemon\.json/
    ],
    [
      'has no proxy',
      {network: {proxies}},
      /has no proxy of its own.* are fetched directly\. Set 'proxies' in its daemon\.json/
    ],
    [
      'has mirrors',
      {server: {registryMirrors: ['https://hub.example/']}},
      /its own mirrors of Docker Hub .*: https:\/\/hub\.example\/\.$/
    ],
    [
      'lacks the certificates',
      {network: {certificates}},
      /does not get 'ca-certificates'.*\(update-ca-certificates\) and restart it\.$/
    ],
    [
      'lacks the certificates of a mirror',
      {network: {certificates, registryMirrors: [mirror('mirror.example:5000'), mirror('127.0.0.1:5000', 'http')]}},
      /restart it; for images from mirror\.example:5000 \/etc\/docker\/certs\.d\/HOST\/ca\.crt is enough\.$/
    ],
    ['is no neighbour of build steps', {network: {aptMirror: 'http://127.0.0.1:80'}}, /on a loopback address/]
  ])('says when the daemon %s', (_what, given, note) => {
    expect(ofDaemon(given)).toEqual([expect.stringMatching(note)])
  })

  it('says under strict that the proxies do not count for what the daemon fetches', () => {
    for (const server of [{}, {proxies: {http: 'http://a:1'}}]) {
      const notes = ofDaemon({network: {proxies, strict: true}, server})
      expect(notes.at(-1)).toMatch(
        /^Under 'strict' the builder 'default' takes images .* '=direct' alone.* or permit it: registry-mirrors: docker\.io=direct\.$/
      )
    }
    expect(ofDaemon({network: {proxies, strict: true}})).toHaveLength(1)
  })

  it('says nothing of the proxies when mirrors have all that the daemon fetches', () => {
    for (const strict of [true, false]) {
      expect(ofDaemon({network: {proxies, strict, registryMirrors: [mirror('mirror.example')]}})).toEqual([])
    }
  })

  it('does not speak of the daemon’s mirrors when the inputs have one', () => {
    const network = {registryMirrors: [mirror('mirror.example')]}
    expect(ofDaemon({network, server: {registryMirrors: ['https://hub.example/']}})).toEqual([])
  })

  it('leaves a registry mirror on loopback to the daemon, which is on the machine', () => {
    const network = {registryMirrors: [mirror('127.0.0.1:5000', 'http')]}
    expect(ofDaemon({network})).toEqual([])
    expect(ofFar({network})).toEqual(expect.arrayContaining([expect.stringContaining('loopback')]))
  })

  it.each<[string, Case, RegExp]>([
    [
      'may refuse a mirror',
      {network: {registryMirrors: [mirror('m:5000', 'http')]}},
      /plain HTTP with m:5000: \[registry\."m:5000"\] http = true/
    ],
    [
      'has proxies of its own',
      {network: {proxies}},
      /'far' fetches images and ADD sources with the proxies it was created/
    ],
    ['lacks the certificates', {network: {certificates}}, /'far' does not get 'ca-certificates'.*ca-certificates\.crt/]
  ])('says when somebody’s builder %s', (_what, given, note) => {
    expect(ofFar(given)).toEqual([expect.stringMatching(note)])
  })

  it.each<[string, Case, RegExp]>([
    [
      'without a proxy',
      {network: {proxies}},
      /BuildKit's own image moby\/buildkit:buildx-stable-1 without a proxy, as it has none of its own for docker\.io/
    ],
    [
      'through its own proxy',
      {network: {proxies}, server: {proxies: {https: 'http://daemon.example'}}},
      /buildx-stable-1 through its own proxy http:\/\/daemon\.example\.$/
    ],
    [
      'without the certificates',
      {network: {certificates, registryMirrors: [mirror('mirror.example:5000')]}},
      /without 'ca-certificates': if mirror\.example:5000 needs them, .*\/etc\/docker\/certs\.d\/mirror\.example:5000\/ca\.crt/
    ],
    [
      'past a mirror that it refuses',
      {network: {registryMirrors: [mirror('10.9.9.9:5000', 'http')]}},
      /from docker\.io and not from 10\.9\.9\.9:5000.*\{"insecure-registries": \["10\.9\.9\.9:5000"\]\}/
    ]
  ])('says when the daemon pulls BuildKit’s own image %s', (_what, given, note) => {
    expect(ofCreated(given)).toEqual([expect.stringMatching(note)])
  })

  it('says nothing of a proxy that is not for the mirror of BuildKit’s own image', () => {
    const network = {registryMirrors: [mirror('mirror.example')], proxies: {...proxies, none: 'mirror.example'}}
    expect(ofCreated({network})).toEqual([])
  })

  it('says when build steps get the proxies of the docker client, which the inputs replace', () => {
    const clientProxies = {http: 'http://me:s3cret@client.example:3128'}
    expect(ofDaemon({clientProxies})).toEqual([
      expect.stringMatching(
        /^Build steps get the proxy http:\/\/client\.example:3128 of the docker client's configuration/
      )
    ])
    expect(ofFar({clientProxies, network: {proxies}})).toEqual([expect.stringContaining('it was created with')])
  })

  it('says when no layers are kept', () => {
    const notes = notesOf({exportsCaches: false}, {inputs: {builder: 'default'}})
    expect(notes).toEqual([expect.stringContaining('cannot export layer caches')])
    expect(notesOf({exportsCaches: false}, {inputs: {builder: 'default', cache: 'off'}})).toEqual([])
  })
})
