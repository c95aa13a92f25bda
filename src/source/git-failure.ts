import {authorityLine, mirrorLine} from '../network/suggested-input.js'
import {isHttpUrl, redactUrl} from '../network/url.js'

/** What a git command that talks to a server left behind. */
export interface GitFailure {
  /** What was done, to go before the URL: `fetch the history of`. */
  readonly task: string
  /** The repository's URL, without credentials. */
  readonly url: string
  /** As `describeRoute` words it. */
  readonly route: string
  readonly exitCode: number
  /** What git printed. */
  readonly lines: readonly string[]
  readonly attempts: number
  /** The input that names the repository. */
  readonly repositoryInput: string
}

const unauthorized =
  /Authentication failed|could not read (Username|Password)|Permission denied|returned error: 40[13]/i
const notFound = /not found|does not exist|not appear to be a git repository|returned error: (404|410)/i
const certificate = /certificate/i
// Of a proxy as curl 7 and 8 word it; plain HTTP has no tunnel, but 407 is never the server's.
const proxyLogin = /(tunnel failed, response|HTTP code|returned error:) 407\b/
const proxyDenied = /(tunnel failed, response|HTTP code) 403\b/
const unreached =
  /could(n't| not) (resolve|connect)|failed to connect|tunnel failed|connection (refused|timed out)|unreachable|no route to host/i
const filterRefused = /filter '[^']*' not supported/
const permanent = [
  unauthorized,
  notFound,
  certificate,
  /unadvertised object|not our ref|couldn't find remote ref/i,
  filterRefused,
  /No space left on device|dubious ownership|would be overwritten|Unable to create '.*\.lock'/i
]

/** Whether trying again cannot help: the server has answered, or the fault is on this machine. */
export function isPermanent(lines: readonly string[]): boolean {
  return permanent.some(refusal => lines.some(line => !isProgress(line) && refusal.test(line)))
}

/** Whether git counts here: `Receiving objects:  42% (420/1000), 1.20 MiB | 1.00 MiB/s`. */
export function isProgress(line: string): boolean {
  return /^(remote: )?[A-Z][a-z]+ing [a-z]+:\s+(\d+%|\d+, )/.test(line)
}

/** What was received by the transfers in git's progress lines, for example `120.51 MiB`; undefined when it is not said. */
export function receivedSize(lines: readonly string[]): string | undefined {
  const sizes = lines.map(line => /^Receiving objects: 100% .*?, ([\d.]+ (?:bytes|[KMG]iB))/.exec(line)?.[1])
  return sizes.findLast(size => size !== undefined)
}

/** Whether git said that the server sent everything although a part was asked for (fetch-pack.c@v2.39.5). */
export function isFilterIgnored(lines: readonly string[]): boolean {
  return lines.some(line => line.includes('filtering not recognized by server, ignoring'))
}

/** Whether a server, in git's words (upload-pack.c@v2.39.5), does not allow the filter that was asked for. */
export function isFilterRefused(message: string): boolean {
  return filterRefused.test(message)
}

/** The last lines that say something, without credentials. */
export function lastLines(lines: readonly string[], count: number): readonly string[] {
  const telling = lines.filter(line => line.trim() !== '' && !isProgress(line))
  return telling.slice(-count).map(line => line.replace(/[a-z][a-z0-9+.-]*:\/\/[^\s']*/gi, redactUrl))
}

/** The whole message for the user: what, where, by which route, what git said and what may help. */
export function failureMessage(failure: GitFailure): string {
  const {task, url, route, exitCode, lines, attempts} = failure
  const tries = attempts === 1 ? 'one attempt' : `${attempts} attempts`
  const said = lastLines(lines, 6)
  return [
    `could not ${task} ${url} (git exited with ${exitCode} after ${tries})`,
    `  route: ${route}`,
    ...(said.length === 0 ? [] : ['  git said:', ...said.map(line => `    ${line}`)]),
    ...adviceFor(failure).map(advice => `  ${advice}`)
  ].join('\n')
}

function adviceFor({url, route, lines, repositoryInput}: GitFailure): readonly string[] {
  const text = lines.filter(line => !isProgress(line)).join('\n')
  const mirrored = /(^|; )mirror /.test(route)
  const [, proxy] = /\bproxy \w+:.*?\('(https?-proxy)'/.exec(route) ?? []
  const mirror = mirrored
    ? "another mirror in 'git-mirrors'"
    : `a mirror (${isHttpUrl(url) ? `\`${mirrorLine({kind: 'git', what: url}, noRules)}\`` : "'git-mirrors'"})`
  if (proxyLogin.test(text)) return [`Check the user and password of the proxy in '${proxy ?? 'https-proxy'}'.`]
  if (proxyDenied.test(text)) {
    return [`The proxy denies this host: permit it there, leave it out with 'no-proxy', or try ${mirror}.`]
  }
  if (unauthorized.test(text)) {
    return mirrored
      ? ["The mirror refused: check its line of 'git-mirrors'. It does not get the credentials of the repository."]
      : [`The server refused: check 'token', and user and password in '${repositoryInput}'.`]
  }
  // The latter is of `listRemote`, where git has no words.
  if (mirrored && (notFound.test(text) || text.includes('is there a git server'))) {
    return [`The mirror does not have this repository: check its line of 'git-mirrors', and '${repositoryInput}'.`]
  }
  if (notFound.test(text)) {
    return [`Check '${repositoryInput}'; servers also say "not found" of a private repository when 'token' is wrong.`]
  }
  if (certificate.test(text)) {
    return [`Trust the authority of the server, or of the proxy in between: \`${authorityLine}\`.`]
  }
  if (!unreached.test(text)) return []
  if (proxy !== undefined) return [`Check the proxy in '${proxy}', or try ${mirror}.`]
  return [
    mirrored
      ? "Check the mirror's line of 'git-mirrors', or try another mirror there."
      : `Try ${mirror} or a proxy (\`https-proxy: http://proxy.example:3128\`).`
  ]
}

const noRules = {gitMirrors: [], downloadMirrors: []}
