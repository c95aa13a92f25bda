import {downloadShim, shellQuoted} from './download-shim.js'
import type {Network, PrefixRule} from './network.js'
import {givenProxies, wall} from './step-proxies.js'

/**
 * The instructions, each on one line, of a stage on top of an image, which the tree's stages begin with in its place: package
 * sources, git, curl, wget, certificates and environment are pointed to the mirrors. That is how routes reach the steps of
 * a tree that is never edited, on any builder. Nothing of it gets into a tree's result, whose last stage begins from
 * scratch. None when there is nothing to prime.
 *
 * They need only what every Debian, Ubuntu and Alpine image has: a POSIX shell and sed, and root. Programs may come later,
 * by the tree's own steps; package sources that these add are not covered. Here-documents of a Dockerfile are out of the
 * question: docker/cli v20.10 pins frontends from before 1.4, which do not know them.
 */
export function primingOf(network: Network): readonly string[] {
  const commands = [
    ...certificateCommands(network),
    ...aptCommands(network),
    ...apkCommands(network),
    ...gitCommands(network.gitMirrors),
    ...gemCommands(network),
    ...downloadCommands(network.downloadMirrors)
  ]
  return [
    ...Object.entries(environmentOf(network)).map(([name, value]) => `ENV ${name}=${dockerfileQuoted(value)}`),
    ...scripts(commands).map(script => `RUN ${JSON.stringify(['/bin/sh', '-c', script])}`)
  ]
}

// A line of a Dockerfile has 64 KiB at most (moby/buildkit frontend/dockerfile/parser, bufio.MaxScanTokenSize). Only
// certificates get near it.
const scriptLength = 32 * 1024

/** The commands in as few scripts as their length allows. */
function scripts(commands: readonly string[]): string[] {
  const found: string[] = []
  for (const command of commands) {
    const last = found.at(-1)
    if (last !== undefined && last.length + command.length < scriptLength)
      found[found.length - 1] = `${last}\n${command}`
    else found.push(`set -e\n${command}`)
  }
  return found
}

const bundle = '/etc/ssl/certs/ca-certificates.crt'

// Older OpenSSL looks for hashed names instead; pip, requests and Node bring authorities of their own.
const bundleVariables = ['SSL_CERT_FILE', 'PIP_CERT', 'REQUESTS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS']

function environmentOf(network: Network): Record<string, string> {
  const {goProxy, goSumdb, pipIndex, gemSource, certificates, strict} = network
  return {
    ...(goProxy === undefined ? {} : {GOPROXY: goProxy}),
    ...(goSumdb === undefined ? {} : {GOSUMDB: goSumdb}),
    ...(pipIndex === undefined ? {} : {PIP_INDEX_URL: pipIndex}),
    ...(pipIndex?.startsWith('http:') ? {PIP_TRUSTED_HOST: new URL(pipIndex).hostname} : {}),
    // Not every Ruby looks for it in /etc (RubyGems, config_file.rb, SYSTEM_WIDE_CONFIG_PATH).
    ...(gemSource === undefined ? {} : {GEMRC: '/etc/gemrc', BUNDLE_MIRROR__ALL: gemSource}),
    ...(certificates === undefined ? {} : Object.fromEntries(bundleVariables.map(name => [name, bundle]))),
    // git's other protocols, ssh among them, know nothing of proxies (git-scm.com/docs/git, GIT_ALLOW_PROTOCOL).
    ...(strict ? {GIT_ALLOW_PROTOCOL: 'file:http:https', ftp_proxy: wall} : {})
  }
}

// One certificate in each file, for the tools that keep the bundle: `update-ca-certificates` runs when a tree installs the
// package, and makes the bundle anew from them and the public ones.
function certificateCommands({certificates}: Network): string[] {
  const blocks = certificates?.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) return []
  const directory = '/usr/local/share/ca-certificates'
  return [
    `mkdir -p ${directory} /etc/ssl/certs`,
    ...blocks.map((block, index) => hereDocument(`cat > ${directory}/build-moby-${index + 1}.crt`, block)),
    `cat ${directory}/build-moby-*.crt >> ${bundle}`
  ]
}

