import {join} from 'node:path'
import type {PlannedBuilder} from '../engine/choose-builder.js'
import {StepError} from '../errors.js'
import type {Network} from '../network/network.js'
import {proxyEnvironment} from '../network/proxy.js'
import {secretsIn} from '../network/url.js'
import type {Commands, Files, Log} from '../ports.js'

export interface BuilderPorts {
  readonly commands: Commands
  readonly files: Files
  readonly log: Log
  readonly pause: (milliseconds: number) => Promise<void>
}

/**
 * Creates and starts the planned builder, with the proxies in its environment and the network's certificates among those
 * that it trusts. A start that fails is tried again, as often as `retries` says: it pulls an image. The caller has recorded
 * the builder's name for removal before.
 *
 * @throws StepError when it does not start, with what docker said.
 */
export async function createBuilder(
  {name, driver, creation}: PlannedBuilder,
  network: Network,
  retries: number,
  workDirectory: string,
  environment: Readonly<Record<string, string>>,
  ports: BuilderPorts
): Promise<void> {
  if (creation === undefined) return
  const {files, log, pause} = ports
  const configurationFile = join(workDirectory, 'buildkitd.toml')
  if (creation.configuration !== undefined) await files.write(configurationFile, creation.configuration)
  const options = [
    `image=${creation.image}`,
    ...(creation.hostNetwork ? ['network=host'] : []),
    ...Object.entries(proxyEnvironment(network.proxies)).map(([variable, value]) => `env.${variable}=${value}`)
  ]
  const create = [
    ...['docker', 'buildx', 'create', `--name=${name}`, `--driver=${driver}`],
    ...options.flatMap(option => ['--driver-opt', quoteField(option)]),
    ...(creation.configuration === undefined ? [] : [`--buildkitd-config=${configurationFile}`])
  ]
  // `create --bootstrap` cannot be repeated: the builder is there although it does not run.
  const start = ['docker', 'buildx', 'inspect', '--bootstrap', name]
  const advice = `Its image is ${creation.image}: 'buildkit-image' names another one, 'registry-mirrors' another way to it, and 'builder' a builder that exists already.`
  const proxies = [network.proxies.http, network.proxies.https]
  const secrets = proxies.flatMap(proxy => secretsIn(proxy ?? ''))
  const created = await run(create, environment, secrets, ports)
  if (created !== undefined)
    throw new StepError('create the builder', `docker buildx create failed:\n${created}\n${advice}`)
  for (let attempts = 1; ; attempts++) {
    const failure = await run(start, environment, secrets, ports)
    if (failure === undefined) break
    if (attempts > retries || lasting.test(failure)) {
      const tried = attempts === 1 ? '' : ` (after ${attempts} attempts)`
      throw new StepError('create the builder', `it does not start${tried}:\n${failure}\n${advice}`)
    }
    const seconds = 5 * 2 ** (attempts - 1)
    log.warning(`The builder did not start: ${failure}. Next attempt in ${seconds} s (${attempts} of ${retries}).`)
    await pause(seconds * 1000)
  }
  if (network.certificates !== undefined) {
    await trustCertificates(name, network.certificates, workDirectory, environment, ports)
  }
}

// What a registry says of an image that will not be there in a minute either.
const lasting = /\bnot found\b|manifest unknown|unauthorized|\bdenied\b/i

/** Runs docker, which also shows the options of a builder. Returns what it said at last if it failed, without the secrets. */
async function run(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
  secrets: readonly string[],
  {commands, log}: BuilderPorts
): Promise<string | undefined> {
  const output: string[] = []
  const exitCode = await commands.stream(argv, {
    environment,
    onLine: line => {
      const shown = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), line)
      output.push(shown)
      log.debug(shown)
    }
  })
  if (exitCode === 0) return undefined
  const error = output.findLastIndex(line => line.startsWith('ERROR: '))
  return output.slice(error < 0 ? -5 : error).join('\n')
}

/** Where BuildKit and its git look for certificates, in its images of Alpine and Ubuntu alike. */
const bundle = '/etc/ssl/certs/ca-certificates.crt'

/**
 * Adds the certificates to the bundle in the builder's container. Nothing else serves registries, ADD of files and ADD of
 * repositories alike: BuildKit runs git without its own environment and git's configuration (moby/buildkit
 * util/gitutil/git_cli.go), and `ca` in buildkitd.toml is for registries. Go reads the bundle at the first connection.
 */
async function trustCertificates(
  builder: string,
  certificates: string,
  workDirectory: string,
  environment: Readonly<Record<string, string>>,
  {commands, files}: BuilderPorts
): Promise<void> {
  // buildx's name for the container of a builder's first node (docker/buildx driver/docker-container).
  const inContainer = `buildx_buildkit_${builder}0:${bundle}`
  const copy = join(workDirectory, 'builder-certificates.crt')
  const cp = async (...words: string[]) => {
    const {exitCode, stdout, stderr} = await commands.capture(['docker', 'cp', ...words], {environment})
    if (exitCode === 0) return
    throw new StepError(
      'create the builder',
      `'ca-certificates' cannot be added to its certificates: docker cp exited with ${exitCode}: ${`${stderr}${stdout}`.trim()}. Name an image that has ${bundle} with 'buildkit-image'.`
    )
  }
  await cp('--follow-link', inContainer, copy)
  await files.write(copy, `${(await files.readText(copy)) ?? ''}\n${certificates}`)
  await cp(copy, inContainer)
}

// Driver options are fields of a CSV record; a comma, as in no_proxy, must be quoted (docker/buildx#1380).
function quoteField(option: string): string {
  return /[",]/.test(option) ? `"${option.replaceAll('"', '""')}"` : option
}
