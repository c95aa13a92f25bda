import {describe, expect, it} from '@jest/globals'
import {type Inputs, parseInputs} from '../../src/inputs.js'

const parse = (raw: Record<string, string>, environment: Record<string, string> = {}): Inputs =>
  parseInputs({ref: 'v28.5.2', ...raw}, {environment})

describe('parseInputs', () => {
  it('gives everything but the ref a default', () => {
    expect(parse({})).toEqual({
      mode: 'build',
      repository: 'moby/moby',
      ref: 'v28.5.2',
      path: 'moby',
      history: 'blobless',
      client: 'auto',
      clientRepository: 'docker/cli',
      target: 'all',
      platforms: [],
      buildArguments: {},
      registryMirrors: [],
      aptMirrors: [],
      apkMirrors: [],
      gitMirrors: [],
      downloadMirrors: [],
      direct: {registries: [], git: [], downloads: [], apt: false, apk: false},
      proxies: {},
      strict: false,
      preflight: 'warn',
      cache: 'full',
      cacheKey: '',
      cacheFrom: [],
      cacheTo: [],
      reuse: false,
      retries: 2,
      verify: 'version',
      upload: true,
      artifactPrefix: '',
      compressionLevel: 0
    })
  })

  it('takes an input of blanks as left out', () => {
    expect(parse({mode: ' ', commit: '\n', 'go-proxy': '', 'retention-days': '  '})).toEqual(parse({}))
  })

  it.each<[string, string, Partial<Inputs>]>([
    ['mode', 'plan', {mode: 'plan'}],
    ['mode', ' build ', {mode: 'build'}],
    ['repository', 'acme/moby', {repository: 'acme/moby'}],
    ['repository', '/srv/git/moby', {repository: '/srv/git/moby'}],
    ['ref', 'refs/pull/42/merge', {ref: 'refs/pull/42/merge'}],
    ['commit', '89C5E8F', {commit: '89c5e8f'}],
    ['commit', '0123456789abcdef0123456789abcdef01234567', {commit: '0123456789abcdef0123456789abcdef01234567'}],
    ['path', 'src/docker/', {path: 'src/docker'}],
    ['path', './src//docker', {path: 'src/docker'}],
    ['history', 'full', {history: 'full'}],
    ['token', ' ghs_secret ', {token: 'ghs_secret'}],
    ['client', 'none', {client: 'none'}],
    ['client', 'v28.5.1', {client: 'v28.5.1'}],
    ['client-repository', 'acme/cli', {clientRepository: 'acme/cli'}],
    ['target', 'dynbinary', {target: 'dynbinary'}],
    ['platforms', 'linux/amd64,linux/arm/v7', {platforms: ['linux/amd64', 'linux/arm/v7']}],
    [
      'platforms',
      'windows/amd64 darwin/arm64 linux/riscv64',
      {platforms: ['windows/amd64', 'darwin/arm64', 'linux/riscv64']}
    ],
    ['platforms', 'linux/arm64\nlinux/arm64\n', {platforms: ['linux/arm64']}],
    ['version', '28.5.2-acme.1', {version: '28.5.2-acme.1'}],
    ['product', 'docker', {product: 'docker'}],
    ['platform-name', 'Docker Engine - Community', {platformName: 'Docker Engine - Community'}],
    ['packager-name', "Acme's packagers", {packagerName: "Acme's packagers"}],
    ['build-args', 'A=1\n\n# why\nB_2=x=y\nC=', {buildArguments: {A: '1', B_2: 'x=y', C: ''}}],
    ['apt-mirror', 'https://mirror.example/', {aptMirrors: ['https://mirror.example']}],
    ['apt-mirror', 'http://10.0.0.1:8080/all//', {aptMirrors: ['http://10.0.0.1:8080/all']}],
    [
      'apt-mirror',
      'http://one.example/ \n http://two.example',
      {aptMirrors: ['http://one.example', 'http://two.example']}
    ],
    ['apk-mirror', 'https://mirror.example/', {apkMirrors: ['https://mirror.example']}],
    ['pip-index', 'https://pypi.example/simple', {pipIndex: 'https://pypi.example/simple'}],
    ['gem-source', 'https://gems.example/', {gemSource: 'https://gems.example/'}],
    ['strict', 'true', {strict: true}],
    ['preflight', 'fail', {preflight: 'fail'}],
    ['ca-certificates', 'certificates/proxy.pem', {certificates: {path: 'certificates/proxy.pem'}}],
    ['go-proxy', 'https://goproxy.example,direct', {goProxy: 'https://goproxy.example,direct'}],
    ['go-proxy', 'https://one.example|off', {goProxy: 'https://one.example|off'}],
    ['go-sumdb', 'off', {goSumdb: 'off'}],
    ['go-sumdb', 'sum.golang.org https://sum.example', {goSumdb: 'sum.golang.org https://sum.example'}],
    ['http-proxy', 'http://user:pass@proxy.example:3128', {proxies: {http: 'http://user:pass@proxy.example:3128'}}],
    ['http-proxy', 'user:pass@proxy.example:3128', {proxies: {http: 'http://user:pass@proxy.example:3128'}}],
    ['https-proxy', 'https://proxy.example', {proxies: {https: 'https://proxy.example'}}],
    ['no-proxy', 'localhost,.example.com', {proxies: {none: 'localhost,.example.com'}}],
    ['cache', 'layers', {cache: 'layers'}],
    ['cache', 'off', {cache: 'off'}],
    ['reuse', 'true', {reuse: true}],
    ['cache-key', 'nightly', {cacheKey: 'nightly'}],
    ['builder', 'remote_1', {builder: 'remote_1'}],
    ['buildkit-image', 'moby/buildkit:v0.25.0', {buildkitImage: 'moby/buildkit:v0.25.0'}],
    ['retries', '0', {retries: 0}],
    ['retries', '10', {retries: 10}],
    ['verify', 'off', {verify: 'off'}],
    ['upload', 'FALSE', {upload: false}],
    ['upload', 'True', {upload: true}],
    ['artifact-prefix', 'nightly-', {artifactPrefix: 'nightly-'}],
    ['retention-days', '90', {retentionDays: 90}],
    ['compression-level', '9', {compressionLevel: 9}]
  ])('reads %s: %j', (name, value, expected) => {
    expect(parse({[name]: value})).toEqual({...parse({}), ...expected})
  })

  it.each([
    ['docker.io=mirror.example', {registry: 'docker.io', host: 'mirror.example', path: ''}],
    ['docker.io=mirror.example/', {registry: 'docker.io', host: 'mirror.example', path: ''}],
    ['index.docker.io=10.0.0.1:5000/hub/all/', {registry: 'docker.io', host: '10.0.0.1:5000', path: 'hub/all'}],
    ['registry-1.docker.io=localhost', {registry: 'docker.io', host: 'localhost', path: ''}],
    ['ghcr.io=http://mirror:5000', {registry: 'ghcr.io', host: 'mirror:5000', path: '', scheme: 'http'}],
    ['quay.io=https://[fd00::1]:5000/q', {registry: 'quay.io', host: '[fd00::1]:5000', path: 'q', scheme: 'https'}]
  ])('reads the registry mirror %s', (line, mirror) => {
    expect(parse({'registry-mirrors': `# first choice\n${line}\n`}).registryMirrors).toEqual([mirror])
  })

  it('keeps the order of the mirrors', () => {
    const lines = 'docker.io=one.example\nghcr.io=two.example\ndocker.io=three.example'
    expect(parse({'registry-mirrors': lines}).registryMirrors.map(({host}) => host)).toEqual([
      'one.example',
      'two.example',
      'three.example'
    ])
  })

  it('splits a git rule at the mirror, not at a = of the prefix', () => {
    const lines = 'https://github.com/=https://mirror.example/gh/\nhttps://git.example/?q=http://10.0.0.1/git'
    expect(parse({'git-mirrors': lines}).gitMirrors).toEqual([
      {from: 'https://github.com/', to: 'https://mirror.example/gh/'},
      {from: 'https://git.example/?q', to: 'http://10.0.0.1/git'}
    ])
  })
})

