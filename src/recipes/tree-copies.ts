import {posix} from 'node:path'
import type {Instruction} from './dockerfile.js'
import type {Tree} from './recipe.js'
import {inDirectory, type Script} from './script-frame.js'
import {expandVariables, type Lookup} from './variables.js'

/** A path in an image that holds a part of the tree. */
export interface TreeCopy {
  readonly path: string
  /** Path in the tree, empty for all of it. */
  readonly source: string
}

/** What a `COPY` or `ADD` puts into the image, in a working directory. */
export function copiedParts(step: Instruction, directory: string, lookup: Lookup): TreeCopy[] {
  if (step.flags.some(({name}) => name === 'from')) return []
  const words = step.text.split(/\s+/).map(word => expandVariables(word, lookup))
  const target = words.at(-1) ?? ''
  const path = inDirectory(directory, target)
  return words.slice(0, -1).flatMap(word => {
    const source = inTree(word)
    // Whether file and target are directories is not known here: a file may be at both places.
    return source === ''
      ? [{path, source}]
      : [
          {path, source},
          {path: posix.join(path, posix.basename(source)), source}
        ]
  })
}

/** What the bind mounts of a `RUN` show of the tree. */
export function boundParts(step: Instruction, directory: string, lookup: Lookup): TreeCopy[] {
  return step.flags.flatMap(({name, value}) => {
    const options = Object.fromEntries(
      value.split(',').map(option => {
        const [key = '', ...rest] = option.split('=')
        return [key, expandVariables(rest.join('='), lookup)]
      })
    )
    if (name !== 'mount' || (options.type ?? 'bind') !== 'bind' || options.from !== undefined) return []
    const target = options.target ?? options.dst ?? options.destination ?? '.'
    return [{path: inDirectory(directory, target), source: inTree(options.source ?? options.src ?? '')}]
  })
}

/** The script of the tree that is at a path in the image; of several the one that came last. */
export function scriptAt(path: string, parts: readonly TreeCopy[], tree: Tree): Script | undefined {
  for (const part of parts.toReversed()) {
    if (!isWithin(path, part.path)) continue
    const file = inTree(posix.join(part.source, posix.relative(part.path, path)))
    const text = Object.hasOwn(tree, file) ? tree[file] : undefined
    if (text !== undefined) return {file, text}
  }
  return undefined
}

/** Whether a path is that of the whole tree, or below it. */
export function isInTree(path: string, parts: readonly TreeCopy[]): boolean {
  return parts.some(part => part.source === '' && isWithin(path, part.path))
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`)
}

function inTree(path: string): string {
  const relative = posix.normalize(`/${path}`).slice(1)
  return relative.replace(/\/$/, '')
}
