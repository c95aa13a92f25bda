import {join} from 'node:path'
import {isProxyUrl, proxySettings, proxyUrl, type ProxySettings} from '../network/proxy.js'
import type {Commands, Files} from '../ports.js'
import {objectOf, parseObject, textOf} from './json.js'

/**
 * The proxies in the configuration of the docker client: those of the daemon it talks to, else the `default` ones. buildx
 * gives them to build steps, and to nobody else (docs.docker.com/engine/cli/proxy; docker/buildx store/storeutil,
 * GetProxyConfig). They may carry credentials.
 */
export async function surveyClientProxies(
  {commands, files}: {readonly commands: Commands; readonly files: Files},
  environment: Readonly<Record<string, string>>
): Promise<ProxySettings> {
  const file = join(environment.DOCKER_CONFIG ?? join(environment.HOME ?? '/', '.docker'), 'config.json')
  const daemons = objectOf(parseObject((await files.readText(file)) ?? '').proxies)
  const host = Object.keys(daemons).some(name => name !== 'default') ? await daemonHost(commands, environment) : ''
  const {httpProxy, httpsProxy, noProxy} = objectOf(daemons[host] ?? daemons.default)
  const url = (value: unknown) => {
    const proxy = proxyUrl(textOf(value) ?? '')
    return isProxyUrl(proxy) ? proxy : undefined
  }
  return proxySettings(url(httpProxy), url(httpsProxy), textOf(noProxy))
}

async function daemonHost(commands: Commands, environment: Readonly<Record<string, string>>): Promise<string> {
  const argv = ['docker', 'context', 'inspect', '--format', '{{.Endpoints.docker.Host}}']
  return (await commands.capture(argv, {environment})).stdout.trim()
}
