import {join} from 'node:path'
import type {PlannedBuilder} from '../engine/choose-builder.js'
import {StepError} from '../errors.js'
import {proxyEnvironment, type ProxySettings} from '../network/proxy.js'
import {secretsIn} from '../network/url.js'
import type {Commands, Files, Log} from '../ports.js'

/**
 * Creates and starts the planned builder, with the proxies in its environment. The caller has recorded its name for
 * removal before.
 *
 * @throws StepError when it does not start, with what docker said.
 */
export async function createBuilder(
  {name, driver, creation}: PlannedBuilder,
  proxies: ProxySettings,
  workDirectory: string,
  environment: Readonly<Record<string, string>>,
  {commands, files, log}: {readonly commands: Commands; readonly files: Files; readonly log: Log}
): Promise<void> {
  if (creation === undefined) return
  const configurationFile = join(workDirectory, 'buildkitd.toml')
  if (creation.configuration !== undefined) await files.write(configurationFile, creation.configuration)
  const options = [
    `image=${creation.image}`,
    ...(creation.hostNetwork ? ['network=host'] : []),
    ...Object.entries(proxyEnvironment(proxies)).map(([variable, value]) => `env.${variable}=${value}`)
  ]
  const output: string[] = []
  const exitCode = await commands.stream(
    [
      'docker',
      'buildx',
      'create',
      `--name=${name}`,
      `--driver=${driver}`,
      '--bootstrap',
      ...options.flatMap(option => ['--driver-opt', quoteField(option)]),
      ...(creation.configuration === undefined ? [] : [`--buildkitd-config=${configurationFile}`])
    ],
    {
      environment,
      onLine: line => {
        output.push(line)
        log.debug(line)
      }
    }
  )
  if (exitCode === 0) return
  const secrets = [proxies.http, proxies.https].flatMap(proxy => secretsIn(proxy ?? ''))
  const said = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), output.slice(-5).join('\n'))
  throw new StepError(
    'create the builder',
    `docker buildx create exited with ${exitCode}:\n${said}\nIts image is ${creation.image}: 'buildkit-image' names another one, 'registry-mirrors' another way to it, and 'builder' a builder that exists already.`
  )
}

// Driver options are fields of a CSV record; a comma, as in no_proxy, must be quoted (docker/buildx#1380).
function quoteField(option: string): string {
  return /[",]/.test(option) ? `"${option.replaceAll('"', '""')}"` : option
}
