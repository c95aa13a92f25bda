import {environmentFor, openRemote, type Remote, requireGit} from './connection.js'
import {isPermanent, lastLines} from './git-failure.js'
import {gitIn, type GitRun, withRetries} from './git.js'
import {parseListing, type RemoteRefs, unusualRef} from './refs.js'
import {describeRoute, type Route, routesTo} from './route.js'
import type {RemoteRequest, SourcePorts} from './source.js'

/** The refs of a remote, and the route that they came by. */
export interface RemoteListing {
  readonly remote: Remote
  readonly route: Route
  readonly refs: RemoteRefs
  /** The full name of the branch that `HEAD` stands for, when `HEAD` was asked for. */
  readonly head?: string
}

type ListRequest = RemoteRequest & {readonly ref?: string}

/**
 * Lists the branches and tags of a remote repository, and `ref` where that is something else (`refs/pull/42/merge`).
 * Of several mirrors of one prefix, the first that answers is used. Throws a ConfigurationError for a wrong repository and
 * a StepError when nothing answers.
 */
export async function listRemote(request: ListRequest, ports: SourcePorts): Promise<RemoteListing> {
  const remote = await openRemote(request, ports)
  const {url} = remote.repository
  const routes = routesTo(url, request)
  let [route] = routes
  await requireGit(ports.commands, environmentFor(remote, route, request))

  const firstAnswer = async (): Promise<GitRun> => {
    const failures: GitRun[] = []
    for (const candidate of routes) {
      const answer = await list(remote, candidate, request, ports)
      route = candidate
      // To git, a mirror that answers everything with a page is a repository without refs.
      if (answer.exitCode === 0 && (answer.lines.length > 0 || candidate.rule === undefined)) return answer
      const failure = answer.exitCode === 0 ? noRefs : answer
      failures.push(failure)
      if (routes.length > 1) {
        const way = describeRoute(candidate, request.proxies)
        ports.log.warning(`No answer from ${url} by ${way}: ${lastLines(failure.lines, 1).join('')}`)
      }
    }
    // One mirror that may come back is reason enough to try again.
    const hopeful = failures.filter(failure => !isPermanent(failure.lines))
    const told = hopeful.length === 0 ? failures : hopeful
    return {exitCode: told.at(-1)?.exitCode ?? 1, lines: told.flatMap(failure => failure.lines)}
  }

  const {lines} = await withRetries(
    {
      task: 'list the refs of',
      url,
      route: routes.map(candidate => describeRoute(candidate, request.proxies)).join('; '),
      repositoryInput: remote.inputs.repository,
      retries: request.retries
    },
    firstAnswer,
    ports
  )
  return {remote, route, ...parseListing(lines.join('\n'))}
}

const noRefs: GitRun = {
  exitCode: 1,
  lines: ['fatal: the answer names no branch and no tag: is there a git server, and not another web server?']
}

async function list(remote: Remote, route: Route, request: ListRequest, ports: SourcePorts): Promise<GitRun> {
  // From the root, so that no repository's own configuration has a say. Refs come at once, so who is silent for half a minute has none.
  const environment = {...environmentFor(remote, route, request), GIT_HTTP_LOW_SPEED_TIME: '30'}
  const git = gitIn('/', environment, ports)
  const lsRemote = async (options: readonly string[], ...patterns: readonly string[]) =>
    await git.askServer('ls-remote', ...options, '--', remote.repository.url, ...patterns)
  // With these options, servers leave the tens of thousands of pull requests out.
  const usual = await lsRemote(['--heads', '--tags'])
  const unusual = unusualRef(request.ref ?? '')
  if (usual.exitCode !== 0 || unusual === undefined) return usual
  const further = await lsRemote(['--symref'], unusual)
  return further.exitCode === 0 ? {exitCode: 0, lines: [...usual.lines, ...further.lines]} : further
}
