import {describe, expect, it} from '@jest/globals'
import {moduleText, stampOfModuleText, stampOfVersionOutput} from '../../../src/bundles/build-info.js'
import {goBuildInfo, ldflags, moduleTextWith} from '../../support/go-program.js'

describe('moduleText', () => {
  it('is what lies between the markers', () => {
    const text = moduleTextWith(undefined)
    expect(moduleText(Buffer.concat([goBuildInfo(text), Buffer.from('and more')]))).toBe(text)
  })

  it('can be as long as that of hundreds of modules', () => {
    const text = 'dep\tgithub.com/some/module\tv1.2.3\t\n'.repeat(1000)
    expect(moduleText(goBuildInfo(text))).toBe(text)
  })

  const whole = goBuildInfo(moduleTextWith(undefined))
  it.each([
    ['cut off', whole.subarray(0, -1)],
    ['cut off in its header', whole.subarray(0, 20)],
    ['by a Go older than 1.18, which keeps pointers', Buffer.from(whole).fill(0, 15, 16)],
    ['only the magic', Buffer.concat([whole.subarray(0, 16), Buffer.alloc(200, 0xff)])],
    ['of no Go version', goBuildInfo(moduleTextWith(undefined), 'rubbish')]
  ])('is undefined when the build information is %s', (_how, bytes) => {
    expect(moduleText(bytes)).toBeUndefined()
  })
})

describe('stampOfModuleText', () => {
  it.each([
    'github.com/docker/docker/dockerversion',
    'github.com/moby/moby/dockerversion',
    'github.com/moby/moby/v2/dockerversion',
    'github.com/docker/cli/cli/version'
  ])('reads the linker flags for %s', module => {
    const text = moduleTextWith(ldflags(module, '28.5.2', '89c5e8f'))
    expect(stampOfModuleText(text)).toEqual({version: '28.5.2', commit: '89c5e8f'})
  })

  it('takes the last of several values, as the linker does', () => {
    const module = 'github.com/docker/docker/dockerversion'
    const text = moduleTextWith(`${ldflags(module, 'dev', 'HEAD')} ${ldflags(module, '28.5.2', '89c5e8f')}`)
    expect(stampOfModuleText(text)).toEqual({version: '28.5.2', commit: '89c5e8f'})
  })

  it.each([
    ['-X=github.com/docker/cli/cli/version.Version=1.0 -X=github.com/docker/cli/cli/version.GitCommit=abcdef0'],
    ['`-X github.com/docker/cli/cli/version.Version=1.0 -X "github.com/docker/cli/cli/version.GitCommit=abcdef0"`'],
    [
      String.raw`"-X\tgithub.com/docker/cli/cli/version.Version=1.0\n-X\x20github.com/docker/cli/cli/version.GitCommit=abcdef0"`
    ]
  ])('understands the quoting of %s', value => {
    expect(stampOfModuleText(`build\t-ldflags=${value}\n`)).toEqual({version: '1.0', commit: 'abcdef0'})
  })

  it.each([
    ['no linker flags', moduleTextWith(undefined)],
    ['no stamp in them', moduleTextWith('-w -s')],
    ['a version only', moduleTextWith('-X github.com/docker/docker/dockerversion.Version=1.0')],
    [
      'the stamp of another module',
      moduleTextWith(ldflags('github.com/containerd/containerd/version', '1.0', 'abcdef0'))
    ]
  ])('is undefined for %s', (_what, text) => {
    expect(stampOfModuleText(text)).toBeUndefined()
  })
})

describe('stampOfVersionOutput', () => {
  it.each([
    ['Docker version 28.5.2, build 89c5e8f\n', {version: '28.5.2', commit: '89c5e8f'}],
    ['Docker version 17.06.2-ce, build cec0b72', {version: '17.06.2-ce', commit: 'cec0b72'}],
    ['a warning\nDocker version dev, build HEAD\n', {version: 'dev', commit: 'HEAD'}],
    ['Docker version 28.5.2', undefined],
    ['', undefined]
  ])('reads %j', (text, stamp) => {
    expect(stampOfVersionOutput(text)).toEqual(stamp)
  })
})