describe('the word direct in place of a mirror', () => {
  it('permits a registry, URL prefixes and package sources, after the mirrors or alone', () => {
    const inputs = parse({
      'registry-mirrors': 'docker.io=mirror.example\ndocker.io=direct\nindex.docker.io=direct',
      'git-mirrors': 'https://github.com/moby/=direct',
      'download-mirrors': 'https://files.example/=direct',
      'apt-mirror': 'direct',
      'apk-mirror': 'https://mirror.example direct'
    })
    expect(inputs.direct).toEqual({
      registries: ['docker.io', 'docker.io'],
      git: ['https://github.com/moby/'],
      downloads: ['https://files.example/'],
      apt: true,
      apk: true
    })
    expect(inputs.registryMirrors).toHaveLength(1)
    expect(inputs).toMatchObject({gitMirrors: [], aptMirrors: [], apkMirrors: ['https://mirror.example']})
  })
})

describe('a mirror preset', () => {
  it('gives what the user left out, and follows the lines of the user', () => {
    const preset = parse({'mirror-preset': 'cn'})
    expect(preset.registryMirrors.length).toBeGreaterThan(0)
    expect(preset.goProxy).toContain('https://')
    const own = parse({
      'mirror-preset': 'cn',
      'registry-mirrors': 'docker.io=mirror.example',
      'go-proxy': 'https://goproxy.example'
    })
    expect(own.registryMirrors).toEqual([
      {registry: 'docker.io', host: 'mirror.example', path: ''},
      ...preset.registryMirrors
    ])
    expect(own.goProxy).toBe('https://goproxy.example')
    expect(own.goSumdb).toBe(preset.goSumdb)
  })
})

