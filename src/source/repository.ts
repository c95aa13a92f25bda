import {isAbsolute, resolve} from 'node:path'
import {ConfigurationError} from '../errors.js'
import {redactUrl} from '../network/url.js'

export interface UserCredentials {
  readonly username: string
  readonly password: string
}

/** A repository, taken apart: what git may be told in the open, and the credentials, which travel separately. */
export interface Repository {
  /** As the user wrote it, without credentials. */
  readonly name: string
  /** URL or absolute path, without a password. */
  readonly url: string
  readonly kind: 'http' | 'ssh' | 'local' | 'other'
  readonly credentials?: UserCredentials
}

export interface RepositoryContext {
  /** URL of the GitHub server that `owner/name` is on, for example `https://github.com`. */
  readonly serverUrl: string
  /** Absolute; relative paths (`./fork`, `../fork`) start here. */
  readonly workspace: string
  /** The input the text comes from, for messages. */
  readonly input: string
}

/**
 * Reads a repository as users write it: `owner/name`, any git URL, or a path that begins with `/`, `./` or `../`. Throws
 * a ConfigurationError for anything else.
 */
export function parseRepository(text: string, {serverUrl, workspace, input}: RepositoryContext): Repository {
  const name = redactUrl(text)
  if (/^\w[\w.-]*\/[\w.-]+$/.test(text)) {
    return {name, url: `${serverUrl.replace(/\/+$/, '')}/${text.replace(/\.git$/, '')}.git`, kind: 'http'}
  }
  if (isAbsolute(text) || /^\.{1,2}(\/|$)/.test(text)) return {name, url: resolve(workspace, text), kind: 'local'}
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) && URL.canParse(text)) return fromUrl(text, name)
  // Git's short form of SSH, `git@host:path`.
  if (/^[^\s:/-][^\s:/]*:(?!:|\/\/)\S+$/.test(text)) return {name, url: text, kind: 'ssh'}
  throw new ConfigurationError(
    `Input '${input}': must be owner/name, a git URL, or a path that begins with / or ./, got '${name}'`
  )
}

/** Whether `parseRepository` can read a text. */
export function isRepository(text: string): boolean {
  try {
    parseRepository(text, {serverUrl: 'https://github.com', workspace: '/', input: ''})
    return true
  } catch {
    return false
  }
}

function fromUrl(text: string, name: string): Repository {
  const {protocol, username, password} = new URL(text)
  if (protocol === 'file:') return {name, url: decodeURIComponent(new URL(text).pathname), kind: 'local'}
  if (protocol === 'ssh:') return {name, url: text.replace(/^(ssh:\/\/[^/@:]*):[^/@]*@/i, '$1@'), kind: 'ssh'}
  const kind = protocol === 'http:' || protocol === 'https:' ? 'http' : 'other'
  if (username === '' && password === '') return {name, url: text, kind}
  const credentials = {username: decodeURIComponent(username), password: decodeURIComponent(password)}
  return {name, url: name, kind, credentials}
}

/**
 * Whether two URLs or paths mean the same repository, whichever way it is reached: over HTTP or SSH, with or without
 * credentials and `.git`, in upper or lower case.
 */
export function isSameRepository(one: string, other: string): boolean {
  return repositoryIdentity(one) === repositoryIdentity(other)
}

/** A repository's URL or path without what differs between the ways to it; see `isSameRepository`. No secrets are in it. */
export function repositoryIdentity(url: string): string {
  const trimmed = url
    .replace(/^file:\/\//, '')
    .replace(/\/+$/, '')
    .replace(/\/?\.git$/, '')
  if (isAbsolute(trimmed)) return resolve(trimmed)
  const withoutScheme = redactUrl(trimmed.replace(/^([^/:]+):(?!\/\/|\d+\/)\/?/, '$1/')).replace(/^[a-z+]+:\/\//i, '')
  return withoutScheme.toLowerCase()
}
