import {describe, expect, it} from '@jest/globals'
import {
  backendProblem,
  knownTypes,
  planBackends,
  recordsCredentials,
  type BackendFacts
} from '../../../src/cache/backends.js'

const github = {
  ACTIONS_RUNTIME_TOKEN: 't0ken',
  ACTIONS_RESULTS_URL: 'https://results.example/',
  ACTIONS_CACHE_SERVICE_V2: 'True'
}

function plan(overrides: Partial<BackendFacts> = {}) {
  return planBackends({
    from: [],
    to: [],
    environment: {},
    workspace: '/workspace',
    buildx: [0, 29, 1],
    buildkit: [0, 25, 1],
    known: knownTypes('docker-container', true),
    builderStays: false,
    scope: 'build-moby-daemon',
    ...overrides
  })
}

describe('backendProblem', () => {
  it.each([
    'type=gha',
    'type=gha,scope=x,timeout=1m',
    'ghcr.io/me/moby:cache',
    'type=registry,ref=ghcr.io/me/moby:cache',
    '"type=registry","ref=r.example/a"',
    'type=s3,bucket=b,region=eu-west-1,prefix=a/',
    'TYPE=azblob,account_url=https://a.example,name=x'
  ])('has nothing against %s', line => {
    expect([backendProblem(line, 'from'), backendProblem(line, 'to')]).toEqual([undefined, undefined])
  })

  it.each([
    ['type=registry', 'with type=registry must say ref=…'],
    ['type=s3,region=x', 'with type=s3 must say bucket=…'],
    ['type=azblob,name=x', 'with type=azblob must say account_url=…'],
    ['type=local,src=cache', 'with type=local must say dest=…'],
    ['type=inline', 'must not be type=inline: it puts the cache into an image, and binaries are built here'],
    ['type=ftp,ref=x', 'must say type=… with one of gha, registry, s3, azblob, local'],
    ['ref=x', 'must say type=… with one of gha, registry, s3, azblob, local'],
    ['a.example/x,b.example/y', 'must have one backend a line, as type=…,name=value,… or as the name of an image'],
    ['type=gha,scope', 'must have one backend a line, as type=…,name=value,… or as the name of an image']
  ])('says what is wrong with %s', (line, problem) => {
    expect(backendProblem(line, 'to')).toBe(problem)
  })

  it('asks for the end of a local cache that is used', () => {
    expect(backendProblem('type=local,src=a', 'from')).toBeUndefined()
    expect(backendProblem('type=local,dest=a', 'from')).toBe('with type=local must say src=…')
  })

  it.each([
    'type=gha,token=hush',
    'type=gha,ghtoken=hush',
    'type=s3,bucket=b,access_key_id=hush',
    'type=s3,bucket=b,secret_access_key=hush',
    'type=s3,bucket=b,session_token=hush',
    'type=azblob,account_url=https://a.example,secret_access_key=hush',
    'type=azblob,account_url=https://a.example/?sv=1&sig=hush',
    'type=s3,bucket=b,endpoint_url=https://user:hush@s3.example'
  ])('refuses the credentials in %s, and does not repeat them', line => {
    const problem = backendProblem(line, 'from')
    expect(problem).toContain('must not hold credentials')
    expect(problem).not.toContain('hush')
  })
})

