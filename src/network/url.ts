/**
 * A URL as it may be shown: without user and password. Text that is no URL is returned as it is, but for anything that
 * looks like `user:password@`.
 */
export function redactUrl(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/@\s]*@/i, '$1')
}

/**
 * The secrets in a text: of every `user:password@` the password, or the user where that stands alone, as a token does.
 */
export function secretsIn(text: string): string[] {
  return [...text.matchAll(/(?:^|[\s=,|]|:\/\/)([^\s/@=,|]+)@/g)].flatMap(([, userinfo = '']) => {
    const secret = userinfo.slice(userinfo.indexOf(':') + 1)
    // Git over SSH is always `git@`: no secret.
    return secret === '' || secret === 'git' ? [] : [secret]
  })
}

/** Whether `text` is an absolute http or https URL. */
export function isHttpUrl(text: string): boolean {
  if (!/^https?:\/\/[^/\s]/i.test(text)) return false
  return URL.canParse(text)
}
