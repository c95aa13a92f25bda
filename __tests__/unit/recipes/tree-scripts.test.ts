import {describe, expect, it} from '@jest/globals'
import {parseDockerfile} from '../../../src/recipes/dockerfile.js'
import {externalSources} from '../../../src/recipes/external-sources.js'
import {isScript, type Tree} from '../../../src/recipes/recipe.js'

const lines = (...text: string[]) => text.join('\n')

/** What the steps of a Dockerfile download as `file:line url`. */
function downloads(instructions: readonly string[], tree: Tree) {
  const dockerfile = parseDockerfile(lines('FROM golang:1.24 AS target', ...instructions))
  const variables = {arguments: {}, buildPlatform: 'linux/amd64', targetPlatforms: ['linux/amd64']}
  return externalSources(dockerfile, 'target', variables, tree).steps.map(
    ({file, line, url}) => `${file}:${line} ${url}`
  )
}

describe('a script of the tree', () => {
  const tree = {'hack/get.sh': lines('#!/bin/sh', 'curl -o a https://x.example/a')}
  it.each([
    ['copied to a directory', ['COPY hack/get.sh /', 'RUN /get.sh']],
    ['copied to a file', ['COPY hack/get.sh /usr/bin/fetch', 'RUN /usr/bin/fetch']],
    ['copied beside others', ['WORKDIR /x', 'COPY a hack/get.sh ./', 'RUN ./get.sh']],
    ['copied with its directory', ['COPY hack /tmp/hack', 'RUN sh -e /tmp/hack/get.sh']],
    ['copied with all of the tree', ['WORKDIR /src', 'COPY . .', 'RUN hack/get.sh']],
    ['added', ['ADD hack/get.sh /get', 'RUN ["/get"]']],
    ['behind a test', ['ADD hack/get.sh /get', 'RUN [ -f /get ] && /get']],
    ['mounted as a file', ['RUN --mount=source=hack/get.sh,target=/get.sh /get.sh a']],
    ['mounted as a directory', ['RUN --mount=type=bind,src=hack,target=/tmp/hack /tmp/hack/get.sh']],
    ['mounted with all of the tree', ['WORKDIR /src', 'RUN --mount=type=bind,target=.,rw FLAG=1 ./hack/get.sh']],
    ['after a change of directory', ['COPY . /src', 'RUN cd /src/hack && ./get.sh']],
    ['in a here-document', ['COPY . /src', 'RUN <<EOT', 'set -e', 'if true; then bash /src/hack/get.sh; fi', 'EOT']]
  ])('is followed when it was %s', (_how, steps) => {
    expect(downloads(steps, tree)).toEqual(['hack/get.sh:2 https://x.example/a'])
  })

  it.each([
    ['is of another stage', ['COPY --from=other hack/get.sh /', 'RUN /get.sh']],
    ['is not called', ['COPY hack/get.sh /', 'RUN chmod +x /get.sh && cat /get.sh']],
    ['came from a mount that is gone', ['RUN --mount=source=hack/get.sh,target=/get.sh true', 'RUN /get.sh']]
  ])('is not followed when it %s', (_why, steps) => {
    expect(downloads(steps, tree)).toEqual([])
  })

  it('is followed in a stage that is built on the one it was copied to', () => {
    const text = lines('FROM one AS base', 'COPY . /src', 'WORKDIR /src', 'FROM base AS target', 'RUN hack/get.sh')
    const variables = {arguments: {}, buildPlatform: 'linux/amd64', targetPlatforms: ['linux/amd64']}
    const {images, steps} = externalSources(parseDockerfile(text), 'target', variables, tree)
    expect(images.map(({downloads}) => downloads)).toEqual([true])
    expect(steps).toEqual([
      {kind: 'http', url: 'https://x.example/a', file: 'hack/get.sh', line: 2, step: 5, baseImage: 'one'}
    ])
  })
})

