import {createHash} from 'node:crypto'
import {deflateSync, gzipSync} from 'node:zlib'
import {tarArchive} from './layers.js'
import {instance, marshal} from './ruby-marshal.js'
import type {StaticFiles} from './static-files.js'

/** One version of a pure Ruby gem with one command. */
export interface Gem {
  readonly name: string
  readonly version: string
  /** The text of its command, which has the gem's name. */
  readonly program: string
}

/** Stand-in for the program that moby's Dockerfile installed with gem (v1.6.0). It says its version. */
const fpm: Gem = {name: 'fpm', version: '1.3.2', program: '#!/usr/bin/env ruby\nputs "fpm 1.3.2, a stand-in"\n'}

/**
 * The files of a gem source, as RubyGems 3.3 asks for them in `gem install`: the root, to find out that there is a
 * compact index (https://guides.rubygems.org/rubygems-org-compact-index-api), the versions in that index, the gem's
 * specification as marshalled Ruby, and the gem.
 */
export async function gemSourceFiles(gems: readonly Gem[] = [fpm]): Promise<StaticFiles> {
  const files = new Map<string, Uint8Array>([['/', Buffer.from('<title>Gems</title>\n')]])
  for (const gem of gems) {
    const {name, version} = gem
    const content = await gemFile(gem)
    const checksum = createHash('sha256').update(content).digest('hex')
    files.set(`/info/${name}`, Buffer.from(`---\n${version} |checksum:${checksum}\n`))
    files.set(`/quick/Marshal.4.8/${name}-${version}.gemspec.rz`, deflateSync(marshalledSpecification(gem)))
    files.set(`/gems/${name}-${version}.gem`, content)
  }
  return files
}

/** A tar of the specification and of the files (lib/rubygems/package.rb@v3.3.15). */
async function gemFile(gem: Gem): Promise<Buffer> {
  const program = [{path: `bin/${gem.name}`, content: gem.program, mode: 0o755}]
  return tarArchive([
    {path: 'metadata.gz', content: gzipSync(specification(gem)), mode: 0o444},
    {path: 'data.tar.gz', content: gzipSync(await tarArchive(program)), mode: 0o444}
  ])
}

function specification({name, version}: Gem): string {
  return `--- !ruby/object:Gem::Specification
name: ${name}
version: !ruby/object:Gem::Version
  version: ${version}
platform: ruby
authors:
- Sandbox
bindir: bin
date: 2024-01-01 00:00:00.000000000 Z
dependencies: []
executables:
- ${name}
files:
- bin/${name}
require_paths:
- lib
required_ruby_version: !ruby/object:Gem::Requirement
  requirements:
  - - ">="
    - !ruby/object:Gem::Version
      version: '0'
required_rubygems_version: !ruby/object:Gem::Requirement
  requirements:
  - - ">="
    - !ruby/object:Gem::Version
      version: '0'
rubygems_version: 3.3.15
specification_version: 4
summary: A stand-in for ${name}
`
}

/** The fields that lib/rubygems/specification.rb@v3.3.15 dumps, in its order. */
function marshalledSpecification({name, version}: Gem): Buffer {
  const versionOf = (text: string) => instance('Gem::Version', [text])
  const anyVersion = instance('Gem::Requirement', [[['>=', versionOf('0')]]])
  const fields = [
    '3.3.15', // rubygems_version
    4, // specification_version
    name,
    versionOf(version),
    '2024-01-01', // date
    `A stand-in for ${name}`, // summary
    anyVersion, // required_ruby_version
    anyVersion, // required_rubygems_version
    'ruby', // original_platform
    [], // dependencies
    '', // what was rubyforge_project
    null, // email
    ['Sandbox'], // authors
    null, // description
    null, // homepage
    true, // has_rdoc
    'ruby', // new_platform
    [], // licenses
    {} // metadata
  ]
  return marshal({className: 'Gem::Specification', dumped: marshal(fields)})
}
