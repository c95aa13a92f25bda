import {describe, expect, it} from '@jest/globals'
import {parseDockerfile} from '../../../src/recipes/dockerfile.js'
import {externalSources} from '../../../src/recipes/external-sources.js'

const native = {arguments: {}, buildPlatform: 'linux/amd64', targetPlatforms: ['linux/amd64']}

/** Downloads of these instructions on an image as `kind url`. */
function downloads(instructions: readonly string[], image = 'golang:1.24-bookworm') {
  const dockerfile = parseDockerfile([`FROM ${image} AS target`, ...instructions].join('\n'))
  return externalSources(dockerfile, 'target', native, {}).steps.map(({kind, url}) => `${kind} ${url}`)
}
const run = (step: string, image?: string) => downloads([`RUN ${step}`], image)

const debian = ['apt http://*/debian', 'apt http://*/debian-security']
const modules = 'go https://proxy.golang.org/'
const sums = 'sumdb https://sum.golang.org/'

describe('packages', () => {
  it.each([
    ['apt-get update && apt-get install -y gcc', 'debian', debian],
    ['xx-apt-get install --no-install-recommends -y gcc', 'golang:1.24-bookworm', debian],
    ['apt-get -qq -o Acquire::Retries=3 update', 'debian:jessie', debian],
    ['DEBIAN_FRONTEND=noninteractive apt-get update', 'ubuntu:14.04', ['apt http://*/ubuntu']],
    ['apt-get update', 'mirror.example/library/ubuntu:24.04', ['apt http://*/ubuntu']],
    ['apt-get clean && rm -rf /var/lib/apt/lists/*', 'debian', []],
    ['apk add --no-cache bash', 'golang:1.24-alpine', ['apk https://dl-cdn.alpinelinux.org/alpine']],
    ['xx-apk add gcc', 'golang:1.24-alpine', ['apk https://dl-cdn.alpinelinux.org/alpine']],
    ['apk info', 'golang:1.24-alpine', []],
    ['pip install yamllint==1.5', 'debian', ['pip https://pypi.org/simple/']],
    ['python3 -m pip install -r requirements.txt', 'debian', ['pip https://pypi.org/simple/']],
    ['pip3 install -i https://u:p@index.example/simple x', 'debian', ['pip https://index.example/simple']],
    ['pip install --no-index ./x', 'debian', []],
    ['pip --version', 'debian', []],
    ['gem install --no-rdoc fpm --version 1.3.2', 'debian', ['gem https://rubygems.org/']],
    ['gem install --local fpm.gem', 'debian', []]
  ])('of the step %j on %s are %j', (step, image, expected) => {
    expect(run(step, image)).toEqual(expected)
  })

  it('come from sources that an earlier step added, too', () => {
    const add = 'RUN echo "deb [trusted=yes] http://llvm.example/apt/ trusty main" > /etc/apt/sources.list.d/llvm.list'
    expect(downloads([add])).toEqual([])
    expect(downloads([add, 'RUN apt-get update'])).toEqual([...debian, 'apt http://llvm.example/apt'])
  })
})

describe('git', () => {
  it.each([
    ['git clone --depth 1 -b v1 https://github.com/a/b.git "$GOPATH/src/b"', ['git https://github.com/a/b.git']],
    ['git clone https://token@github.com/a/b', ['git https://github.com/a/b']],
    ['git clone git://github.com/a/b.git', ['git git://github.com/a/b.git']],
    ['git clone git@github.com:a/b.git', ['git git@github.com:a/b.git']],
    ['git -C /src fetch -q --depth 1 https://github.com/a/b.git v1', ['git https://github.com/a/b.git']],
    ['git ls-remote https://github.com/a/b.git', ['git https://github.com/a/b.git']],
    ['git clone /mnt/b.git', []],
    ['git init . && git remote add origin https://github.com/a/b.git', []],
    ['git config --global url.https://x/.insteadOf https://github.com/', []],
    ['cd /src && git checkout -q FETCH_HEAD', []]
  ])('downloads for %j: %j', (step, expected) => {
    expect(run(step)).toEqual(expected)
  })

  it('fetches from the remote that an earlier step of the stage added there', () => {
    const steps = [
      'WORKDIR /usr/src/tini',
      'RUN git init . && git remote add origin "https://github.com/krallin/tini.git"',
      'ARG TINI_VERSION=v0.19.0',
      'RUN git fetch -q --depth 1 origin "${TINI_VERSION}" +refs/tags/*:refs/tags/*'
    ]
    const dockerfile = parseDockerfile(['FROM debian AS target', ...steps].join('\n'))
    const {steps: found, quietSteps} = externalSources(dockerfile, 'target', native, {})
    expect(found.map(({kind, url, line}) => [kind, url, line])).toEqual([
      ['git', 'https://github.com/krallin/tini.git', 5]
    ])
    expect(quietSteps).toEqual([3])
  })
})

