import {describe, expect, it} from '@jest/globals'
import {diagnose} from '../../../src/build/failure.js'
import type {Inputs} from '../../../src/inputs.js'
import {inputsWith} from '../../support/inputs.js'

const step = '[build 7/9] RUN ./hack/make.sh'
const exit = (script: string) => `process "/bin/sh -c ${script}" did not complete successfully: exit code: 1`

/** Of a RUN step that printed these lines and failed. */
const ofOutput = (output: readonly string[], inputs: Partial<Inputs> = {}, script = 'make') =>
  diagnose({steps: [], messages: [], failure: {step, message: exit(script), output}}, inputsWith(inputs))
/** Of a step that BuildKit itself could not do. */
const ofMessage = (name: string, message: string, inputs: Partial<Inputs> = {}) =>
  diagnose({steps: [], messages: [], failure: {step: name, message, output: []}}, inputsWith(inputs))

const mirrored: Partial<Inputs> = {
  registryMirrors: [{registry: 'docker.io', host: 'registry.example', path: ''}],
  aptMirror: 'http://apt.example',
  gitMirrors: [{from: 'https://github.com/', to: 'https://git.example/'}],
  goProxy: 'https://go.example'
}

const inputOf: Record<string, string> = {
  apt: "'apt-mirror' changes",
  git: "'git-mirrors' changes",
  go: "'go-proxy' (and 'go-sumdb') changes",
  other: "the proxy inputs 'http-proxy' and 'https-proxy' change"
}

