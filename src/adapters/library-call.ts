import {AsyncLocalStorage} from 'node:async_hooks'
import {subscribe, unsubscribe} from 'node:diagnostics_channel'
import {ClientRequest} from 'node:http'

/** How long a call may wait for servers. Time that it works by itself, for example unpacking, does not count. */
export interface WaitingLimits {
  /** Without a byte to or from any server. */
  readonly idleMilliseconds: number
  /** From the start of the call on. */
  readonly totalMilliseconds: number
}

/** A call was ended because of its `WaitingLimits`. */
export class StalledError extends Error {
  override readonly name = 'StalledError'
}

type Write = typeof process.stdout.write

// Both are said for a request that has one: `created` since Node 22.12, `start` when its body is sent
// (https://nodejs.org/api/diagnostics_channel.html#http).
const requestChannels = ['http.client.request.created', 'http.client.request.start']

/** What takes a text that a call prints; undefined outside of calls. */
const printer = new AsyncLocalStorage<((text: string) => void) | undefined>()
let observed = 0
let ownWrite: Write

/**
 * Runs `work`, a call of a library that writes to standard output and neither says how long it may take nor can be
 * stopped. Each line that it prints, by itself or through a program that it runs, goes to `onLine` instead; what others
 * print meanwhile is not touched. Its HTTP requests (node:http) are ended, and the promise rejects with a `StalledError`,
 * when they exceed `limits`: what the library still does then has no effect on the caller.
 */
export async function observeCall<T>(
  work: () => Promise<T>,
  onLine: (line: string) => void,
  limits: WaitingLimits
): Promise<T> {
  const lines = lineCutter(line => {
    printer.run(undefined, onLine, line)
  })
  const requests = watchRequests(() => printer.getStore() === lines.take, limits)
  divertOutput()
  const settled = printer.run(lines.take, work).finally(() => {
    lines.end()
    requests.end()
    releaseOutput()
  })
  return await Promise.race([settled, requests.stalled])
}

/** Hands over a text that comes in pieces line by line. */
function lineCutter(onLine: (line: string) => void): {readonly take: (text: string) => void; end(): void} {
  let rest = ''
  return {
    take(text) {
      const lines = `${rest}${text}`.split(/\r?\n/)
      rest = lines.pop() ?? ''
      for (const line of lines) onLine(line)
    },
    end() {
      if (rest !== '') onLine(rest)
      rest = ''
    }
  }
}

/** Watches the requests that are made while `isOurs` holds; `stalled` rejects once they exceed `limits`, else never settles. */
function watchRequests(isOurs: () => boolean, limits: WaitingLimits): {readonly stalled: Promise<never>; end(): void} {
  const open = new Set<ClientRequest>()
  const start = performance.now()
  let lastBytes = -1
  let lastChange = start
  let refusal: StalledError | undefined
  let reject: (error: StalledError) => void
  const stalled = new Promise<never>((_, rejectStalled) => {
    reject = rejectStalled
  })

  function notice(message: unknown): void {
    const {request} = message as {request: unknown}
    if (!isOurs() || !(request instanceof ClientRequest) || open.has(request)) return
    open.add(request)
    lastChange = performance.now()
    request.once('close', () => {
      open.delete(request)
      lastChange = performance.now()
    })
    if (refusal !== undefined) process.nextTick(refuse, request)
  }

  function refuse(request: ClientRequest): void {
    request.destroy(Object.assign(new Error(refusal?.message), {code: finalCode(request)}))
  }

  function look(): void {
    const now = performance.now()
    const bytes = [...open].reduce((sum, {socket}) => sum + (socket?.bytesRead ?? 0) + (socket?.bytesWritten ?? 0), 0)
    if (bytes !== lastBytes || open.size === 0) lastChange = now
    lastBytes = bytes
    if (open.size === 0 || refusal !== undefined) return
    if (now - lastChange >= limits.idleMilliseconds) {
      refusal = new StalledError(`nothing was sent or received for ${limits.idleMilliseconds / 1000} s`)
    } else if (now - start >= limits.totalMilliseconds) {
      refusal = new StalledError(`it takes longer than ${limits.totalMilliseconds / 1000} s`)
    } else return
    reject(refusal)
    for (const request of open) refuse(request)
  }

  for (const channel of requestChannels) subscribe(channel, notice)
  const timer = setInterval(look, Math.min(1000, limits.idleMilliseconds / 4))
  return {
    stalled,
    end() {
      clearInterval(timer)
      for (const channel of requestChannels) unsubscribe(channel, notice)
    }
  }
}

/**
 * The error code after which nobody tries again: the Twirp client of @actions/cache 6.3.0 repeats all but the codes of
 * lost connections (src/internal/shared/errors.ts), @azure/storage-blob just those (StorageRetryPolicyV2).
 */
function finalCode({path}: ClientRequest): string {
  return path.startsWith('/twirp/') ? 'ECONNRESET' : 'ABORT_ERR'
}

function divertOutput(): void {
  observed += 1
  if (process.stdout.write === divertedWrite) return
  ownWrite = Reflect.get<NodeJS.WriteStream, 'write'>(process.stdout, 'write')
  process.stdout.write = divertedWrite
}

function releaseOutput(): void {
  observed -= 1
  if (observed === 0 && process.stdout.write === divertedWrite) process.stdout.write = ownWrite
}

const divertedWrite: Write = (...given: unknown[]) => {
  const print = printer.getStore()
  if (print === undefined) return Boolean(Reflect.apply(ownWrite, process.stdout, given))
  const [chunk, ...rest] = given
  print(chunk instanceof Uint8Array ? Buffer.from(chunk).toString() : String(chunk))
  const callback = rest.find(argument => typeof argument === 'function')
  if (callback !== undefined) process.nextTick(callback)
  return true
}
