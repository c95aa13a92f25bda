import {describe, expect, it} from '@jest/globals'
import {surveyEngine} from '../../../src/engine/survey-engine.js'
import {ConfigurationError} from '../../../src/errors.js'
import {
  buildxVersion,
  containerBuilder,
  daemonBuilder,
  daemonlessBuilder,
  dockerInfo,
  dockerVersion,
  noDaemon,
  noDaemonInfo,
  remoteBuilder,
  stoppedBuilder
} from '../../support/engine-answers.js'
import {memoryCommands, memoryFiles, type Answer} from '../../support/memory.js'

const healthy: Readonly<Record<string, Answer>> = {
  'docker --version': {stdout: dockerVersion},
  'docker buildx version': {stdout: buildxVersion},
  'docker info --format {{json .}}': {stdout: dockerInfo()},
  'docker buildx inspect': {stdout: daemonBuilder}
}
const withoutDaemon: Readonly<Record<string, Answer>> = {
  'docker info --format {{json .}}': {exitCode: 1, stdout: noDaemonInfo, stderr: `${noDaemon}\n`},
  'docker buildx inspect': {stdout: daemonlessBuilder}
}

const survey = (
  answers: Readonly<Record<string, Answer>> = {},
  requested?: string,
  environment: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {}
) => {
  const commands = memoryCommands(command => ({...healthy, ...answers})[command])
  return surveyEngine(requested, {commands, files: memoryFiles(files)}, environment)
}

describe('surveyEngine', () => {
  it('reads a real engine with the containerd image store', async () => {
    expect(await survey()).toEqual({
      buildx: [0, 29, 1],
      server: {
        version: '28.5.2+dfsg4',
        containerdImageStore: true,
        insecureRegistries: ['10.0.0.0/24', '127.0.0.0/8', '::1/128'],
        registryMirrors: [],
        proxies: {},
        platform: 'linux/amd64'
      },
      builder: {
        name: 'default',
        driver: 'docker',
        buildkit: [0, 25, 0],
        platforms: ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v3', 'linux/amd64/v4'],
        exportsCaches: true
      },
      clientProxies: {}
    })
  })

  it('asks with the environment it is given and no other', async () => {
    const commands = memoryCommands(command => healthy[command])
    await surveyEngine(undefined, {commands, files: memoryFiles()}, {DOCKER_HOST: 'tcp://x'})
    expect(commands.ran.map(({options}) => options.environment)).toEqual(Array(4).fill({DOCKER_HOST: 'tcp://x'}))
  })

  it('knows that the daemon’s own builder exports no caches from a graph driver', async () => {
    const info = dockerInfo({Driver: 'overlay2', DriverStatus: [['Backing Filesystem', 'extfs']]})
    const {server, builder} = await survey({'docker info --format {{json .}}': {stdout: info}})
    expect(server?.containerdImageStore).toBe(false)
    expect(builder.exportsCaches).toBe(false)
  })

  it.each([
    ['x86_64', 'linux/amd64'],
    ['aarch64', 'linux/arm64'],
    ['armv7l', 'linux/arm/v7'],
    ['s390x', 'linux/s390x']
  ])('knows the platform of a machine %s', async (Architecture, platform) => {
    const {server} = await survey({'docker info --format {{json .}}': {stdout: dockerInfo({Architecture})}})
    expect(server?.platform).toBe(platform)
  })

  it('lists the registries that the daemon reaches over plain HTTP', async () => {
    const RegistryConfig = {
      IndexConfigs: {'docker.io': {Secure: true}, 'mirror.example:5000': {Secure: false}},
      InsecureRegistryCIDRs: ['127.0.0.0/8']
    }
    const {server} = await survey({'docker info --format {{json .}}': {stdout: dockerInfo({RegistryConfig})}})
    expect(server?.insecureRegistries).toEqual(['mirror.example:5000', '127.0.0.0/8'])
  })

  it('shows the proxies and mirrors that the daemon has of its own, without credentials', async () => {
    const info = dockerInfo({
      HttpProxy: 'http://xxxxx:xxxxx@proxy.example:3128',
      HttpsProxy: 'me:s3cret@proxy.example:3129',
      NoProxy: 'localhost,.example',
      RegistryConfig: {Mirrors: ['https://me:s3cret@hub.example/', 'http://10.0.0.1:5000/']}
    })
    const {server} = await survey({'docker info --format {{json .}}': {stdout: info}})
    expect(server?.proxies).toEqual({
      http: 'http://proxy.example:3128',
      https: 'http://proxy.example:3129',
      none: 'localhost,.example'
    })
    expect(server?.registryMirrors).toEqual(['https://hub.example/', 'http://10.0.0.1:5000/'])
  })

  it("knows the proxies of the docker client's configuration", async () => {
    const configuration = '{"proxies": {"default": {"httpsProxy": "http://me:pass@proxy.example:3128"}}}'
    const facts = await survey({}, undefined, {HOME: '/home/me'}, {'/home/me/.docker/config.json': configuration})
    expect(facts.clientProxies).toEqual({https: 'http://me:pass@proxy.example:3128'})
  })

  it.each([
    [daemonBuilder.replace('v0.0.0+unknown', 'v0.25.2'), [0, 25, 2]],
    [daemonBuilder.replace('BuildKit version: ', 'Buildkit:         '), [0, 25, 0]],
    [daemonBuilder.replace(/^BuildKit version:.*\n/m, ''), [0, 25, 0]]
  ])('takes the BuildKit that is stated, else the one in the engine', async (inspected, buildkit) => {
    const {builder} = await survey({'docker buildx inspect': {stdout: inspected}})
    expect(builder.buildkit).toEqual(buildkit)
  })

  it('reads a running and a stopped builder in a container', async () => {
    const running = await survey({'docker buildx inspect made': {stdout: containerBuilder}}, 'made')
    expect(running.builder).toMatchObject({name: 'made', driver: 'docker-container', buildkit: [0, 32, 2]})
    const stopped = await survey({'docker buildx inspect made': {stdout: stoppedBuilder}}, 'made')
    expect(stopped.builder).toEqual({name: 'made', driver: 'docker-container', platforms: [], exportsCaches: true})
  })

  it('needs no daemon for a remote builder', async () => {
    const facts = await survey({...withoutDaemon, 'docker buildx inspect far': {stdout: remoteBuilder}}, 'far')
    expect(facts).toEqual({
      buildx: [0, 29, 1],
      builder: {
        name: 'far',
        driver: 'remote',
        buildkit: [0, 25, 1],
        platforms: ['linux/arm64', 'linux/amd64'],
        exportsCaches: true
      },
      clientProxies: {}
    })
  })
})

