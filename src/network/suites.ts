import {parseImageReference} from './images.js'

// Tags name releases by number, archives by name (debian.org/releases, releases.ubuntu.com).
const debian: Readonly<Record<string, string>> = {
  8: 'jessie',
  9: 'stretch',
  10: 'buster',
  11: 'bullseye',
  12: 'bookworm',
  13: 'trixie',
  14: 'forky'
}
const ubuntu: Readonly<Record<string, string>> = {
  '14.04': 'trusty',
  '16.04': 'xenial',
  '18.04': 'bionic',
  '20.04': 'focal',
  '22.04': 'jammy',
  '24.04': 'noble',
  '24.10': 'oracular',
  '25.04': 'plucky',
  '25.10': 'questing'
}

/**
 * The suites of an apt archive that the packages of these images come from, as far as their tags tell
 * (`golang:1.24.9-bookworm`). `path` is the archive's path: `/debian`, `/debian-security`, `/ubuntu`.
 */
export function aptSuites(path: string, images: readonly string[]): readonly string[] {
  const [distribution, releases] = path.includes('ubuntu') ? ['ubuntu', ubuntu] : ['debian', debian]
  const names = images.flatMap(image => {
    const {repository, tag = ''} = parseImageReference(image)
    const ofDistribution = repository.endsWith(`/${distribution}`)
    return tag.split('-').flatMap(part => {
      if (Object.values(releases).includes(part)) return [part]
      const byNumber = ofDistribution ? releases[part] : undefined
      return byNumber === undefined ? [] : [byNumber]
    })
  })
  const suites = [...new Set(names)]
  return path.includes('debian-security') ? suites.map(securitySuite) : suites
}

/**
 * The indexes of Alpine's packages that these images use (`alpine:3.22`, `golang:1.25-alpine3.22`), below `base`: one of
 * them is on every mirror, for a mirror may have packages of one architecture only.
 */
export function alpineIndexes(base: string, images: readonly string[]): readonly string[] {
  const versions = images.flatMap(image => {
    const {repository, tag = ''} = parseImageReference(image)
    const [, version] = (repository.endsWith('/alpine') ? /^(\d+\.\d+)/ : /(?:^|-)alpine(\d+\.\d+)/).exec(tag) ?? []
    return version === undefined ? [] : [`v${version}`]
  })
  const branch = versions[0] ?? 'latest-stable'
  return ['x86_64', 'aarch64'].map(architecture => `${base}/${branch}/main/${architecture}/APKINDEX.tar.gz`)
}

// Since bullseye the suite has a name of its own (debian.org/releases/bullseye/amd64/release-notes).
function securitySuite(suite: string): string {
  return ['jessie', 'stretch', 'buster'].includes(suite) ? `${suite}/updates` : `${suite}-security`
}