describe('diagnose', () => {
  it.each([
    ['apt', "  Temporary failure resolving 'debian.example'"],
    [
      'apt',
      'E: Failed to fetch http://debian.example/debian/pool/g/gcc.deb  Unable to connect to debian.example:http:'
    ],
    ['apt', 'W: Failed to fetch http://debian.example/debian/dists/sid/InRelease  Temporary failure resolving'],
    ['apt', 'E: Failed to fetch http://archive.ubuntu.com/ubuntu/x.deb  502  Bad Gateway [IP: 10.0.0.1 80]'],
    [
      'git',
      "fatal: unable to access 'https://github.com/opencontainers/runc.git/': Could not resolve host: github.com"
    ],
    ['git', 'error: RPC failed; curl 92 HTTP/2 stream 0 was not closed cleanly'],
    ['git', 'fatal: the remote end hung up unexpectedly'],
    ['git', "fatal: unable to access 'https://github.com/a/b/': The requested URL returned error: 503"],
    [
      'go',
      'go: github.com/a/b@v1.0.0: Get "https://proxy.golang.org/github.com/a/b/@v/v1.0.0.mod": dial tcp: lookup proxy.golang.org: no such host'
    ],
    [
      'go',
      'main.go:5:2: github.com/a/b@v1: Get "https://proxy.golang.org/github.com/a/b/@v/v1.zip": dial tcp 1.2.3.4:443: i/o timeout'
    ],
    ['go', 'go: downloading x: reading https://proxy.golang.org/x/@v/v1.zip: 502 Bad Gateway'],
    ['other', 'curl: (28) Operation timed out after 30000 milliseconds'],
    ['other', 'curl: (22) The requested URL returned error: 504']
  ])('takes for a network failure of %s: %s', (channel, line) => {
    const {network, cause, advice, step: failed} = ofOutput(['+ set -e', line, 'Error 1'])
    expect(network).toBe(true)
    expect(cause).toBe(line.trim())
    expect(failed).toBe(step)
    expect(advice).toContain(inputOf[channel])
  })

  it.each([
    [
      'git',
      "fatal: unable to access 'https://github.com/a/b/': Could not resolve host: github.com",
      'https://git.example/',
      "'git-mirrors' changes"
    ],
    [
      'apt',
      'E: Failed to fetch http://debian.example/debian/x.deb  Connection timed out',
      'http://apt.example',
      "'apt-mirror' changes"
    ],
    [
      'go',
      'go: x@v1: Get "https://proxy.golang.org/x/@v/v1.mod": EOF: connection reset by peer',
      'https://go.example',
      "'go-proxy' (and 'go-sumdb') changes"
    ]
  ])('names the mirror of %s that was in effect, and its input', (_channel, line, mirror, input) => {
    expect(ofOutput([line], mirrored).cause).toBe(line)
    expect(ofOutput([line], mirrored).advice).toBe(
      `The download went to the mirror ${mirror}; ${input} that, and so do 'http-proxy' and 'https-proxy'.`
    )
    expect(ofOutput([line]).advice).toContain('The download went direct;')
  })

  it.each([
    'failed to do request: Head "https://registry-1.docker.io/v2/library/golang/manifests/1.24": dial tcp: lookup registry-1.docker.io: no such host',
    'golang:1.24: failed to resolve source metadata for docker.io/library/golang:1.24: unexpected status from HEAD request to https://x/v2/: 503 Service Unavailable',
    'failed to copy: httpReadSeeker: failed open: unexpected status code https://x/v2/library/golang/blobs/sha256:0: 429 Too Many Requests - Server message: toomanyrequests'
  ])('knows what BuildKit says of images: %s', message => {
    const {network, advice} = ofMessage('[internal] load metadata for docker.io/library/golang:1.24', message, mirrored)
    expect(network).toBe(true)
    expect(advice).toContain("to the mirror registry.example; 'registry-mirrors' changes")
  })

  it('names the proxy that was in effect, without its credentials', () => {
    const proxies = {https: 'http://me:secret@proxy.example:3128'}
    const {advice} = ofOutput(['curl: (7) Failed to connect: Connection refused'], {proxies})
    expect(advice).toContain('through the proxy http://proxy.example:3128')
    expect(advice).not.toContain('secret')
  })

  it.each([
    ['fatal: unable to access …: Received HTTP code 407 from proxy after CONNECT'],
    ['curl: (56) CONNECT tunnel failed, response 407'],
    ['failed to do request: Proxy Authentication Required']
  ])('knows a proxy that wants other credentials: %s', line => {
    expect(ofOutput([line]).network).toBe(true)
  })

  it.each([
    ['daemon/daemon.go:407:12: undefined: foo'],
    ['daemon/daemon.go:502:12: undefined: context.WithTimeoutt'],
    ['./timeout.go:12: too many arguments in call to connection timed out'],
    ['+ git checkout 1a407f29502'],
    ['Get:502 http://debian.example/debian sid/main amd64 gcc [407 kB]', 'E: Unable to locate package nosuch'],
    ['ok  	github.com/a/b	0.502s', '--- FAIL: TestX (429.00s)'],
    ['cc1: fatal error: missing.h: No such file or directory'],
    ['make: *** No rule to make target']
  ])('takes for no network failure: %s', (...output) => {
    const {network, advice, cause} = ofOutput(output)
    expect(network).toBe(false)
    expect(advice).toBeUndefined()
    expect(cause).toBe([...output, 'the process did not complete successfully: exit code: 1'].join('\n'))
  })

  it('does not read the script of a failed step as its output', () => {
    const script = 'curl --connect-timeout 5 https://x || echo \\"502 Bad Gateway\\"'
    expect(ofOutput(['nothing to be done'], {}, script).network).toBe(false)
  })

  it('takes a compiler’s complaint for the cause, whatever went wrong before', () => {
    const output = ['go: downloading x: i/o timeout, trying again', 'daemon/daemon.go:12:3: undefined: foo']
    expect(ofOutput(output).network).toBe(false)
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
  ])('reads what buildx says when no step failed: %j', (messages, cause, network) => {
    expect(diagnose({steps: [], messages}, inputsWith())).toMatchObject({step: 'docker buildx bake', cause, network})
  })
})