describe('scripts of scripts', () => {
  it('get their arguments and download only what was asked for', () => {
    const tree = {
      'hack/install.sh': lines(
        '#!/bin/bash',
        'dir="$(dirname $0)"',
        'bin=$1',
        'shift',
        '. ${dir}/${bin}.installer',
        'install_${bin} "$@"'
      ),
      'hack/tini.installer': lines(
        ': ${TINI_COMMIT:=v1}',
        'install_tini() {',
        '  git clone https://x.example/tini.git',
        '}'
      ),
      'hack/proxy.installer': lines(
        'install_proxy() {',
        '  case "$1" in',
        '    "") fetch_proxy ;;',
        '    *) git clone https://x.example/other.git',
        '  esac',
        '}',
        'fetch_proxy() { git clone https://x.example/proxy.git; }',
        'unused() { git clone https://x.example/unused.git; }'
      )
    }
    const copy = [
      'WORKDIR /go',
      'COPY hack/install.sh ./install.sh',
      'COPY hack/tini.installer hack/proxy.installer ./'
    ]
    expect(downloads([...copy, 'RUN PREFIX=/build ./install.sh tini'], tree)).toEqual([
      'hack/tini.installer:3 https://x.example/tini.git'
    ])
    expect(downloads([...copy, 'ENV NAME=proxy', 'RUN ./install.sh $NAME'], tree)).toEqual([
      'hack/proxy.installer:7 https://x.example/proxy.git'
    ])
  })

  it('loop over the arguments', () => {
    const script = lines(
      'for prog in "$@"; do',
      '  case $prog in',
      '    runc|tini) git clone "https://x.example/$prog.git" ;;',
      '    proxy) git clone https://x.example/libnetwork.git ;;',
      '  esac',
      'done'
    )
    expect(downloads(['COPY . /src', 'RUN /src/hack/get.sh tini runc'], {'hack/get.sh': script})).toEqual([
      'hack/get.sh:3 https://x.example/tini.git',
      'hack/get.sh:3 https://x.example/runc.git'
    ])
  })

  it('name what all turns of a loop have in common', () => {
    const script = lines(
      'while [ $# -gt 0 ]; do',
      '  image="library/${1%%[:@]*}"',
      '  shift',
      '  token="$(curl -fsSL "https://auth.example/token?scope=$image")"',
      '  curl -H "Authorization: $token" "https://registry.example/v2/$image/manifests"',
      'done'
    )
    expect(downloads(['COPY . /src', 'RUN /src/hack/get.sh busybox debian'], {'hack/get.sh': script})).toEqual([
      'hack/get.sh:4 https://auth.example/token',
      'hack/get.sh:5 https://registry.example/v2/library/'
    ])
  })

  it('are found from their own place, and build the vendored tree without downloads', () => {
    const tree = {
      'hack/make.sh': lines(
        'export SCRIPTDIR="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"',
        'bundles=($@)',
        'for bundle in ${bundles[@]}; do source "$SCRIPTDIR/make/$bundle"; done'
      ),
      'hack/make/binary': lines(
        './hack/with-go-mod.sh go build -mod=vendor ./cmd/dockerd',
        'wget https://x.example/extra'
      ),
      'hack/with-go-mod.sh': lines('GO111MODULE=on "$@"')
    }
    const steps = ['WORKDIR /src', 'RUN --mount=type=bind,target=.,rw ./hack/make.sh binary']
    expect(downloads(steps, tree)).toEqual(['hack/make/binary:2 https://x.example/extra'])
  })

  it('that call each other, or themselves, come to an end', () => {
    const tree = {'hack/a.sh': lines('f() { f; f; ./hack/a.sh; }', 'f', 'curl https://x.example/a')}
    expect(downloads(['WORKDIR /src', 'COPY . .', 'RUN hack/a.sh'], tree)).toEqual(['hack/a.sh:3 https://x.example/a'])
  })

  it('in another language are not read as shell', () => {
    const tree = {'hack/a': lines('#!/usr/bin/env python3', 'curl https://x.example/a')}
    expect(downloads(['WORKDIR /src', 'COPY . .', 'RUN hack/a'], tree)).toEqual([])
  })
})

describe('isScript', () => {
  it.each([
    'hack/make.sh',
    'hack/make/binary',
    'hack/make/.binary',
    'hack/install/runc.installer',
    'scripts/build/.variables'
  ])('takes %s for one', path => {
    expect(isScript(path)).toBe(true)
  })
  it.each([
    'hack/README.md',
    'hack/make.ps1',
    'hack/make/.go-autogen.ps1',
    'contrib/busybox/Dockerfile',
    'contrib/a.go'
  ])('takes %s for none', path => {
    expect(isScript(path)).toBe(false)
  })
})