describe('surveyEngine refuses', () => {
  it.each<[string, Readonly<Record<string, Answer>>, RegExp]>([
    ['a machine without docker', {'docker --version': undefined}, /^the docker command was not found\. Install/],
    [
      'docker without buildx',
      {'docker buildx version': {exitCode: 1, stderr: 'docker: unknown command: docker buildx\n\nRun …'}},
      /^docker has no buildx plugin\. Install buildx 0\.13\.0 or newer/
    ],
    [
      'an old buildx',
      {'docker buildx version': {stdout: 'github.com/docker/buildx v0.12.1 30feaa1\n'}},
      /- buildx is 0\.12\.1, at least 0\.13\.0 is needed/
    ],
    [
      'an old engine',
      {
        'docker info --format {{json .}}': {stdout: dockerInfo({ServerVersion: '23.0.6'})},
        'docker buildx inspect': {stdout: daemonBuilder}
      },
      /- BuildKit of the builder 'default' is 0\.10\.6, at least 0\.11\.0 is needed .*Docker Engine 24/
    ],
    ['a machine without a daemon', withoutDaemon, /^the Docker daemon does not answer: Cannot connect to the Docker/],
    [
      'a builder in a container without a daemon',
      {...withoutDaemon, 'docker buildx inspect': {stdout: stoppedBuilder}},
      /^the Docker daemon does not answer: .*'builder'\.$/
    ],
    [
      'garbage for an answer',
      {'docker info --format {{json .}}': {stdout: '{'}, 'docker buildx inspect': {stdout: ''}},
      /^the Docker daemon does not answer/
    ]
  ])('%s, with the remedy', async (_what, answers, message) => {
    await expect(survey(answers)).rejects.toThrow(ConfigurationError)
    await expect(survey(answers)).rejects.toThrow(message)
  })

  it('everything that is too old in one error', async () => {
    const old = survey({
      'docker buildx version': {stdout: 'github.com/docker/buildx v0.10.0 x\n'},
      'docker buildx inspect': {stdout: daemonBuilder.replace('v0.0.0+unknown', 'v0.10.6')}
    })
    await expect(old).rejects.toThrow(/- buildx is 0\.10\.0.*\n.*- BuildKit of/)
  })

  it('a builder that buildx does not know', async () => {
    const answers = {'docker buildx inspect nosuch': {exitCode: 1, stderr: 'ERROR: no builder "nosuch" found\n'}}
    await expect(survey(answers, 'nosuch')).rejects.toThrow(
      `'builder' names nosuch, which buildx cannot inspect: ERROR: no builder "nosuch" found. See`
    )
  })

  it('a daemon elsewhere that does not answer, and says where', async () => {
    await expect(survey(withoutDaemon, undefined, {DOCKER_HOST: 'tcp://docker.example:2375'})).rejects.toThrow(
      'does not answer at DOCKER_HOST=tcp://docker.example:2375:'
    )
  })
})
