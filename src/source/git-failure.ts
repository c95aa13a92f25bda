import {redactUrl} from '../network/url.js'

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
const permanent = [
  unauthorized,
  notFound,
  certificate,
  /unadvertised object|not our ref|couldn't find remote ref/i,
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

function adviceFor({lines, repositoryInput}: GitFailure): readonly string[] {
  const text = lines.filter(line => !isProgress(line)).join('\n')
  if (/CONNECT tunnel failed|Proxy CONNECT|\b407\b|resolve proxy/i.test(text)) {
    return ["Check the proxy ('http-proxy', 'https-proxy') and the user and password in it."]
  }
  if (unauthorized.test(text)) {
    return [`The server refused: check 'token', and user and password in '${repositoryInput}'.`]
  }
  if (notFound.test(text)) {
    return [`Check '${repositoryInput}'; servers also say "not found" of a private repository when 'token' is wrong.`]
  }
  if (certificate.test(text)) return ['A proxy or mirror with a certificate of its own must be trusted by git.']
  return []
}
