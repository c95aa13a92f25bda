/**
 * What the program needs from the outside, named after the need. `src/adapters` implements each of these once for real;
 * tests give small in-memory ones.
 */

/** Where people read what happens. Every text passes through the secret masks before it is written. */
export interface Log {
  debug(message: string): void
  info(message: string): void
  notice(message: string): void
  warning(message: string): void
  error(message: string): void
  /** Opens a foldable group; everything until `endGroup` belongs to it. Groups do not nest. */
  startGroup(name: string): void
  endGroup(): void
  /** From now on `secret` is never shown, neither as given nor percent-decoded. */
  mask(secret: string): void
}

export interface CommandOptions {
  readonly workingDirectory?: string
  /** The child's whole environment; when absent it inherits the program's own. */
  readonly environment?: Readonly<Record<string, string>>
}

export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export type OutputStream = 'stdout' | 'stderr'

export interface StreamOptions extends CommandOptions {
  readonly onLine: (line: string, stream: OutputStream) => void
}

/** Runs programs, never through a shell. */
export interface Commands {
  /**
   * Runs a short query and collects its output. Resolves whatever the exit code is (127 when the program does not
   * exist): the caller decides what a failure means.
   */
  capture(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>
  /**
   * Runs long work and hands over its output line by line while it runs. Resolves to the exit code; a cancelled run ends
   * the child (interrupt first, kill after a few seconds) and then rejects with a `CancelledError`.
   */
  stream(argv: readonly string[], options: StreamOptions): Promise<number>
}

export type FileKind = 'file' | 'directory' | 'link' | 'other'

/** Files of this machine. Paths are absolute. */
export interface Files {
  /** The text of a file, or undefined when there is none. */
  readText(path: string): Promise<string | undefined>
  /** The bytes of a file as they arrive; rejects when there is none. */
  readBytes(path: string): AsyncIterable<Uint8Array>
  /** Writes a whole file, making its directories; replaces an older one at once or not at all. Mode 0644 if not given. */
  write(path: string, content: string | AsyncIterable<Uint8Array>, mode?: number): Promise<void>
  /** What is at `path` itself (a link is not followed), or undefined. */
  kind(path: string): Promise<FileKind | undefined>
  /** Names in a directory, sorted; empty when there is no such directory. */
  list(path: string): Promise<readonly string[]>
  /** Size in bytes and permission bits of what `path` leads to (links followed). */
  status(path: string): Promise<{readonly size: number; readonly mode: number}>
  /** Where a path leads after following all links; rejects for a dangling one. */
  resolveLinks(path: string): Promise<string>
  /** Copies one file's content and permission bits, following links. */
  copyFile(from: string, to: string): Promise<void>
  makeDirectory(path: string): Promise<void>
  /** Makes `path` a symbolic link to `target`. */
  link(target: string, path: string): Promise<void>
  /** A new, empty, private directory. */
  makeTemporaryDirectory(prefix: string): Promise<string>
  /** Renames a file or directory; what was at the target is replaced. */
  replace(from: string, to: string): Promise<void>
  /** Removes a file or a whole directory; fine when there is none. */
  remove(path: string): Promise<void>
}

export interface Probe {
  readonly url: string
  /** `GET` when absent. */
  readonly method?: 'GET' | 'HEAD'
  readonly headers?: Readonly<Record<string, string>>
  /** `host:port` or URL of the proxy to go through, credentials included; absent means direct. */
  readonly proxy?: string
  /** PEM blocks that are trusted in addition to the public authorities. */
  readonly certificates?: string
  readonly timeoutMilliseconds: number
}

/** Why there was no HTTP answer. What begins with `proxy` is about the proxy, all else about the server itself. */
export type ProbeFailure =
  | 'timeout'
  | 'unknown host'
  | 'connection refused'
  | 'connection lost'
  /** Nobody whom we trust vouches for the certificate. */
  | 'unknown authority'
  /** The certificate is another host's. */
  | 'wrong host'
  /** The server speaks plain HTTP where TLS was expected. */
  | 'no TLS'
  | 'TLS'
  | 'no HTTP'
  | 'proxy unreachable'
  /** The proxy wants credentials, or other ones. */
  | 'proxy login'
  /** The proxy lets nobody through to this host. */
  | 'proxy denied'
  /** The proxy tried and could not. */
  | 'proxy failed'
  | 'other'

/** What one HTTP request came to. */
export type ProbeResult =
  | {readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string}
  /** No HTTP answer at all: the system's words, for example `connect ECONNREFUSED 127.0.0.1:5000`. */
  | {readonly failure: string; readonly reason: ProbeFailure}

/** Asks a server one small question, whose answer is cut after 64 KiB, and leaves no connection open. Never rejects. */
export interface Prober {
  get(probe: Probe): Promise<ProbeResult>
}

/** The certificate authorities that this process and its children trust. */
export interface Trust {
  /** Adds PEM blocks to those the process trusts, and returns all of them together, for a child process to trust. */
  add(certificates: string): Promise<string>
}

/** An entry of a cache, found or saved. */
export interface CacheEntry {
  readonly key: string
  /** What is transferred for it, compressed; undefined when the store does not say. */
  readonly bytes?: number
}

/**
 * Directories kept between runs under immutable keys. Best effort: nothing here rejects or fails a build. What goes wrong
 * with the store itself is said once, and the store is then left alone for the rest of the run.
 */
export interface CacheStore {
  /** Where entries live, for the reader of the summary: `GitHub Actions cache` or a directory. */
  readonly location: string
  /** Whether anything can be saved, as far as is known: otherwise making it is in vain. */
  accepts(): boolean
  /** The name of the entry that `restore` would take, without fetching it; undefined on a miss or any failure. */
  find(key: string, prefixes: readonly string[]): Promise<string | undefined>
  /**
   * Fills `directory` from the entry named `key`, else from the newest entry whose name begins with one of `prefixes`
   * (in order). Returns undefined on a miss or any failure; `directory` is then as it was.
   */
  restore(directory: string, key: string, prefixes: readonly string[]): Promise<CacheEntry | undefined>
  /** Keeps `directory` under `key`. Returns undefined (after saying why) when it could not; an existing key stays as it is. */
  save(directory: string, key: string): Promise<CacheEntry | undefined>
}

export interface ArtifactOptions {
  /** Days, 1 to 90; absent means the repository's own setting. */
  readonly retentionDays?: number
  /** 0 (none) to 9 (smallest): compression of the transport, not of the archive inside. */
  readonly compressionLevel: number
}

export interface PublishedArtifact {
  readonly id?: number
  /** A page on GitHub, or the path of the folder. */
  readonly url: string
}

/** Where finished bundles go. */
export interface ArtifactStore {
  /** `GitHub Actions artifacts` or a directory. */
  readonly location: string
  /** Publishes `files` under one `name`; rejects when that fails. */
  publish(name: string, files: readonly string[], options: ArtifactOptions): Promise<PublishedArtifact>
}

/** Milliseconds, only ever compared with each other. */
export type Clock = () => number
