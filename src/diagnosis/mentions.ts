import {formatImageReference, parseImageReference} from '../network/images.js'

/** The URLs in a text, those of git's own protocol as their likes over HTTPS. */
export function urlsIn(text: string): string[] {
  const found = text.match(/\b(?:https?|git):\/\/[^\s'"`<>()|\\]+/g) ?? []
  return found.map(url => url.replace(/[.,:;+]+$/, '').replace(/^git:/, 'https:'))
}

/** The image that BuildKit speaks of, in a message or as the name of its step, in full. */
export function imageIn(text: string, step: string): string | undefined {
  const named =
    /docker-image:\/\/([^\s"]+)/.exec(text) ??
    /load metadata for (\S+)/.exec(step) ??
    /resolve image config for docker-image:\/\/(\S+)/.exec(step) ??
    /^\[[^\]]*\] FROM (\S+)/.exec(step)
  return named?.[1] === undefined ? undefined : formatImageReference(parseImageReference(named[1]))
}

/** The host that a message names without a URL. */
export function hostIn(text: string): string | undefined {
  const introduced =
    /(?:resolve|resolve host|host address|bad address|resolving|connect(?:ion)? to|certificate of|lookup):? '?([a-z\d.-]+\.[a-z]+)\b/i
  return (introduced.exec(text) ?? /host='([^']+)'/.exec(text))?.[1]
}

/** The host of a URL, without a port. */
export function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined
}
