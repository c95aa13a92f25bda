import {unknown} from './shell-words.js'
import type {Lookup} from './variables.js'

/** What the build steps fetch themselves, by kind of what they fetch it with. */
export type DownloadKind = 'apt' | 'apk' | 'git' | 'http' | 'go' | 'sumdb' | 'pip' | 'gem'

export interface Download {
  readonly kind: DownloadKind
  /** `undefined` where only the running step knows it. */
  readonly url: string | undefined
}

/** What a step finds that steps before it in the stage, or mounts, have left there. */
export interface StepSurroundings {
  /** The image at the bottom of the stage as spelled. */
  readonly baseImage: string
  /** Whether Go's module cache is kept in a mount: who does that expects downloads. */
  readonly keepsModules: boolean
  /** Whether a directory is of the tree itself. */
  readonly isTree: (directory: string) => boolean
  /** Remotes of git repositories, by directory and name. */
  readonly remotes: Map<string, string>
  /** Package sources that were added to those of the image. */
  readonly aptSources: Set<string>
  /** Packages that were installed, each after the program that did. */
  readonly packages: Set<string>
  /** `BUILDARCH`, `TARGETOS` and the like. */
  readonly platform: Lookup
}

/** A URL without credentials; what follows a part that only the running step knows is cut off. */
export function shownUrl(url: string): string | undefined {
  const cut = url.indexOf(unknown)
  const kept = cut < 0 ? url : url.slice(0, cut).replace(/\?.*$/, '')
  const shown = kept.replace(/^([a-z+]+:\/\/)[^/@]*@/, '$1')
  // Without a whole host there is nothing to say.
  return /^[a-z+]+:\/\/[^/]+(\/|$)/.test(shown) && (cut < 0 || /^[a-z+]+:\/\/[^/]+\//.test(shown)) ? shown : undefined
}

/** The words that are no options, nor values of options that take one. */
export function operands(words: readonly string[], valued?: RegExp): string[] {
  return words.filter((word, index) => !word.startsWith('-') && valued?.test(words[index - 1] ?? '') !== true)
}

/** The values of an option, `--name value` or `--name=value`. */
export function optionValues(words: readonly string[], option: RegExp): string[] {
  return words.flatMap((word, index) => {
    const [, name = '', value] = /^(--[\w-]+)=([^]*)$/.exec(word) ?? []
    if (value !== undefined && option.test(name)) return [value]
    const next = words[index + 1]
    return option.test(word) && next !== undefined ? [next] : []
  })
}
