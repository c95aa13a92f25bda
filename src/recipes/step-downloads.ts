import {operands, optionValues, shownUrl, type Download, type StepSurroundings} from './download.js'
import {goDownloads} from './go-downloads.js'
import {linkerDownloads, noteInstalled} from './linker-downloads.js'
import {inDirectory, type ProgramCall} from './script-frame.js'
import {unknown} from './shell-words.js'

/** What a program downloads when it is called so; steps after it see the remotes and sources that it sets up. */
export function downloadsOf(call: ProgramCall, step: StepSurroundings): Download[] {
  switch (call.program.replace(/^xx-(?=(apt|apt-get|apk|go)$)/, '')) {
    case 'apt':
    case 'apt-get':
    case 'aptitude':
      noteInstalled(call, step)
      return aptDownloads(call.words, step)
    case 'apk':
      noteInstalled(call, step)
      return operands(call.words).some(word => /^(add|update|upgrade|fetch)$/.test(word))
        ? [{kind: 'apk', url: 'https://dl-cdn.alpinelinux.org/alpine'}]
        : []
    case 'apt-key':
    case 'gpg':
      return keyDownloads(call.words)
    case 'echo':
    case 'printf':
      noteAptSource(call.words.join(' '), step)
      return []
    case 'add-apt-repository':
      noteAptSource(call.words.join(' '), step)
      return []
    case 'git':
      return gitDownloads(call, step)
    case 'go':
      return [...goDownloads(call, step), ...linkerDownloads(call, step)]
    case 'xx-clang':
    case 'xx-clang++':
      return linkerDownloads(call, step)
    case 'curl':
    case 'wget':
    case 'aria2c':
    case 'hg':
    case 'svn':
      return httpDownloads(call)
    case 'pip':
    case 'pip2':
    case 'pip3':
      return pipDownloads(call)
    case 'python':
    case 'python2':
    case 'python3':
      return call.words[0] === '-m' && call.words[1] === 'pip'
        ? pipDownloads({...call, words: call.words.slice(2)})
        : []
    case 'gem':
      return gemDownloads(call.words)
    default:
      return []
  }
}

/** Debian's and Ubuntu's packages by the paths of their URLs, which mirrors keep: the hosts are the image's affair. */
function aptDownloads(words: readonly string[], {baseImage, aptSources}: StepSurroundings): Download[] {
  const downloading = /^(update|install|upgrade|dist-upgrade|full-upgrade|build-dep|source|download|satisfy)$/
  if (!operands(words).some(word => downloading.test(word))) return []
  const isUbuntu = /(^|\/)ubuntu([:@]|$)/.test(baseImage)
  const own = isUbuntu ? ['http://*/ubuntu'] : ['http://*/debian', 'http://*/debian-security']
  return [...own, ...aptSources].map(url => ({kind: 'apt', url}))
}

function noteAptSource(text: string, {aptSources}: StepSurroundings): void {
  const [, url] = /^\s*deb(?:-src)?\s+(?:\[[^\]]*\]\s+)?([a-z+]+:\/\/\S+)/.exec(text) ?? []
  const known = url === undefined ? undefined : shownUrl(url)
  if (known !== undefined) aptSources.add(known.replace(/\/+$/, ''))
}

/** `hkp` is HTTP, on port 11371 unless the URL has another (RFC draft-shaw-openpgp-hkp). */
function keyDownloads(words: readonly string[]): Download[] {
  const [server] = optionValues(words, /^--keyserver$/)
  if (server === undefined) return []
  const [, scheme = 'hkp', host = ''] = /^(?:([a-z]+):\/\/)?([^/]+)/.exec(server) ?? []
  if (host.includes(unknown)) return [{kind: 'http', url: undefined}]
  if (scheme !== 'hkp') return [{kind: 'http', url: `${scheme.replace('hkps', 'https')}://${host}/`}]
  return [{kind: 'http', url: `http://${/:\d+$/.test(host) ? host : `${host}:11371`}/`}]
}

function gitDownloads({words, directory}: ProgramCall, {remotes}: StepSurroundings): Download[] {
  let at = directory
  let index = 0
  for (; words[index]?.startsWith('-') === true; index++) {
    if (words[index] === '-C') at = inDirectory(at, words[index + 1] ?? '')
    if (/^-[Cc]$/.test(words[index] ?? '')) index += 1
  }
  const [command = '', ...rest] = words.slice(index)
  const remoteOf = (name: string) => remotes.get(`${at}\0${name}`)
  const set = (path: string, name: string, url: string) => remotes.set(`${path}\0${name}`, url)
  const valued =
    /^(-[bojc]|--(branch|depth|origin|jobs|reference|config|deepen|shallow-since|shallow-exclude|server-option))$/
  const names = operands(rest, valued)
  const [first = '', second = '', third = ''] = names
  switch (command) {
    case 'clone':
      set(
        second === '' ? inDirectory(at, first.replace(/^.*\/|\.git$/g, '')) : inDirectory(at, second),
        'origin',
        first
      )
      return gitDownload(first)
    case 'remote':
      if (first === 'add' || first === 'set-url') set(at, second, third)
      return first === 'update' ? gitDownload(remoteOf('origin')) : []
    case 'fetch':
    case 'pull':
    case 'ls-remote':
      return gitDownload(/[:/]/.test(first) ? first : remoteOf(first === '' ? 'origin' : first))
    case 'submodule':
      return first === 'update' || first === 'add' ? gitDownload(first === 'add' ? second : undefined) : []
    default:
      return []
  }
}

function gitDownload(url: string | undefined): Download[] {
  if (url === undefined || url.startsWith(unknown)) return [{kind: 'git', url: undefined}]
  if (/^[^/:]+:(?!\/\/)/.test(url)) return [{kind: 'git', url}]
  return /^[a-z][a-z0-9+]*:\/\//.test(url) && !url.startsWith('file:') ? [{kind: 'git', url: shownUrl(url)}] : []
}

function httpDownloads({words}: ProgramCall): Download[] {
  const aside = new Set(optionValues(words, /^(-x|--proxy|-e|--referer|--preproxy|--resolve|-o|-O|--output)$/))
  const urls = words
    .map(word => word.replace(/^--url=/, ''))
    .filter(word => /^(https?|ftp):/.test(word) && !aside.has(word))
    .filter(url => !/^[a-z]+:\/\/(localhost|127\.[\d.]+)([:/]|$)/.test(url))
  if (urls.length > 0) return urls.map(url => ({kind: 'http', url: shownUrl(url)}))
  return operands(words).some(word => word.includes(unknown)) ? [{kind: 'http', url: undefined}] : []
}

function pipDownloads({words, variable}: ProgramCall): Download[] {
  const [command = ''] = operands(words)
  if (!/^(install|download|wheel)$/.test(command) || words.includes('--no-index')) return []
  const [index = variable('PIP_INDEX_URL')] = optionValues(words, /^(-i|--index-url)$/)
  return [{kind: 'pip', url: shownUrl(index ?? 'https://pypi.org/simple/')}]
}

function gemDownloads(words: readonly string[]): Download[] {
  const [command = ''] = operands(words)
  if (!/^(install|update|fetch)$/.test(command) || words.some(word => /^(-l|--local)$/.test(word))) return []
  const [source = 'https://rubygems.org/'] = optionValues(words, /^(-s|--source)$/)
  return [{kind: 'gem', url: shownUrl(source)}]
}