describe('planBackends', () => {
  it('passes on what needs nothing, and lets an export fail without the build', () => {
    const lines = ['r.example/a:cache', 'type=registry,ref=r.example/a,mode=max,ignore-error=false']
    expect(plan({from: lines, to: lines})).toEqual({
      from: ['type=registry,ref=r.example/a:cache', lines[1]],
      to: ['type=registry,ref=r.example/a:cache,ignore-error=true', lines[1]],
      notes: [],
      variables: [],
      reads: [],
      writes: []
    })
  })

  it('begins relative paths at the workspace', () => {
    const found = plan({from: ['type=local,src=a/b', 'type=local,src=/c'], to: ['"type=local","dest=d,e"']})
    expect(found.from).toEqual(['type=local,src=/workspace/a/b', 'type=local,src=/c'])
    expect(found.to).toEqual(['type=local,"dest=/workspace/d,e",ignore-error=true'])
    expect([found.reads, found.writes]).toEqual([['/workspace/a/b', '/c'], ['/workspace/d,e']])
  })

  describe('type=gha', () => {
    const from = ['type=gha']
    const to = ['type=gha,mode=max']

    it('gets the variables of the runner, and a scope of its own', () => {
      expect(plan({from, to, environment: github})).toEqual({
        from: ['type=gha,scope=build-moby-daemon'],
        to: ['type=gha,mode=max,scope=build-moby-daemon,ignore-error=true'],
        notes: [],
        variables: ['ACTIONS_RUNTIME_TOKEN', 'ACTIONS_RESULTS_URL', 'ACTIONS_CACHE_SERVICE_V2'],
        reads: [],
        writes: []
      })
      expect(plan({from: ['type=gha,scope=own'], environment: github}).from).toEqual(['type=gha,scope=own'])
    })

    it('does not hand them on for other types', () => {
      expect(plan({from: ['r.example/a'], environment: github}).variables).toEqual([])
    })

    it.each<[string, Partial<BackendFacts>]>([
      ['ACTIONS_RUNTIME_TOKEN is not set', {environment: {}}],
      ['ACTIONS_RUNTIME_TOKEN is not set', {environment: {...github, ACTIONS_RUNTIME_TOKEN: ''}}],
      ['nor ACTIONS_CACHE_URL is set', {environment: {...github, ACTIONS_CACHE_SERVICE_V2: undefined}}],
      ['nor ACTIONS_CACHE_URL is set', {environment: {...github, ACTIONS_RESULTS_URL: undefined}}],
      ['needs buildx 0.21 and BuildKit 0.20', {environment: github, buildx: [0, 20, 1]}],
      ['needs buildx 0.21 and BuildKit 0.20', {environment: github, buildkit: [0, 19, 0]}],
      ['cache mode is none', {environment: {...github, ACTIONS_CACHE_MODE: 'none'}}]
    ])('is left out, and that is said: %s', (why, facts) => {
      const found = plan({from, to, ...facts})
      expect([found.from, found.to, found.variables]).toEqual([[], [], expect.anything()])
      expect(found.notes).toHaveLength(2)
      for (const direction of ['from', 'to']) {
        expect(found.notes.join('\n')).toMatch(new RegExp(`type=gha in 'cache-${direction}' is left out: .*${why}`))
      }
    })

    it.each([
      ['read', 1, 0],
      ['write-only', 0, 1],
      ['write', 1, 1]
    ])('does what the cache mode %s allows', (mode, read, written) => {
      const found = plan({from, to, environment: {...github, ACTIONS_CACHE_MODE: mode}})
      expect([found.from.length, found.to.length]).toEqual([read, written])
    })

    it('works with the older service of an own GitHub server', () => {
      const environment = {ACTIONS_RUNTIME_TOKEN: 't', ACTIONS_CACHE_URL: 'https://ghes.example/'}
      expect(plan({from, environment, buildx: [0, 13, 0]}).from).toHaveLength(1)
    })
  })

  describe('type=s3', () => {
    const from = ['type=s3,bucket=b']
    const credentials = {AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'hush'}

    it('gets the region from the environment, which the builder does not have', () => {
      expect(plan({from, environment: {...credentials, AWS_REGION: 'eu-west-1'}})).toMatchObject({
        from: ['type=s3,bucket=b,region=eu-west-1'],
        notes: []
      })
      expect(plan({from, environment: {...credentials, AWS_DEFAULT_REGION: 'r'}}).from).toEqual([
        `${from[0] ?? ''},region=r`
      ])
    })

    it('is left out without one', () => {
      expect(plan({from, environment: credentials})).toMatchObject({
        from: [],
        notes: ["type=s3 in 'cache-from' is left out: it says no region=…, and AWS_REGION is not set"]
      })
    })

    it('says that they stay with a builder that stays', () => {
      const environment = {...credentials, AWS_REGION: 'r'}
      expect(plan({from, environment, builderStays: true}).notes.join()).toContain('into its records')
      expect(plan({to: ['r.example/a'], environment, builderStays: true}).notes).toEqual([])
    })

    it('says when there are no credentials', () => {
      const found = plan({from: ['type=s3,bucket=b,region=r']})
      expect(found.from).toHaveLength(1)
      expect(found.notes.join()).toContain('finds no credentials in the environment')
    })
  })

  it('leaves out what BuildKit inside of the engine does not know', () => {
    const lines = ['type=s3,bucket=b,region=r', 'type=azblob,account_url=https://a.example', 'r.example/a']
    const found = plan({from: lines, to: lines, known: knownTypes('docker', true)})
    expect(found.from).toEqual(['type=registry,ref=r.example/a'])
    expect(found.to).toEqual(['type=registry,ref=r.example/a,ignore-error=true'])
    expect(found.notes).toHaveLength(4)
    expect(found.notes).toContainEqual(
      expect.stringMatching(
        /^type=s3 in 'cache-to' is left out: BuildKit inside of this Docker Engine knows gha, registry, local only\. .*docker buildx create/
      )
    )
  })

  it('leaves out type=gha where the engine has no image store that can be exported', () => {
    const found = plan({from: ['type=gha', 'r.example/a'], environment: github, known: knownTypes('docker', false)})
    expect(found.from).toEqual(['type=registry,ref=r.example/a'])
    expect(found.notes.join()).toContain('knows registry, local only')
  })

  it('says whose credentials type=azblob uses', () => {
    expect(plan({from: ['type=azblob,account_url=https://a.example']}).notes.join()).toContain('of the builder itself')
  })
})

describe('recordsCredentials', () => {
  it('is so for what buildx adds credentials to', () => {
    expect(
      ['type=gha,scope=x', 'type=s3,bucket=b', 'type=registry,ref=a', 'type=local,src=gha'].map(line =>
        recordsCredentials([line])
      )
    ).toEqual([true, true, false, false])
  })
})
