import {operands, type Download, type StepSurroundings} from './download.js'
import type {ProgramCall} from './script-frame.js'
import {unknown} from './shell-words.js'

/**
 * What `go` downloads. Modules come from the first site of `GOPROXY`. The checksum database is asked for what no `go.sum`
 * has, which is for `go install module@version` and `go get`, and not for a build in a clone (go.dev/ref/mod).
 */
export function goDownloads(call: ProgramCall, step: StepSurroundings): Download[] {
  const [command = '', ...words] = call.words.filter(word => !/^-(C$|C=)/.test(word))
  const named = operands(words)
  const versioned = named.filter(name => /^[^./][^@]*@./.test(name))
  const modules = usesModules(call, step)
  switch (command) {
    case 'install':
    case 'run':
    case 'get':
      if (versioned.length > 0) return versioned.flatMap(name => withSumdb(call, moduleUrl(name)))
      if (command !== 'get') return buildDownloads(call, step, modules)
      return modules ? withSumdb(call, '') : named.map(legacyDownload)
    case 'mod':
      return modules && /^(download|tidy|vendor|verify|graph)$/.test(named[0] ?? '') ? fromProxy(call, '') : []
    case 'build':
    case 'test':
    case 'vet':
    case 'list':
    case 'generate':
      return buildDownloads(call, step, modules)
    default:
      return []
  }
}

/**
 * A build downloads modules that are not vendored. The trees themselves are, and so are the clones that they build without
 * a module cache; a clone built with a cache for modules, or with `GO111MODULE=on`, is not (rootlesskit in moby's
 * Dockerfile@v28.5.2, go-winres@docker-v29.4.1).
 */
function buildDownloads(call: ProgramCall, step: StepSurroundings, modules: boolean): Download[] {
  const vendored = [...call.words, ...(call.variable('GOFLAGS') ?? '').split(/\s+/)].includes('-mod=vendor')
  const expected = step.keepsModules || call.variable('GO111MODULE') === 'on'
  return modules && expected && !vendored && !step.isTree(call.directory) ? fromProxy(call, '') : []
}

/** Modules are the default since Go 1.16; before it, and in images that come without Go, they have to be asked for. */
function usesModules({variable}: ProgramCall, {baseImage}: StepSurroundings): boolean {
  const mode = variable('GO111MODULE') ?? ''
  if (mode === 'on' || mode === 'off') return mode === 'on'
  const [, minor] = /(?:^|\/)golang:1\.(\d+)/.exec(baseImage) ?? []
  return minor === undefined ? /(^|\/)golang([:@]|$)/.test(baseImage) : Number(minor) >= 16
}

function withSumdb(call: ProgramCall, path: string): Download[] {
  const fetched = fromProxy(call, path)
  const database = call.variable('GOSUMDB') ?? ''
  if (fetched.length === 0 || database === 'off') return fetched
  const [name = '', site = `https://${name.replace(/\+.*$/, '')}/`] = (
    database === '' ? 'sum.golang.org' : database
  ).split(/\s+/)
  return [...fetched, {kind: 'sumdb', url: site}]
}

function fromProxy({variable}: ProgramCall, path: string): Download[] {
  const [site = ''] = (variable('GOPROXY') ?? '').split(/[,|]/)
  if (site === 'off') return []
  if (site === 'direct' || site.includes(unknown)) return [{kind: 'git', url: undefined}]
  const origin = site === '' ? 'https://proxy.golang.org' : site.replace(/\/+$/, '').replace(/^(\w+:\/\/)[^/@]*@/, '$1')
  return [{kind: 'go', url: `${origin}/${path}`}]
}

/**
 * Where the proxy has the version of a module. Only of what is on github.com is it known which part of a package's path is
 * the module's. Capitals are escaped (go.dev/ref/mod, GOPROXY protocol).
 */
function moduleUrl(name: string): string {
  const [path = '', version = ''] = name.split('@')
  const [module] = /^github\.com\/[^/]+\/[^/]+(\/v\d+(?=\/|$))?/.exec(path) ?? []
  if (module === undefined || module.includes(unknown) || version.includes(unknown)) return ''
  const escaped = (text: string) => text.replace(/[A-Z]/g, letter => `!${letter.toLowerCase()}`)
  return version === 'latest' ? `${escaped(module)}/@latest` : `${escaped(module)}/@v/${escaped(version)}.info`
}

/** Before modules, `go get` clones what it finds at the import path. */
function legacyDownload(path: string): Download {
  const [repository] = /^github\.com\/[^/]+\/[^/]+/.exec(path) ?? []
  if (repository !== undefined && !repository.includes(unknown)) return {kind: 'git', url: `https://${repository}`}
  const isRemote = /^[\w-]+(\.[\w-]+)+\//.test(path) && !path.includes(unknown)
  return isRemote ? {kind: 'http', url: `https://${path}?go-get=1`} : {kind: 'git', url: undefined}
}
