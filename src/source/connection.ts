import {ConfigurationError} from '../errors.js'
import type {Commands, Files, Log} from '../ports.js'
import {credentialSecrets, gitEnvironment, type ServerCredentials} from './git-environment.js'
import {parseRepository, type Repository} from './repository.js'
import type {Route} from './route.js'
import type {RemoteRequest} from './source.js'

/** A remote repository as a request names it. */
export interface Remote {
  readonly repository: Repository
  readonly credentials: readonly ServerCredentials[]
  readonly inputs: {readonly repository: string; readonly ref: string}
}

/**
 * Takes a request's repository apart and masks its secrets in the log. Throws a ConfigurationError when the text is no
 * repository, or a local path that is none.
 */
export async function openRemote(
  request: RemoteRequest,
  {files, log}: {readonly files: Files; readonly log: Log}
): Promise<Remote> {
  const inputs = request.inputNames ?? {repository: 'repository', ref: 'ref'}
  const repository = parseRepository(request.repository, {...request, input: inputs.repository})
  const credentials = credentialsFor(repository, request)
  for (const secret of credentials.flatMap(credentialSecrets)) log.mask(secret)
  if (repository.kind === 'local') await requireRepository(repository.url, inputs.repository, files)
  return {repository, credentials, inputs}
}

/** The environment for git on one route; `origin` is the URL that an existing checkout has for its remote. */
export function environmentFor(
  {repository, credentials}: Remote,
  route: Route,
  request: RemoteRequest,
  {directory, origin}: {readonly directory?: string; readonly origin?: string} = {}
): Record<string, string> {
  const rewrites = route.rule === undefined ? [] : [route.rule]
  return gitEnvironment({
    base: request.environment,
    directories: [directory, repository.kind === 'local' ? repository.url : undefined].filter(
      path => path !== undefined
    ),
    credentials,
    // A checkout may know the repository by another URL; it is reached by the one that was asked for.
    rewrites: origin === undefined || origin === route.url ? rewrites : [...rewrites, {from: origin, to: route.target}],
    proxies: request.proxies,
    // A proxy lets nothing through that it should not.
    noRedirects: request.strict && request.proxies.http === undefined && request.proxies.https === undefined,
    ...(request.certificateFile === undefined ? {} : {certificateFile: request.certificateFile})
  })
}

/** Throws a ConfigurationError unless there is a git that reads its configuration from the environment. */
export async function requireGit(commands: Commands, environment: Readonly<Record<string, string>>): Promise<void> {
  const {exitCode, stdout, stderr} = await commands.capture(['git', 'version'], {environment})
  if (exitCode !== 0) throw new ConfigurationError(`git is needed and does not run: ${stderr.trim()}`)
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(stdout) ?? []).map(Number)
  if (major > 2 || (major === 2 && minor >= 31)) return
  throw new ConfigurationError(`git 2.31 or newer is needed (for mirrors and credentials), found: ${stdout.trim()}`)
}

function credentialsFor(repository: Repository, {serverUrl, token}: RemoteRequest): readonly ServerCredentials[] {
  if (repository.kind !== 'http') return []
  const {origin} = new URL(repository.url)
  if (repository.credentials !== undefined) return [{origin, ...repository.credentials}]
  const isOurServer = origin === new URL(serverUrl).origin
  return token === undefined || !isOurServer ? [] : [{origin, username: 'x-access-token', password: token}]
}

async function requireRepository(path: string, input: string, files: Files): Promise<void> {
  const names = await files.list(path)
  if (names.includes('.git') || (names.includes('HEAD') && names.includes('objects'))) return
  throw new ConfigurationError(
    names.length === 0
      ? `Input '${input}': ${path} is no directory with a repository`
      : `Input '${input}': ${path} is no git repository. ${noHistory}`
  )
}

/** Why a source archive cannot be built. */
export const noHistory =
  'An unpacked source archive has no history, so it cannot be stamped with the commit it is; give a clone.'
