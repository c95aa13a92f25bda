import {alpineFiles} from './alpine-packages.js'
import {checksumDatabase} from './checksum-database.js'
import {dockerHub} from './docker-hub.js'
import {downloads, downloadsUrl} from './download-server.js'
import {gemSourceFiles} from './gem-source.js'
import {goModules, goProxyFiles} from './go-proxy.js'
import {pipIndexFiles} from './pip-index.js'
import {serveFiles, type StaticFiles} from './static-files.js'
import {type Site, siteAt} from './upstreams.js'

/** Where the servers are that stand behind some of the sites: `http://address:port`. */
export interface BackEnds {
  readonly registry: string
  readonly git: string
  readonly apt: string
}

/** A site for every host that a build of the miniature asks when nothing is mirrored. */
export async function upstreamSites({registry, git, apt}: BackEnds): Promise<Record<string, Site>> {
  const gems = serveFiles(await gemSourceFiles())
  const pythonPackages = pipIndexFiles()
  return {
    ...dockerHub(registry),
    'github.com': siteAt(git),
    'proxy.golang.org': serveFiles(goProxyFiles(goModules)),
    'sum.golang.org': serveFiles(checksumDatabase(goModules).files),
    'debian.example': siteAt(apt),
    'dl-cdn.alpinelinux.org': serveFiles(await alpineFiles()),
    [new URL(downloadsUrl).host]: serveFiles(downloads),
    'pypi.org': serveFiles(withFilesElsewhere(pythonPackages)),
    'files.pythonhosted.org': serveFiles(pythonPackages),
    'rubygems.org': gems,
    // RubyGems asks a host of its own for the index (lib/rubygems/source.rb), which need not have the gems
    // (https://github.com/rubygems/rubygems.org/issues/1728).
    'index.rubygems.org': (request, response) => {
      const path = request.url ?? '/'
      if (/^\/(gems|quick)\//.test(path)) response.writeHead(302, {location: `https://rubygems.org${path}`}).end()
      else return gems(request, response)
    }
  }
}

/** GOSUMDB for a client that takes the stand-in of sum.golang.org for it. */
export function upstreamGoSumdb(): string {
  return checksumDatabase(goModules).goSumdb('https://sum.golang.org')
}

/** The package index as on pypi.org, whose links lead to another host. */
function withFilesElsewhere(files: StaticFiles): StaticFiles {
  const pages = [...files].filter(([path]) => path.startsWith('/simple/'))
  return new Map(
    pages.map(([path, page]) => {
      const text = Buffer.from(page).toString()
      return [path, Buffer.from(text.replaceAll('"../../packages/', '"https://files.pythonhosted.org/packages/'))]
    })
  )
}