// One-line lists (`deb http://host/debian bookworm main`) and deb822 (`URIs: http://host/debian`) alike. Sources are known by
// their paths, because the host in them differs between images and their ages.
function aptCommands(network: Network): string[] {
  const {aptMirror, direct, strict} = network
  if (aptMirror !== undefined) {
    const to = sedReplacement(aptMirror)
    return [
      rewritten(
        '/etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources',
        String.raw`s#https?://[^/[:space:]]+/(debian|debian-security|ubuntu|ubuntu-ports)(/|[[:space:]]|$)#${to}/\1\2#g`
      )
    ]
  }
  if (!strict || !direct.apt) return []
  // Its hosts are known to the image alone, so that no exceptions from proxies can name them (apt.conf(5), apt-transport-http(1)).
  const proxies = givenProxies(network)
  const schemes = (['http', 'https'] as const).filter(scheme => proxies[scheme] === undefined)
  const settings = schemes.map(scheme => `Acquire::${scheme}::Proxy "DIRECT";`)
  if (settings.length === 0) return []
  return [
    `if [ -d /etc/apt/apt.conf.d ]; then printf '%s\\n' ${settings.map(shellQuoted).join(' ')} > /etc/apt/apt.conf.d/99build-moby; fi`
  ]
}

function apkCommands({apkMirror}: Network): string[] {
  if (apkMirror === undefined) return []
  const to = sedReplacement(apkMirror)
  return [rewritten('/etc/apk/repositories', String.raw`s#https?://[^/[:space:]]+/alpine/#${to}/alpine/#g`)]
}

function rewritten(files: string, expression: string): string {
  return `for file in ${files}; do
  if [ -f "$file" ]; then sed -i -E ${shellQuoted(expression)} "$file"; fi
done`
}

// git reads /etc/gitconfig wherever it is installed from Debian's or Alpine's packages, also when that happens later. Of
// several prefixes it takes the longest (git-scm.com/docs/git-config, url.<base>.insteadOf).
function gitCommands(rules: readonly PrefixRule[]): string[] {
  const sections = rules.map(({from, to}) => `[url ${gitQuoted(to)}]\n\tinsteadOf = ${gitQuoted(from)}`)
  return sections.length === 0 ? [] : [hereDocument('cat >> /etc/gitconfig', sections.join('\n'), 'GITCONFIG')]
}

function gemCommands({gemSource}: Network): string[] {
  if (gemSource === undefined) return []
  return [hereDocument('cat >> /etc/gemrc', `:sources:\n- ${JSON.stringify(gemSource)}`, 'GEMRC')]
}

function downloadCommands(rules: readonly PrefixRule[]): string[] {
  if (rules.length === 0) return []
  return [
    'mkdir -p /usr/local/bin',
    hereDocument('cat > /usr/local/bin/curl', downloadShim(rules).trimEnd(), 'SHIM'),
    'chmod 755 /usr/local/bin/curl',
    'cp -p /usr/local/bin/curl /usr/local/bin/wget'
  ]
}

function hereDocument(command: string, body: string, end = 'END'): string {
  return `${command} <<'${end}'\n${body}\n${end}`
}

/** A double-quoted word of a Dockerfile (docs.docker.com/reference/dockerfile, escape and environment replacement). */
function dockerfileQuoted(text: string): string {
  return `"${text.replace(/["$\\]/g, String.raw`\$&`)}"`
}

/** A quoted subsection or value of a git configuration (git-scm.com/docs/git-config, Syntax). */
function gitQuoted(text: string): string {
  return `"${text.replace(/["\\]/g, String.raw`\$&`)}"`
}

/** Text as what a `sed` expression with `#` between its parts puts in. */
function sedReplacement(text: string): string {
  return text.replace(/[&#\\]/g, String.raw`\$&`)
}