describe('go', () => {
  const winres = 'https://proxy.golang.org/github.com/tc-hib/go-winres/@v/v0.3.1.info'
  it.each([
    ['go install "github.com/tc-hib/go-winres@v0.3.1"', [`go ${winres}`, sums]],
    ['GO111MODULE=on go get github.com/tc-hib/go-winres@v0.3.1', [`go ${winres}`, sums]],
    ['go install github.com/a/b/v2/cmd/c@latest', ['go https://proxy.golang.org/github.com/a/b/v2/@latest', sums]],
    ['go install github.com/BurntSushi/toml@v1', [`${modules}github.com/!burnt!sushi/toml/@v/v1.info`, sums]],
    ['go install gotest.tools/gotestsum@v1.12.3', [modules, sums]],
    ['GOPROXY=https://goproxy.example,direct go install a.example/b@v1', ['go https://goproxy.example/', sums]],
    ['GOSUMDB=off go install a.example/b@v1', [modules]],
    ['GOSUMDB=sum.example go install a.example/b@v1', [modules, 'sumdb https://sum.example/']],
    ['go mod download', [modules]],
    ['GO111MODULE=off go get -d github.com/a/b/c', ['git https://github.com/a/b']],
    ['GO111MODULE=off go get -d golang.org/x/tools/cmd/cover', ['http https://golang.org/x/tools/cmd/cover?go-get=1']],
    ['go build ./cmd/b', []],
    ['go telemetry off && go env GOOS && xx-go --wrap', []]
  ])('downloads for %j: %j', (step, expected) => {
    expect(run(step)).toEqual(expected)
  })

  const cached = '--mount=type=cache,target=/go/pkg/mod '
  it.each([
    ['with a cache for modules', [`RUN ${cached}xx-go build ./cmd/rootlesskit`], [modules]],
    ['with modules switched on', ['ENV GO111MODULE=on', 'RUN xx-go build ./cmd/rootlesskit'], [modules]],
    ['of a package in the current directory', [`RUN ${cached}cd /src && go install .`], [modules]],
    ['with modules switched off', ['ENV GO111MODULE=off', `RUN ${cached}xx-go build ./cmd/swagger`], []],
    ['that is vendored', [`RUN ${cached}go build -mod=vendor .`], []],
    ['of the tree itself', ['ENV GO111MODULE=on', 'RUN --mount=type=bind,target=. go build ./cmd/dockerd'], []],
    ['by make, as containerd and runc are', ['RUN --mount=from=containerd-src,src=/src,rw make binaries'], []]
  ])('builds a clone %s', (_how, steps, expected) => {
    expect(downloads(steps)).toEqual(expected)
  })

  it('had no modules before they were the default', () => {
    expect(run('go get -d github.com/a/b', 'golang:1.11.13-stretch')).toEqual(['git https://github.com/a/b'])
    expect(run('go get -d github.com/a/b', 'golang:1.16')).toEqual([modules, sums])
  })
})

describe('curl and wget', () => {
  it.each([
    ['curl -fsSL "https://x.example/a.tgz" | tar -xz', ['http https://x.example/a.tgz']],
    ['wget -q -O a https://x.example/a', ['http https://x.example/a']],
    ['curl --url=https://user:secret@x.example/a', ['http https://x.example/a']],
    ['curl -x http://proxy.example:3128 -e https://y.example/ https://x.example/a', ['http https://x.example/a']],
    ['curl -s http://localhost:5000/v2/', []],
    ['curl --version', []],
    ['--network=none curl https://x.example/a || true', []],
    ['if curl --head "https://x.example/$(uname -m)/a"; then true; fi', ['http https://x.example/']],
    ['curl "https://x.example/token?service=y&scope=$(cat z)"', ['http https://x.example/token']],
    ['apt-key adv --keyserver hkp://keys.example:80 --recv-keys A', ['http http://keys.example:80/']],
    ['apt-key adv --keyserver keys.example --recv-keys A', ['http http://keys.example:11371/']],
    ['apt-key add /key', []]
  ])('download for %j: %j', (step, expected) => {
    expect(run(step)).toEqual(expected)
  })

  it('say nothing of an address that only the running step knows, and are heard all the same', () => {
    const text = 'FROM debian AS target\nRUN curl "$(cat address)"'
    expect(externalSources(parseDockerfile(text), 'target', native, {})).toMatchObject({
      images: [{downloads: true}],
      steps: [],
      quietSteps: []
    })
  })
})

describe('the linkers of tonistiigi/xx', () => {
  const linker = 'https://github.com/tonistiigi/xx/releases/download/'
  const foreign = (targetPlatform: string, ...instructions: string[]) => {
    const dockerfile = parseDockerfile(['FROM golang:1.24 AS target', ...instructions].join('\n'))
    const variables = {...native, targetPlatforms: [targetPlatform]}
    return externalSources(dockerfile, 'target', variables, {}).steps.filter(({kind}) => kind === 'http')
  }
  const clang = 'RUN apk add --no-cache clang lld'
  const build = 'RUN xx-go --wrap && go build'

  it.each([
    ['linux/s390x', [clang, build]],
    ['linux/riscv64', [clang, build]],
    ['darwin/arm64', [clang, build]],
    ['linux/arm64', [clang, 'RUN XX_CC_PREFER_LINKER=ld xx-clang --setup-target-triple']]
  ])('are downloaded for %s by clang: %j', (platform, steps) => {
    expect(foreign(platform, ...steps).map(({url}) => url)).toEqual([linker])
  })

  it.each([
    ['linux/amd64', [clang, build]],
    ['linux/arm64', [clang, build]],
    ['linux/s390x', [build]],
    ['linux/s390x', ['RUN apt-get install clang', 'RUN xx-apt-get install -y gcc', build]]
  ])('are not downloaded for %s: %j', (platform, steps) => {
    expect(foreign(platform, ...steps)).toEqual([])
  })
})
