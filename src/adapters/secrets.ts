/**
 * Every text that gives `secret` away: itself, its percent-decoded form (a password in a URL), and each of their lines,
 * because logs are written line by line. Longest first; none is blank.
 */
export function secretForms(secret: string): readonly string[] {
  const whole = [secret, percentDecoded(secret)]
  const forms = new Set([...whole, ...whole.flatMap(text => text.split(/\r?\n/).map(line => line.trim()))])
  return [...forms].filter(form => form.trim() !== '').sort((one, other) => other.length - one.length)
}

/** The text with its `%xx` escapes decoded; as it is when one of them is malformed. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
