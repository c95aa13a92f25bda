import {describe, expect, it} from '@jest/globals'
import {createBuilder} from '../../../src/build/builder.js'
import {chooseBuilder} from '../../../src/engine/choose-builder.js'
import {StepError} from '../../../src/errors.js'
import type {ProxySettings} from '../../../src/network/proxy.js'
import type {ReachableMirror} from '../../../src/network/survey-mirrors.js'
import {inputsWith} from '../../support/inputs.js'
import {memoryCommands, memoryFiles, memoryLog, type Answer} from '../../support/memory.js'
import {engineWith} from '../../support/plan.js'

interface Case {
  readonly mirrors?: readonly ReachableMirror[]
  readonly proxies?: ProxySettings
  readonly answer?: Answer
  readonly exportsCaches?: boolean
}

async function create({mirrors = [], proxies = {}, answer = {}, exportsCaches = false}: Case) {
  const planned = chooseBuilder(inputsWith(), engineWith({builder: {exportsCaches}}), mirrors, 'a1b2')
  const [commands, files, log] = [memoryCommands(() => answer), memoryFiles(), memoryLog()]
  await createBuilder(planned, proxies, '/run', {PATH: '/bin'}, {commands, files, log})
  return {argv: commands.ran.map(({argv}) => argv), files, ran: commands.ran}
}

describe('createBuilder', () => {
  it('does nothing for a builder that exists', async () => {
    expect((await create({exportsCaches: true})).argv).toEqual([])
  })

  it('creates and starts one, in the environment for docker', async () => {
    const {ran} = await create({})
    expect(ran[0]?.argv).toEqual([
      'docker',
      'buildx',
      'create',
      '--name=build-moby-a1b2',
      '--driver=docker-container',
      '--bootstrap',
      '--driver-opt',
      'image=moby/buildkit:buildx-stable-1'
    ])
    expect(ran[0]?.options.environment).toEqual({PATH: '/bin'})
  })

  it('tells it which mirrors speak plain HTTP, and shares the network with them', async () => {
    const mirror = {registry: 'docker.io', host: '127.0.0.1:5000', path: '', scheme: 'http'} as const
    const {argv, files} = await create({mirrors: [mirror]})
    expect(argv[0]).toContain('network=host')
    expect(argv[0]).toContain('--buildkitd-config=/run/buildkitd.toml')
    expect(files.texts.get('/run/buildkitd.toml')).toContain('[registry."127.0.0.1:5000"]')
  })

  it('gives it the proxies in both spellings, lists as one field of a record', async () => {
    const {argv} = await create({proxies: {https: 'http://me:pass@proxy:1', none: 'a,b'}})
    expect(argv[0]?.filter(word => word.includes('env.'))).toEqual([
      'env.https_proxy=http://me:pass@proxy:1',
      'env.HTTPS_PROXY=http://me:pass@proxy:1',
      '"env.no_proxy=a,b"',
      '"env.NO_PROXY=a,b"'
    ])
  })

  it('fails with what docker said, without credentials, and with the inputs that help', async () => {
    const answer = {exitCode: 1, stderr: 'pulling\nERROR: bad option env.http_proxy=http://me:s3cret@proxy:1\n'}
    const failing = create({answer, proxies: {http: 'http://me:s3cret@proxy:1'}})
    await expect(failing).rejects.toThrow(StepError)
    await expect(failing).rejects.toThrow(
      /exited with 1:\npulling\nERROR: bad option .*\*\*\*@proxy:1\n.*'buildkit-image'/
    )
    await expect(failing).rejects.not.toThrow(/s3cret/)
  })
})
