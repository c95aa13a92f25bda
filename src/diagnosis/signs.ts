import {noRoom} from '../errors.js'
import type {EndpointKind} from '../network/endpoint.js'
import type {FailureKind} from './failure-kind.js'

/** Words by which a failure is known. */
export interface Sign {
  /** `status`: as the HTTP status in the group of that name says. */
  readonly kind: FailureKind | 'status'
  readonly says: RegExp
  /** Whether it counts only where nothing else tells more. */
  readonly vague?: true
}

/** A program that downloads, as its output is known. */
export interface Program {
  readonly name: string
  /** What its lines of complaint look like; of BuildKit itself there are no others. */
  readonly speaks: RegExp
  /** What it asks for. */
  readonly kinds: readonly EndpointKind[]
  /** The first that fits counts. */
  readonly signs: readonly Sign[]
  /** A line that it prints after it has succeeded, or when it goes on: what it complained of before does not matter. */
  readonly succeeds?: RegExp
}

// Words that programs share, or have from the same libraries: libcurl, OpenSSL, GnuTLS, libc, Go's net.

/** Where somebody other than the server is at fault, and so whatever is fetched. */
const obstacles: readonly Sign[] = [
  {kind: 'refused by strict', says: /\b127\.0\.0\.1(:| port )9\b|remote host \(127\.0\.0\.1\): Connection refused/},
  {kind: 'no space', says: noRoom},
  {kind: 'proxy login', says: /proxy authentication required|(response|code|error:) 407\b|\b407 "?Proxy/i},
  {kind: 'plain http', says: /gave HTTP response to HTTPS client|wrong version number|unexpected TLS packet/},
  // Go's words where not even the first line is of HTTP.
  {kind: 'plain http', says: /first record does not look like a TLS handshake/},
  {kind: 'tls', says: /x509: |certificate (verify|verification) failed|SSL certificate problem|issuer certificate/i},
  {kind: 'tls', says: /certificate of '.*' (is not trusted|doesn't have a known issuer)|handshake fail(ed|ure)/i}
]

const serverFailures: readonly Sign[] = [
  {kind: 'status', says: /\b(returned error:|tunnel failed, response|HTTP code) (?<status>[45]\d\d)\b/},
  {kind: 'rate limit', says: /too ?many ?requests/i},
  {kind: 'server error', says: /\b(bad gateway|service unavailable|gateway time-?out)\b/i},
  {kind: 'dns', says: /could(n't| not) resolve|no such host|name or service not known|server misbehaving/i},
  {kind: 'dns', says: /temporary failure (in name resolution|resolving)|unable to resolve host|bad address '/i},
  {kind: 'unreachable', says: /network is unreachable|no route to host/i},
  {kind: 'timeout', says: /timed out|i\/o timeout|handshake timeout|deadline exceeded/i},
  // How long libcurl waited is all it says; a refusal takes milliseconds.
  {kind: 'timeout', says: /after \d{4,} ms: Couldn't connect/},
  {kind: 'connection lost', says: /reset by peer|unexpected EOF|": EOF$|transfer closed with|broken pipe/i},
  {kind: 'connection lost', says: /non-properly terminated|SSL_ERROR_SYSCALL|in the pull function/},
  {kind: 'connection lost', says: /http2: |not closed cleanly|stream error: /},
  {kind: 'connection refused', says: /connection refused|(could not|couldn't|can't|failed to|unable to) connect/i}
]

const shared = [...obstacles, ...serverFailures]

/** Programs by the look of their lines; the first that speaks so, and has a sign for what it says, is taken for the one. */
export const programs: readonly Program[] = [
  {
    name: 'BuildKit',
    speaks: /^/,
    kinds: [],
    signs: [
      {kind: 'refused by strict', says: /denied by policy/},
      {kind: 'out of memory', says: /did not complete successfully: exit code: 137\b/},
      {kind: 'status', says: /(unexpected|invalid response) status\b.*?:? (?<status>[45]\d\d)\b/},
      {kind: 'checksum', says: /digest mismatch|unexpected commit digest/},
      {kind: 'forbidden', says: /pull access denied|insufficient_scope/},
      {kind: 'missing', says: /[^"\s]: not found$|does not contain ref|manifest unknown/},
      {kind: 'connection lost', says: /: EOF$/},
      ...shared
    ]
  },
  {
    name: 'git',
    speaks: /^\s*(fatal|error|fetch-pack|remote): /,
    kinds: ['git'],
    signs: [
      {kind: 'refused by strict', says: /transport '.*' not allowed/},
      {kind: 'forbidden', says: /could not read (Username|Password)|Authentication failed/},
      {kind: 'missing', says: /repository '.*' not found|couldn't find remote ref|not our ref/},
      {
        kind: 'git early eof',
        says: /early EOF|unexpected disconnect|hung up unexpectedly|RPC failed; (?!HTTP \d|.*error: \d)/
      },
      ...shared
    ],
    succeeds: /^Cloning into '|^HEAD is now at /
  },
  {
    name: 'apt',
    // Its two streams may run into one line; what is indented repeats a line with the URL.
    speaks: /(^|\.\.\.)[EW]: |^ {2}(Could|Connection|Temporary|Error|\d{3} )/,
    kinds: ['apt'],
    signs: [
      {kind: 'no space', says: /don't have enough free space/},
      {kind: 'expired release', says: /Release file for .* is (expired|not valid yet)/},
      {kind: 'package gone', says: /does not (no longer )?have a Release file/},
      {
        kind: 'checksum',
        says: /Hash Sum mismatch|unexpected size|Signed file isn't valid|signatures? .*(invalid|verified)/
      },
      // Also of a file that could not be fetched.
      {kind: 'checksum', says: /is not signed/, vague: true},
      {kind: 'status', says: /Failed to fetch \S+\s+(?<status>[45]\d\d) /},
      {kind: 'connection lost', says: /Connection failed|Remote end closed|Error reading from server/},
      ...shared
    ],
    succeeds: /^Setting up |^Download complete/
  },
  {
    name: 'apk',
    speaks: /^(WARNING|ERROR): ((updating and )?opening |fetching |Ignoring |http|\S+: package )|^[\dA-F]{12,}:error:/,
    kinds: ['apk'],
    signs: [
      {kind: 'package gone', says: /package mentioned in index not found/},
      {kind: 'dns', says: /: DNS\b/},
      {kind: 'timeout', says: / http\S*: operation timed out/},
      {kind: 'connection lost', says: / http\S*: (network connection aborted|IO ERROR)/},
      {kind: 'server error', says: / http\S*: temporary error/},
      {kind: 'checksum', says: /: (UNTRUSTED|BAD) (signature|archive)/},
      {kind: 'missing', says: / http\S*: No such file or directory/},
      // Of 401, 403, 407 and a wrong certificate apk says the same.
      {kind: 'forbidden', says: / http\S*: Permission denied/, vague: true},
      ...shared
    ]
  },
  {name: 'curl', speaks: /^curl: \(\d+\) /, kinds: ['http'], signs: shared},
  {
    name: 'wget',
    speaks:
      /^(wget|GnuTLS|OpenSSL): |^ERROR: (The|cannot) |^(Connecting|Resolving|Proxy|Read error) |^[\d-]+ [\d:]+ ERROR /,
    kinds: ['http'],
    signs: [
      {kind: 'status', says: /ERROR (?<status>[45]\d\d): /},
      {kind: 'status', says: /server returned error: HTTP\/[\d.]+ (?<status>[45]\d\d)/},
      ...shared
    ],
    succeeds: / saved \[\d+/
  },
  {
    name: 'go',
    // Where a package is imported, its position comes first.
    speaks: /^go: |^[^\s:]+\.go:\d+:\d+: .*(https?:|dial tcp)|^verifying \S+@/,
    kinds: ['go'],
    signs: [
      {kind: 'checksum', says: /checksum mismatch/},
      ...obstacles,
      {kind: 'wrong answer', says: /invalid response from proxy /},
      {kind: 'sumdb', says: /verifying (module|go\.mod): .*(Get|reading) "?https?:/},
      {kind: 'status', says: /reading https?:\S+: (?<status>[45]\d\d) /},
      // Of a proxy that refuses to connect, Go shows the reason alone: tinyproxy and squid.
      {kind: 'forbidden', says: /": (Filtered|Forbidden)$/},
      ...serverFailures
    ]
  },
  {
    name: 'pip',
    speaks: /^(WARNING: Retrying|WARNING: .*hashes|ERROR: (?! )|Could not fetch URL)/,
    kinds: ['pip'],
    signs: [
      {kind: 'checksum', says: /DO NOT MATCH THE HASHES/},
      {kind: 'status', says: /(Tunnel connection failed|HTTP error):? (?<status>[45]\d\d)/},
      {kind: 'missing', says: /\(from versions: none\)|No matching distribution/, vague: true},
      ...shared
    ],
    succeeds: /^Successfully installed /
  },
  {
    name: 'gem',
    speaks: /^ERROR: {2}|^\s+Unable to download data from |^\s+407 "/,
    kinds: ['gem'],
    signs: [{kind: 'status', says: /bad response .* (?<status>[45]\d\d) /}, ...shared]
  },
  {
    name: 'the system',
    speaks: /^/,
    kinds: [],
    signs: [
      {
        kind: 'out of memory',
        says: /: signal: killed\b|^Killed$|\*\*\* .* Killed$|cannot allocate memory|: out of memory/i
      },
      {kind: 'no space', says: /: no space left on device/i},
      {kind: 'checksum', says: /sum: WARNING: .*computed checksums? did NOT match/}
    ]
  },
  {
    name: 'another program',
    speaks: /error|fail|fatal|unable|could|can't|cannot|refused/i,
    kinds: [],
    signs: shared
  }
]
