import {describe, expect, it} from '@jest/globals'
import {diagnose, diagnosisText, type Diagnosis} from '../../../src/diagnosis/diagnose.js'
import type {FailureKind} from '../../../src/diagnosis/failure-kind.js'
import {networkWith} from '../../support/network.js'
import {endpointsBy, networkBy, proxyUrl, type RouteName} from './endpoints.js'

const step = '[build 7/9] RUN ./hack/make.sh'
const exit = (script: string) => `process "/bin/sh -c ${script}" did not complete successfully: exit code: 1`

/** Of a RUN step that printed these lines and failed. */
const ofOutput = (output: readonly string[], route: RouteName = 'direct', script = 'make'): Diagnosis =>
  diagnose(
    {steps: [], messages: [], failure: {step, message: exit(script), output, withoutNetwork: false}},
    {endpoints: endpointsBy(route), network: networkBy(route)}
  )
/** Of a step that BuildKit itself could not do. */
const ofMessage = (name: string, message: string, route: RouteName): Diagnosis =>
  diagnose(
    {steps: [], messages: [], failure: {step: name, message, output: [], withoutNetwork: false}},
    {endpoints: endpointsBy(route), network: networkBy(route)}
  )

describe('diagnose', () => {
  it.each<[FailureKind, string]>([
    ['git early eof', 'error: RPC failed; curl 92 HTTP/2 stream 0 was not closed cleanly'],
    ['git early eof', 'fatal: the remote end hung up unexpectedly'],
    ['forbidden', "fatal: unable to access 'https://github.com/a/b/': The requested URL returned error: 403"],
    [
      'proxy login',
      "fatal: unable to access 'https://github.com/a/b/': Received HTTP code 407 from proxy after CONNECT"
    ],
    [
      'connection refused',
      'E: Failed to fetch http://debian.example/debian/pool/x.deb  Unable to connect to debian:http:'
    ],
    ['server error', 'go: downloading x: reading https://proxy.golang.org/x/@v/v1.zip: 502 Bad Gateway'],
    ['timeout', 'Error: Get "https://api.example/v1": context deadline exceeded'],
    ['out of memory', 'fatal error: runtime: cannot allocate memory']
  ])('takes for %s: %s', (kind, line) => {
    expect(ofOutput(['+ set -e', line, 'make: *** [Makefile:3: all] Error 1'])).toMatchObject({kind, cause: line, step})
  })

  it.each([
    ['daemon/daemon.go:407:12: undefined: foo'],
    ['daemon/daemon.go:502:12: undefined: context.WithTimeoutt'],
    ['./timeout.go:12: too many arguments in call to connection timed out'],
    ['+ git checkout 1a407f29502'],
    ['Get:502 http://debian.example/debian sid/main amd64 gcc [407 kB]', 'E: Unable to locate package nosuch'],
    ['ok  	github.com/a/b	0.502s', '--- FAIL: TestX (429.00s)'],
    ['curl: try --connect-timeout', 'make: *** [Makefile:12: test] Error 1']
  ])('makes nothing of %s', (...output) => {
    expect(ofOutput(output)).toEqual({
      kind: 'other',
      step,
      cause: [...output, 'the process did not complete successfully: exit code: 1'].join('\n'),
      retryable: false
    })
  })

  it('does not read the script of a failed step as its output', () => {
    const script = 'curl --connect-timeout 5 https://x || echo \\"502 Bad Gateway\\"'
    expect(ofOutput(['nothing to be done'], 'direct', script).kind).toBe('other')
  })

  it('takes a compiler’s complaint for the cause, whatever went wrong before', () => {
    const output = ['go: x@v1: Get "https://proxy.golang.org/x": i/o timeout', 'daemon/daemon.go:12:3: undefined: foo']
    expect(ofOutput(output).kind).toBe('other')
  })

  it('finds in the script what a message does not name', () => {
    const script = 'git clone https://github.com/krallin/tini.git && curl -f https://download.docker.com/x.tgz'
    expect(ofOutput(['curl: (22) The requested URL returned error: 404'], 'direct', script)).toMatchObject({
      url: 'https://download.docker.com/x.tgz',
      route: 'direct'
    })
    expect(ofOutput(["fatal: couldn't find remote ref v9"], 'direct', script).url).toBe(
      'https://github.com/krallin/tini.git'
    )
  })

  it('names the planned URL where the script has variables', () => {
    const script = 'curl -f https://download.docker.com/linux/static/stable/$ARCH/docker-${VERSION}.tgz'
    expect(ofOutput(['curl: (22) The requested URL returned error: 404'], 'direct', script).url).toBe(
      'https://download.docker.com/linux/static/stable/x86_64/docker-17.06.2-ce.tgz'
    )
  })

  it('does not choose among several URLs of a script', () => {
    const script = 'curl -fO https://download.docker.com/a.tgz && curl -fO https://download.docker.com/b.tgz'
    const {url, advice} = ofOutput(['curl: (22) The requested URL returned error: 404'], 'direct', script)
    expect(url).toBeUndefined()
    expect(advice).toContain('download-mirrors: https://download.docker.com/=')
  })

  it('advises about a URL that no plan knew of', () => {
    const {url, route, advice} = ofOutput([
      '+ curl -f https://new.example/x',
      'curl: (6) Could not resolve host: new.example'
    ])
    expect({url, route}).toEqual({url: 'https://new.example/x', route: undefined})
    expect(advice).toContain('`download-mirrors: https://new.example/=https://mirror.example/`')
  })

  it('takes no repository for what another program asks its host for', () => {
    const {route, advice} = ofOutput([
      '+ curl -f https://github.com/a/releases/x.tgz',
      'curl: (6) Could not resolve host: github.com'
    ])
    expect(route).toBeUndefined()
    expect(advice).toContain('`download-mirrors: https://github.com/=')
  })

  it.each<[RouteName, string | undefined, string]>([
    ['direct', 'direct', 'Try a mirror: `git-mirrors: https://github.com/=https://mirror.example/`.'],
    ['mirror', 'mirror https://git.mirror.example/krallin/tini.git', 'Try another mirror: `git-mirrors: '],
    ['proxy', `proxy ${proxyUrl}`, 'Check the proxy in `https-proxy: http://user:password@proxy.example:3128`'],
    ['refused', "none, which 'strict' refuses", 'Try a mirror: ']
  ])('tells the route in effect: %s', (name, route, advice) => {
    const host = name === 'mirror' ? 'git.mirror.example' : 'github.com'
    const line = `fatal: unable to access 'https://${host}/krallin/tini.git/': Could not resolve host: ${host}`
    const diagnosis = ofOutput([line], name)
    expect(diagnosis.route).toBe(route)
    expect(diagnosis.advice).toContain(advice)
  })

  it('names the rule in effect, which a shorter prefix would not change', () => {
    const gitMirrors = [
      {from: 'https://github.com/krallin/', to: 'https://b.example/'},
      {from: 'https://github.com/', to: 'https://a.example/'}
    ]
    const endpoints = endpointsBy('mirror').map(endpoint => ({
      ...endpoint,
      route: {...endpoint.route, target: endpoint.what.replace('https://github.com/krallin/', 'https://b.example/')}
    }))
    const output = ["fatal: repository 'https://b.example/tini.git/' not found"]
    const failure = {step, message: exit('make'), output, withoutNetwork: false}
    const facts = {endpoints, network: networkWith({gitMirrors})}
    expect(diagnose({steps: [], messages: [], failure}, facts).advice).toContain(
      '`git-mirrors: https://github.com/krallin/=https://mirror.example/`'
    )
  })

  it('names the first of the downloads that apt lists as failed for one reason', () => {
    const failed = (path: string, words: string) => `E: Failed to fetch http://debian.example/${path}  ${words}`
    const release = 'debian/dists/sid/InRelease'
    const security = 'debian-security/dists/sid-security/InRelease'
    const words = "Could not resolve 'debian.example'"
    const other = failed(release, '404  Not Found [IP: 10.99.0.5 80]')
    expect(ofOutput([failed(release, words), failed(security, words)]).cause).toBe(failed(release, words))
    expect(ofOutput([other, failed(security, words)]).cause).toBe(failed(security, words))
  })

  it('knows a mirror without TLS', () => {
    const line = 'http: server gave HTTP response to HTTPS client'
    const message = `failed to do request: Head "https://registry.mirror.example/v2/library/busybox/manifests/latest": ${line}`
    const {advice} = ofMessage('[internal] load metadata for docker.io/library/busybox:latest', message, 'mirror')
    expect(advice).toContain('`registry-mirrors: docker.io=http://registry.mirror.example`, and name its host')
    expect(advice).toContain('`insecure-registries`')
  })

  it('knows a step that was cut off from the network by us', () => {
    const output = ['curl: (6) Could not resolve host: download.docker.com']
    const failure = {step, message: exit('curl'), output, withoutNetwork: true}
    const {kind, advice} = diagnose(
      {steps: [], messages: [], failure},
      {endpoints: [], network: networkWith({strict: true})}
    )
    expect(kind).toBe('no network step')
    expect(advice).toContain('`strict: false`')
  })

  it.each([
    ['Get "https://sum.golang.org/lookup/x@v1": dial tcp: lookup sum.golang.org: no such host', true],
    ['reading https://sum.golang.org/lookup/x@v1: 410 Gone', false]
  ])('asks the checksum database again only if it may answer then: %s', (words, retryable) => {
    expect(ofOutput([`go: x@v1: verifying module: x@v1: ${words}`])).toMatchObject({kind: 'sumdb', retryable})
  })

  it('is told with URL, route and input', () => {
    const line = "fatal: unable to access 'https://github.com/krallin/tini.git/': Could not resolve host: github.com"
    expect(diagnosisText(ofOutput([line])).split('\n')).toEqual([
      line,
      '  what: https://github.com/krallin/tini.git/',
      '  route: direct',
      '  dns: Try a mirror: `git-mirrors: https://github.com/=https://mirror.example/`.'
    ])
    expect(diagnosisText(ofOutput(['nothing']))).toBe(
      'nothing\nthe process did not complete successfully: exit code: 1'
    )
  })

  it('shows no credentials', () => {
    const line = "fatal: unable to access 'https://me:secret@github.com/krallin/tini.git/': Connection timed out"
    const diagnosis = ofOutput([line])
    expect(JSON.stringify(diagnosis)).not.toContain('secret')
    expect(diagnosis.url).toBe('https://github.com/krallin/tini.git/')
    expect(ofOutput(['cloning https://me:secret@github.com/x']).cause).not.toContain('secret')
  })

  it('shows the end of the output when it knows no better', () => {
    const output = Array.from({length: 50}, (_, index) => `line ${index}`)
    const lines = ofOutput([...output, '', ' ']).cause.split('\n')
    expect(lines).toHaveLength(13)
    expect(lines.slice(-2)).toEqual(['line 49', 'the process did not complete successfully: exit code: 1'])
  })

  it.each([
    [['#0 building', 'ERROR: failed to solve: no such host', ''], 'ERROR: failed to solve: no such host', true],
    [['ERROR: target x not found'], 'ERROR: target x not found', false],
    [['Segmentation fault'], 'Segmentation fault', false],
    [[], 'no message', false]
  ])('reads what buildx says when no step failed: %j', (messages, cause, retryable) => {
    const diagnosis = diagnose({steps: [], messages}, {endpoints: [], network: networkWith()})
    expect(diagnosis).toMatchObject({step: 'docker buildx bake', cause, retryable})
  })

  it('takes a missing signature for the cause only when the file did arrive', () => {
    const unsigned = "E: The repository 'http://debian.example/debian bookworm InRelease' is not signed."
    const forbidden =
      'E: Failed to fetch http://debian.example/debian/dists/bookworm/InRelease  403  Forbidden [IP: 10.0.0.1 3128]'
    expect(ofOutput([forbidden, unsigned], 'proxy').kind).toBe('forbidden')
    expect(ofOutput([unsigned], 'proxy').kind).toBe('checksum')
  })

  it("sends nobody to our proxy inputs for a proxy of the daemon's own", () => {
    const message =
      'failed to do request: Head "https://registry-1.docker.io/v2/library/golang/manifests/1": Proxy Authentication Required'
    const [image] = endpointsBy('proxy').filter(({kind}) => kind === 'image')
    const route = {
      via: 'proxy',
      target: 'docker.io/library/golang:1',
      proxy: 'http://daemons:1',
      inputs: ['registry-mirrors']
    } as const
    const endpoints = image === undefined ? [] : [{...image, fetcher: 'dockerd', route} as const]
    const failure = {step: '[internal] load metadata', message, output: [], withoutNetwork: false}
    const {kind, advice} = diagnose({steps: [], messages: [], failure}, {endpoints, network: networkWith()})
    expect(kind).toBe('proxy login')
    expect(advice).toContain('`proxies` in its daemon.json')
  })
})
