import {noRoom} from '../errors.js'
import type {Log} from '../ports.js'

/** Whose failure it is: what follows for the rest of the run depends on it. */
export type CacheTroubleKind =
  /** The service's: it does not answer, answers with an error, limits our rate, or refuses the token. */
  | 'service'
  /** The token may not read, or not write, or the repository's quota is used up. */
  | 'read denied'
  | 'write denied'
  /** The key belongs to another run, which is saving it or never finished. */
  | 'taken'
  /** The archive cannot be unpacked. */
  | 'damaged'
  /** This machine's disk is full. */
  | 'no room'
  /** Anything else on this machine. */
  | 'machine'

export interface CacheTrouble {
  readonly kind: CacheTroubleKind
  /** The library's words. */
  readonly reason: string
}

/** What @actions/cache said in one call. */
export interface CacheReport {
  /** Takes a line that the library printed; it belongs in the log for debugging. */
  readonly take: (line: string) => void
  /** What was transferred, compressed; undefined when nothing was. */
  bytes(): number | undefined
  /** Why the call came to nothing; undefined when that was a miss. */
  trouble(): CacheTrouble | undefined
}

// In order. From @actions/cache 6.3.0, src/cache.ts, src/internal/tar.ts and src/internal/shared/cacheTwirpClient.ts.
const signs: readonly (readonly [RegExp, CacheTroubleKind])[] = [
  [noRoom, 'no room'],
  [/cache read denied:/, 'read denied'],
  [/cache write denied:|storage quota has been hit/, 'write denied'],
  [
    /\(409\)|another job may be (?:creating|finalizing) this cache\. More details:|may be finalizing this cache/,
    'taken'
  ],
  [/tar"? failed with error/, 'damaged']
]

/** Listens to one call of @actions/cache. What it prints goes to `log` as debug messages, its secrets as masks. */
export function cacheReport(log: Log): CacheReport {
  const complaints: string[] = []
  const details: string[] = []
  let size: number | undefined

  function takeText(text: string): void {
    log.debug(text)
    size = sizeIn(text) ?? size
    if (text.startsWith('Failed to save: ')) complaints.push(text)
    // The real reason of a refused reservation is for debugging only, as is what tar complains about.
    if (text.startsWith('Failed to reserve cache: ') || noRoom.test(text)) details.push(text)
  }

  return {
    take(line) {
      const [, command, data = ''] = /^::([\w-]+)[^:]*::(.*)$/s.exec(line) ?? []
      const text = command === undefined ? line : unescapeData(data)
      if (command === 'add-mask') log.mask(text)
      else if (command === 'warning' || command === 'error') {
        log.debug(text)
        complaints.push(text)
      } else if (text.trim() !== '') takeText(text)
    },
    bytes: () => size,
    trouble() {
      const complaint = complaints.at(-1)
      if (complaint === undefined) return undefined
      const said = [...details, ...complaints].join('\n')
      const kind = signs.find(([sign]) => sign.test(said))?.[1] ?? 'service'
      return {kind, reason: firstLine(details[0] ?? complaint) || 'its storage refuses the download'}
    }
  }
}

/** The size of the archive: `Cache Size: ~1 MB (1234567 B)` when it was restored, `File Size: 1234567` when it is saved. */
function sizeIn(text: string): number | undefined {
  const size = /^Cache Size: ~\d+ MB \((\d+) B\)$|^File Size: (\d+)$/.exec(text)
  return size === null ? undefined : Number(size[1] ?? size[2])
}

/** Without the library's beginning; '' for a refused HEAD request of its storage, which has no words. */
function firstLine(reason: string): string {
  return (reason.split('\n')[0] ?? '').replace(/^Failed to (?:restore|save|reserve cache): (?:Error: )?/, '')
}

function unescapeData(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%')
}
