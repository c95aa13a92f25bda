import {describe, expect, it} from '@jest/globals'
import {
  failureMessage,
  isFilterIgnored,
  isFilterRefused,
  isPermanent,
  isProgress,
  lastLines,
  receivedSize
} from '../../../src/source/git-failure.js'

describe('isPermanent', () => {
  it.each([
    "remote: Repository not found.\nfatal: repository 'https://github.com/a/b/' not found",
    "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
    "fatal: unable to access 'https://a/': The requested URL returned error: 403",
    'fatal: remote error: upload-pack: not our ref 0000000',
    'error: Your local changes to the following files would be overwritten by checkout:',
    'fatal: write error: No space left on device',
    "fatal: remote error: filter 'tree' not supported"
  ])('does not try again after %j', text => {
    expect(isPermanent(text.split('\n'))).toBe(true)
  })

  it.each([
    "fatal: unable to access 'https://a/': Could not resolve host: a",
    "fatal: unable to access 'https://a/': Failed to connect to a port 443: Connection refused",
    "fatal: unable to access 'https://a/': The requested URL returned error: 502",
    'fatal: early EOF',
    'error: RPC failed; curl 56 Recv failure: Connection reset by peer'
  ])('tries again after %j', text => {
    expect(isPermanent([text])).toBe(false)
  })
})

describe("git's progress", () => {
  it.each([
    ['Receiving objects:  42% (420/1000), 1.20 MiB | 1.00 MiB/s', true],
    ['remote: Counting objects: 100% (3/3), done.', true],
    ['remote: Enumerating objects: 12, done.', true],
    ['fatal: early EOF', false]
  ])('%j is progress: %s', (line, expected) => {
    expect(isProgress(line)).toBe(expected)
  })

  it('tells how much was received', () => {
    const lines = [
      'Receiving objects:  99% (9/10), 1.00 MiB',
      'Receiving objects: 100% (10/10), 120.51 MiB | 1 MiB/s, done.'
    ]
    expect(receivedSize(lines)).toBe('120.51 MiB')
    expect(receivedSize(['From https://github.com/moby/moby'])).toBeUndefined()
  })

  it('knows a filter that the server does not allow', () => {
    expect(isFilterRefused("  git said:\n    fatal: remote error: filter 'tree' not supported")).toBe(true)
    expect(isFilterRefused('warning: filtering not recognized by server, ignoring')).toBe(false)
  })

  it('shows that a server cannot filter', () => {
    expect(isFilterIgnored(['warning: filtering not recognized by server, ignoring'])).toBe(true)
    expect(isFilterIgnored(['remote: Counting objects: 100% (3/3), done.'])).toBe(false)
  })
})

describe('lastLines', () => {
  it('leaves progress, empty lines and credentials out', () => {
    const lines = [
      'first',
      'Receiving objects:  42% (420/1000)',
      '',
      "fatal: 'https://user:hunter2@git.example/a' failed"
    ]
    expect(lastLines(lines, 2)).toEqual(['first', "fatal: 'https://git.example/a' failed"])
  })
})

describe('failureMessage', () => {
  it('says what failed, where, by which route, how often, what git said and what to check', () => {
    const message = failureMessage({
      task: 'list the refs of',
      url: 'https://github.com/acme/moby.git',
      route: "direct, without mirror ('git-mirrors') or proxy ('https-proxy')",
      exitCode: 128,
      lines: ["fatal: could not read Username for 'https://github.com': terminal prompts disabled"],
      attempts: 3,
      repositoryInput: 'client-repository'
    })
    expect(message).toMatch(/list the refs of https:\/\/github\.com\/acme\/moby\.git .*128 after 3 attempts/)
    expect(message).toContain("route: direct, without mirror ('git-mirrors')")
    expect(message).toContain('could not read Username')
    expect(message).toMatch(/'token'.*'client-repository'/)
  })

  const url = 'https://github.com/acme/moby.git'
  const routes = {
    direct: "direct, without mirror ('git-mirrors') or proxy ('https-proxy')",
    mirror: "mirror https://m.example/ for https://github.com/ ('git-mirrors'), without proxy ('https-proxy')",
    proxy: "proxy http://p.example:3128 ('https-proxy', 'no-proxy')"
  }
  const line = '`git-mirrors: https://github.com/=https://mirror.example/`'
  const cannot = `fatal: unable to access '${url}/':`

  // The words of git 2.39.5 with curl 7.88.1; "Received HTTP code" are older ones.
  it.each<[keyof typeof routes, string, string]>([
    ['direct', `${cannot} Could not resolve host: github.com`, `Try a mirror (${line}) or a proxy (\`https-proxy: `],
    ['direct', `${cannot} Failed to connect to github.com port 443 after 0 ms: Couldn't connect to server`, line],
    ['mirror', `${cannot} Could not resolve host: m.example`, "Check the mirror's line of 'git-mirrors'"],
    ['mirror', `fatal: repository '${url}/' not found`, 'The mirror does not have this repository: check its line of'],
    [
      'mirror',
      `${cannot} The requested URL returned error: 403`,
      "The mirror refused: check its line of 'git-mirrors'."
    ],
    ['direct', `fatal: repository '${url}/' not found`, "Check 'repository'; servers also say"],
    [
      'proxy',
      `${cannot} Could not resolve proxy: p.example`,
      `Check the proxy in 'https-proxy', or try a mirror (${line})`
    ],
    [
      'proxy',
      `${cannot} Failed to connect to p.example port 3128 after 0 ms: Couldn't connect to server`,
      'Check the proxy'
    ],
    ['proxy', `${cannot} CONNECT tunnel failed, response 502`, "Check the proxy in 'https-proxy'"],
    ['proxy', `${cannot} CONNECT tunnel failed, response 403`, 'The proxy denies this host: permit it there'],
    ['proxy', `${cannot} Received HTTP code 403 from proxy after CONNECT`, 'The proxy denies this host'],
    [
      'proxy',
      `${cannot} CONNECT tunnel failed, response 407`,
      "Check the user and password of the proxy in 'https-proxy'."
    ],
    ['direct', `${cannot} server certificate verification failed. CAfile: none`, '`ca-certificates: ']
  ])('advises by the route, %s: %s', (route, said, advice) => {
    const told = failureMessage({
      ...{task: 'fetch', url, route: routes[route], exitCode: 128, lines: [said], attempts: 1},
      repositoryInput: 'repository'
    })
    expect(told.split('\n').at(-1)).toContain(advice)
  })

  it('names no line for a server that is not asked over HTTP', () => {
    const failure = {url: 'github.com:acme/moby.git', route: "direct, not over HTTP (see 'git-mirrors')"}
    const lines = ['ssh: Could not resolve hostname github.com: Name or service not known']
    const told = failureMessage({
      ...{...failure, task: 'fetch', exitCode: 128, lines, attempts: 1},
      repositoryInput: 'repository'
    })
    expect(told).toContain("Try a mirror ('git-mirrors') or")
  })
})
