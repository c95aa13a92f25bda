import {describe, expect, it} from '@jest/globals'
import {ConfigurationError} from '../../src/errors.js'
import {parseInputs} from '../../src/inputs.js'

function problemsOf(raw: Record<string, string>, environment: Record<string, string> = {}): string {
  try {
    parseInputs({ref: 'v28.5.2', ...raw}, {environment})
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError)
    return error instanceof Error ? error.message : ''
  }
  return 'no problem'
}

describe('parseInputs', () => {
  it.each([
    ['mode', 'dry-run', 'must be one of build, plan'],
    ['mode', 'Plan', 'must be one of build, plan'],
    ['commit', 'v28.5.2', 'must be a commit hash of 7 to 40 hexadecimal digits'],
    ['commit', '89c5e8', 'must be a commit hash of 7 to 40 hexadecimal digits'],
    [
      'git-mirrors',
      'https://github.com/=http://10.0.0.1:80',
      'must end both the prefix and its mirror with a slash, or neither'
    ],
    ['registry-mirrors', 'dockerhub=mirror.example', 'must have lines registry=host[:port][/path]'],
    ['path', '.', 'must be a directory below the workspace'],
    ['path', '../moby', 'must be a directory below the workspace'],
    ['path', '/srv/moby', 'must be a directory below the workspace'],
    ['path', 'moby/.git', 'must be a directory below the workspace'],
    ['history', 'shallow', 'must be one of blobless, full'],
    ['target', 'dev', 'must be one of all, binary, dynbinary'],
    ['platforms', 'amd64', 'must list platforms such as linux/amd64 or linux/arm/v7'],
    ['platforms', 'solaris/amd64', 'must list platforms of the systems linux, windows, darwin, freebsd'],
    ['platforms', 'linux/x86_64', 'must list platforms of the systems linux, windows, darwin, freebsd'],
    ['version', '28.5.2+acme', 'must be letters, digits, dots and hyphens only'],
    ['product', 'a "b"', 'must be one line without quotes, backslashes, $ and `'],
    ['platform-name', '$(id)', 'must be one line without quotes, backslashes, $ and `'],
    ['packager-name', 'one\ntwo', 'must be one line without quotes, backslashes, $ and `'],
    ['mirror-preset', 'mars', 'must be one of none, cn'],
    ['apt-mirror', 'mirror.example', 'must be http or https URLs without credentials'],
    ['apt-mirror', "https://mirror.example/'; id", 'must be http or https URLs without credentials'],
    ['apk-mirror', 'https://one.example mirror.example', 'must be http or https URLs without credentials'],
    ['pip-index', 'pypi.example', 'must be an http or https URL without credentials'],
    ['gem-source', 'https://gems.example/$(id)', 'must be an http or https URL without credentials'],
    ['download-mirrors', 'https://a.example=ftp://b.example', 'must have lines https://upstream/=https://mirror/'],
    ['strict', 'yes', 'must be true or false'],
    ['preflight', 'on', 'must be one of warn, fail, off'],
    ['go-proxy', 'goproxy.example', "must be a GOPROXY value: URLs, 'direct' or 'off' joined by commas"],
    ['go-proxy', 'https://goproxy.example,', "must be a GOPROXY value: URLs, 'direct' or 'off' joined by commas"],
    ['go-sumdb', 'sum.golang.org sum.example', 'must be a GOSUMDB value such as sum.golang.google.cn or off'],
    ['http-proxy', 'socks5://proxy.example', 'must be a proxy such as http://user:password@host:3128'],
    ['https-proxy', 'http://proxy example', 'must be a proxy such as http://user:password@host:3128'],
    ['no-proxy', 'one\ntwo', 'must be one line without quotes, backslashes, $ and `'],
    ['cache', 'mounts', 'must be one of full, layers, off'],
    ['reuse', 'yes', 'must be true or false'],
    ['cache-key', 'a,b', 'must be at most 100 characters without commas and spaces'],
    ['cache-key', 'x'.repeat(101), 'must be at most 100 characters without commas and spaces'],
    ['builder', '--help', 'must be the name of a buildx builder, see `docker buildx ls`'],
    ['buildkit-image', 'a,network=host', 'must be an image reference'],
    ['retries', '11', 'must be a whole number from 0 to 10'],
    ['retries', '-1', 'must be a whole number from 0 to 10'],
    ['retries', '1.5', 'must be a whole number from 0 to 10'],
    ['verify', 'smoke', 'must be one of version, off'],
    ['upload', 'yes', 'must be true or false'],
    ['artifact-prefix', 'a/b', 'must be text without spaces and " : < > | * ? \\ /'],
    ['retention-days', '0', 'must be a whole number from 1 to 90'],
    ['compression-level', '10', 'must be a whole number from 0 to 9']
  ])('refuses %s: %j and says what is allowed', (name, value, rule) => {
    const problems = problemsOf({[name]: value})
    expect(problems).toContain(`'${name}' ${rule}`)
    expect(problems).toContain(`, got '${value}'`)
  })

  it('refuses cache backends that lack something or hold credentials, each of them, and shows none', () => {
    const problems = problemsOf({
      'cache-from': 'r.example/a\ntype=registry\ntype=gha,token=hush',
      'cache-to': '# none\ntype=inline'
    })
    expect(problems).toContain("'cache-from' with type=registry must say ref=…")
    expect(problems).toContain("'cache-from' must not hold credentials, as token is")
    expect(problems).toContain("'cache-to' must not be type=inline")
    expect(problems).not.toMatch(/r\.example|hush/)
  })

  it.each([
    ['no assignment', 'mirror.example'],
    ['no host', 'docker.io=http://'],
    ['a host that an image name cannot tell from a path', 'docker.io=mirror/dockerhub'],
    ['a quote', 'docker.io=mirror.example"]'],
    ['a path with a space', 'docker.io=mirror.example/a b'],
    ['credentials', 'docker.io=https://user:secret@mirror.example']
  ])('refuses a registry mirror with %s', (_what, line) => {
    const problems = problemsOf({'registry-mirrors': line})
    expect(problems).toContain("'registry-mirrors' must have lines registry=host[:port][/path]")
    expect(problems).not.toContain('secret')
  })

  it.each([
    ['no certificate', '-----BEGIN NOTHING-----\n', 'no complete certificate in PEM form is in it'],
    [
      'a private key',
      '-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----',
      'a private key is in it'
    ],
    [
      'a damaged certificate',
      '-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----',
      'certificate 1 of 1 in it cannot be read'
    ]
  ])('refuses %s as certificates without showing it', (_what, pem, reason) => {
    const problems = problemsOf({'ca-certificates': pem})
    expect(problems).toContain(
      `'ca-certificates' must be PEM text of certificates or the path of a file with it, but ${reason}`
    )
    expect(problems).not.toContain('hunter2')
  })

  it.each(['docker.io=docker.io', 'docker.io=https://registry-1.docker.io/x', 'ghcr.io=ghcr.io'])(
    'refuses to send a registry to itself: %s',
    line => {
      expect(problemsOf({'registry-mirrors': line})).toContain("'registry-mirrors' must not send a registry to itself")
    }
  )

  it.each([
    ['registry-mirrors', 'docker.io=ghcr.io/hub\nghcr.io=mirror.example', 'ghcr.io'],
    [
      'download-mirrors',
      'https://a.example/=https://b.example/\nhttps://b.example/=https://c.example/',
      'https://b.example/'
    ],
    ['git-mirrors', 'https://a.example/=https://a.example/b/', 'https://a.example/b/']
  ])('refuses lines of %s of which one leads to another', (name, lines, mirror) => {
    const problems = problemsOf({[name]: lines})
    expect(problems).toContain(`'${name}' must not name a mirror that another line sends elsewhere, got '${mirror}'`)
  })

  it.each([
    'https://github.com/',
    'github.com=https://mirror.example/',
    'https://github.com/=mirror.example',
    'https://github.com/=https://one.example/=https://two.example/',
    'https://github.com/=https://user:secret@mirror.example/',
    "https://github.com/=https://mirror.example/'; id #",
    'https://github.com/=https://mirror.example/#top'
  ])('refuses the git rule %s', line => {
    const problems = problemsOf({'git-mirrors': line})
    expect(problems).toContain("'git-mirrors' must have lines https://upstream/=https://mirror/")
    expect(problems).not.toContain('secret')
  })

  it('refuses a build argument without a name, and does not show its value', () => {
    const problems = problemsOf({'build-args': 'TOKEN-X=secret\nGOOD=1\n=secret'})
    expect(problems).toContain("'build-args' must have lines NAME=value, got 'TOKEN-X'")
    expect(problems).toContain("'build-args' must have lines NAME=value, got ''")
    expect(problems).not.toContain('secret')
  })

  it('lists every problem at once, each wrong line of a list on its own', () => {
    const problems = problemsOf({
      ref: '',
      mode: 'x',
      retries: 'many',
      platforms: 'linux/amd64 i386 vax',
      'git-mirrors': 'a\nb'
    })
    const lines = problems.split('\n')
    expect(lines[0]).toBe('Invalid inputs:')
    expect(lines.slice(1).map(line => /^ {2}- '([a-z-]+)'/.exec(line)?.[1])).toEqual([
      'git-mirrors',
      'git-mirrors',
      'mode',
      'ref',
      'platforms',
      'platforms',
      'retries'
    ])
  })
})

