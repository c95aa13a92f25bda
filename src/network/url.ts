/** A URL as it may be shown: without user and password, with or without a scheme. Other text is returned as it is. */
export function redactUrl(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/\s]*@/i, '$1')
}

/** Text that somebody mistyped, as it may be shown: every `@` hides what its word, or URL, has before it. */
export function redactText(text: string): string {
  return text.replace(/(^|\s|:\/\/)(?:(?!:\/\/)\S)*@/g, '$1***@')
}

/**
 * The secrets in a text: of every `scheme://user:password@` and `user:password@` the password, or the user where that
 * stands alone, as a token does.
 */
export function secretsIn(text: string): string[] {
  const userinfos = text.matchAll(/(?:([a-z][a-z0-9+.-]*):\/\/|(?<![^\s=,|])(?=[^\s/@=,|]*:))([^\s/]*)@(?!sha\d+:)/gi)
  return [...userinfos].flatMap(([, scheme, userinfo = '']) => {
    const colon = userinfo.indexOf(':')
    const [user, password] = colon < 0 ? [userinfo, ''] : [userinfo.slice(0, colon), userinfo.slice(colon + 1)]
    if (password !== '' && password !== 'x-oauth-basic') return [password]
    // Over SSH the user is an account.
    return user === '' || user === 'git' || scheme?.toLowerCase() === 'ssh' ? [] : [user]
  })
}

/** The secrets in the URL of a proxy, also of one that is no URL because they are not percent-encoded. */
export function proxySecretsIn(proxy: string): string[] {
  const userinfo = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(.*)@/is.exec(proxy)?.[1] ?? ''
  const [, password = userinfo] = /^[^:]*:(.*)$/s.exec(userinfo) ?? []
  return password === '' ? [] : [password]
}

/** Whether `text` is an absolute http or https URL. */
export function isHttpUrl(text: string): boolean {
  if (!/^https?:\/\/[^/\s]/i.test(text)) return false
  return URL.canParse(text)
}
