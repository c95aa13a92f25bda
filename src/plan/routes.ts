import type {PlannedBuilder} from '../engine/choose-builder.js'
import type {Inputs} from '../inputs.js'
import {formatImageReference, parseImageReference} from '../network/images.js'
import {proxyFor} from '../network/proxy.js'
import {mirrorName} from '../network/source-policy.js'
import type {ReachableMirror} from '../network/survey-mirrors.js'
import {redactUrl} from '../network/url.js'
import type {ExternalSources} from '../recipes/external-sources.js'
import type {PlannedBuild, Route} from './plan.js'

/** How everything that the plan knows to come from outside is reached, in the order it is needed. */
export function routesOf(
  parts: readonly {readonly build: PlannedBuild; readonly sources: ExternalSources}[],
  inputs: Inputs,
  mirrors: readonly ReachableMirror[],
  builder: PlannedBuilder
): Route[] {
  const image = (kind: 'frontend' | 'image', spelled: string, from: string): Route => {
    const reference = parseImageReference(spelled)
    const mirror = mirrors.find(({registry}) => registry === reference.registry)
    const url = `https://${reference.registry}/`
    return {
      kind,
      what: formatImageReference(reference),
      by: 'builder',
      via: mirror === undefined ? builderRoute(url, inputs, builder) : `mirror ${mirrorName(mirror)}`,
      from
    }
  }
  const routes = parts.flatMap(({build, sources}): Route[] => {
    const file = `${build.component} Dockerfile`
    const {frontend} = build
    return [
      {kind: 'git', what: build.source.repository, by: 'action', via: gitRoute(build.source.url, inputs)},
      ...(frontend.image === undefined
        ? [{kind: 'frontend', what: 'Dockerfile frontend', by: 'builder', via: 'built in', from: `${file}:1`} as const]
        : [image('frontend', frontend.image, `${file}:1`)]),
      ...sources.images.map(({spelled, line}) => image('image', spelled, `${file}:${line}`)),
      ...sources.adds.map(({kind, url, line}): Route => ({
        kind,
        what: redactUrl(url.replace(/[?#].*$/, '')),
        by: 'builder',
        via: (kind === 'git' ? gitMirrorRoute(url, inputs) : undefined) ?? builderRoute(url, inputs, builder),
        from: `${file}:${line}`
      }))
    ]
  })
  return [...routes, ...stepRoutes(inputs)]
}

/** What build steps download, by kind: the steps of a tree are scripts, and their hosts are not listed one by one. */
function stepRoutes(inputs: Inputs): Route[] {
  const stepRoute = (url: string) => throughProxy(url, inputs) ?? 'direct'
  return [
    {
      kind: 'apt',
      what: 'Debian and Ubuntu packages',
      by: 'build step',
      via: inputs.aptMirror === undefined ? stepRoute('http://debian.example/') : `mirror ${inputs.aptMirror}`
    },
    {
      kind: 'go',
      what: 'Go modules',
      by: 'build step',
      via: inputs.goProxy === undefined ? stepRoute('https://proxy.golang.org/') : `mirror ${inputs.goProxy}`
    },
    {
      kind: 'git',
      what: 'repositories on github.com',
      by: 'build step',
      via: gitMirrorRoute('https://github.com/', inputs) ?? stepRoute('https://github.com/')
    }
  ]
}

function gitRoute(url: string, inputs: Inputs): string {
  if (url.startsWith('/')) return 'this machine'
  return gitMirrorRoute(url, inputs) ?? throughProxy(url, inputs) ?? 'direct'
}

function gitMirrorRoute(url: string, {gitMirrors}: Inputs): string | undefined {
  const rule = gitMirrors.find(({from}) => url.startsWith(from))
  return rule === undefined ? undefined : `mirror ${rule.to}`
}

// Only a builder of our own is known to have the proxies of the inputs.
function builderRoute(url: string, inputs: Inputs, builder: PlannedBuilder): string {
  if (builder.kind === 'created') return throughProxy(url, inputs) ?? 'direct'
  return builder.driver === 'docker' ? "direct, or the daemon's own proxy" : "direct, or the builder's own proxy"
}

function throughProxy(url: string, {proxies}: Inputs): string | undefined {
  const proxy = proxyFor(url, proxies)
  return proxy === undefined ? undefined : `proxy ${redactUrl(proxy)}`
}
