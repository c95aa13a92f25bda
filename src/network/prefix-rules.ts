import type {PrefixRule} from './network.js'

/** The rule with the longest prefix of `url`, as git chooses among `insteadOf`; of equal ones the first. */
export function ruleFor(url: string, rules: readonly PrefixRule[]): PrefixRule | undefined {
  return rules
    .filter(({from}) => url.startsWith(from))
    .reduce<PrefixRule | undefined>(
      (best, rule) => (best === undefined || rule.from.length > best.from.length ? rule : best),
      undefined
    )
}

/** Where a rule sends a URL that begins with its prefix. */
export function mirroredUrl(url: string, {from, to}: PrefixRule): string {
  return to + url.slice(from.length)
}