describe('the proxies', () => {
  it('are those of the environment when the inputs name none', () => {
    const environment = {http_proxy: 'http://one:1', HTTP_PROXY: 'http://other:1', HTTPS_PROXY: 'two:2', no_proxy: 'x'}
    expect(parse({}, environment).proxies).toEqual({http: 'http://one:1', https: 'http://two:2', none: 'x'})
  })

  it('are those of the inputs first, each on its own', () => {
    const environment = {http_proxy: 'http://one:1', https_proxy: 'http://two:2'}
    expect(parse({'http-proxy': 'http://three:3'}, environment).proxies).toEqual({
      http: 'http://three:3',
      https: 'http://two:2'
    })
  })
})

describe('the ref', () => {
  const sha = '89c5e8fd66634b6128fc4c0e6f1236e2540e46e0'
  const calling = (ref: string) => ({GITHUB_REPOSITORY: 'acme/moby', GITHUB_REF: ref, GITHUB_SHA: sha})
  const defaultRef = (repository: string, environment: Record<string, string>) =>
    parseInputs({repository}, {environment}).ref

  it.each([
    ['refs/heads/main', sha],
    ['refs/pull/42/merge', sha],
    ['refs/tags/v28.5.2', 'refs/tags/v28.5.2']
  ])('of a calling repository on %s defaults to %s', (ref, expected) => {
    expect(defaultRef('acme/moby', calling(ref))).toBe(expected)
  })

  it.each([
    ['another repository is built', 'moby/moby', calling('refs/heads/main')],
    ['the event has no commit', 'acme/moby', {...calling('refs/heads/main'), GITHUB_SHA: ''}],
    ['this is no workflow', 'acme/moby', {}]
  ])('has no default when %s', (_when, repository, environment) => {
    expect(() => defaultRef(repository, environment)).toThrow(`'ref' is required`)
  })

  it('that is given wins over the triggering commit', () => {
    expect(parse({repository: 'acme/moby'}, calling('refs/heads/main')).ref).toBe('v28.5.2')
  })
})