describe('the message of a wrong input', () => {
  const wrong: Record<string, readonly string[]> = {
    'http-proxy': ['http://', 'https://', 'socks5://', ''],
    'https-proxy': ['ftp://'],
    'apt-mirror': ['https://'],
    'apk-mirror': ['https://'],
    'pip-index': ['https://'],
    'gem-source': ['https://'],
    'download-mirrors': ['https://github.com/=https://'],
    'go-proxy': ['https://', 'https://goproxy.example,https://'],
    'go-sumdb': ['sum.golang.org https://'],
    'git-mirrors': ['https://github.com/=https://'],
    'registry-mirrors': ['docker.io=', 'docker.io=http://']
  }
  const userinfos = ['alice:secret', 'secret', 'alice:a/secret', 'alice:a=secret=b', 'alice:a,secret', 'alice:a@secret']
  const cases = Object.entries(wrong).flatMap(([name, prefixes]) =>
    prefixes.flatMap(prefix => userinfos.map(userinfo => [name, `${prefix}${userinfo}@bad host`] as const))
  )

  it.each(cases)('of %s: %j shows no credential', (name, value) => {
    const problems = problemsOf({[name]: value})
    expect(problems).toContain(`'${name}' must`)
    expect(problems).toContain('***@bad host')
    expect(problems).not.toMatch(/secret|alice/)
  })

  it('about a missing ref shows no credential of the repository', () => {
    const problems = problemsOf({ref: '', repository: 'https://alice:se@cret@git.example/moby.git'})
    expect(problems).toContain('of https://git.example/moby.git')
    expect(problems).not.toMatch(/cret@|alice/)
  })

  it.each([
    ['a slash', 'http://alice:12/secret@host:3128'],
    ['a slash after an @', 'http://alice:a@b/secret@host:3128'],
    ['a blank', 'http://alice:se cret@host:3128'],
    ['a question mark', 'alice:se?cret@host:3128']
  ])('about a password with %s shows nothing of it, whether an input or the runner names the proxy', (_what, proxy) => {
    const said = 'must be a proxy such as http://user:password@host:3128, user and password percent-encoded'
    const ofInput = problemsOf({'https-proxy': proxy})
    expect(ofInput).toContain(`'https-proxy' ${said}`)
    const ofRunner = problemsOf({}, {https_proxy: proxy})
    expect(ofRunner).toContain(`the runner's https_proxy ${said}`)
    expect(`${ofInput}${ofRunner}`).toContain("got '***@host:3128'")
    expect(`${ofInput}${ofRunner}`).not.toMatch(/alice|cret/)
    expect(problemsOf({'https-proxy': 'http://host:1'}, {https_proxy: proxy})).toBe('no problem')
  })

  it.each([
    ['VERSION=9.9.9', "'build-args' must not set what 'version' sets, got 'VERSION'"],
    ['DOCKER_GITCOMMIT=0000000', "must not set what the checked-out commit sets, got 'DOCKER_GITCOMMIT'"],
    ['https_proxy=http://alice:secret@host:80', "must not set what the proxy inputs 'http-proxy'"]
  ])('about the build argument %s names its owner and no value', (line, said) => {
    const problems = problemsOf({'build-args': line})
    expect(problems).toContain(said)
    expect(problems).not.toMatch(/secret|alice|9\.9\.9/)
  })
})
