import {createHash} from 'node:crypto'
import {strToU8, zipSync} from 'fflate'
import type {StaticFiles} from './static-files.js'

/** One version of a pure Python package with one command. */
export interface PythonPackage {
  readonly name: string
  readonly version: string
  /** The text of its one module, with a function `main`, which is the command. */
  readonly code: string
}

/** Stand-in for the program that moby's Dockerfile installs with pip (v1.13.1 to v23.0). It says its version. */
const yamllint: PythonPackage = {
  name: 'yamllint',
  version: '1.27.1',
  code: 'def main():\n    print("yamllint 1.27.1, a stand-in")\n'
}

/** The files of a package index (https://peps.python.org/pep-0503): `simple/` is what pip is given as its index. */
export function pipIndexFiles(packages: readonly PythonPackage[] = [yamllint]): StaticFiles {
  return new Map([
    ['/simple/', page(packages.map(({name}) => [`${name}/`, name]))],
    ...packages.flatMap((item): [string, Uint8Array][] => {
      const content = wheel(item)
      const file = `${item.name}-${item.version}-py3-none-any.whl`
      const link = `../../packages/${file}#sha256=${createHash('sha256').update(content).digest('hex')}`
      return [
        [`/simple/${item.name}/`, page([[link, file]])],
        [`/packages/${file}`, content]
      ]
    })
  ])
}

function page(links: readonly (readonly [target: string, text: string])[]): Uint8Array {
  const anchors = links.map(([target, text]) => `<a href="${target}">${text}</a><br>\n`)
  return strToU8(`<!DOCTYPE html>\n<html><body>\n${anchors.join('')}</body></html>\n`)
}

/** https://packaging.python.org/en/latest/specifications/binary-distribution-format */
function wheel({name, version, code}: PythonPackage): Uint8Array {
  const information = `${name}-${version}.dist-info`
  const files: Record<string, string> = {
    [`${name}.py`]: code,
    [`${information}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${information}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: sandbox\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${information}/entry_points.txt`]: `[console_scripts]\n${name} = ${name}:main\n`
  }
  const record = Object.entries(files).map(([path, text]) => {
    const digest = createHash('sha256').update(text).digest('base64url')
    return `${path},sha256=${digest},${Buffer.byteLength(text)}\n`
  })
  files[`${information}/RECORD`] = `${record.join('')}${information}/RECORD,,\n`
  const entries = Object.entries(files).map(([path, text]) => [path, strToU8(text)] as const)
  return zipSync(Object.fromEntries(entries), {mtime: '2024-01-01T00:00:00Z'})
}
