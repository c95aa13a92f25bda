import {parseDockerfile, type Stage} from './dockerfile.js'

const prefix = 'build-moby-base-'

/**
 * The Dockerfile with stages of ours in place of the images that the `FROM`s on these lines (from 1) name: each is the
 * image, on the platform that the `FROM` says, with `priming` on top, whose instructions are one line each. They come
 * before the tree's first stage, so that all lines from there on move down by the same number.
 *
 * They are stages and no named contexts of the build, because buildx fetches and builds the target of a named context even
 * when all that needs it is in a cache (docker/buildx build/build.go, `forceEval`), and because only a stage knows the
 * platforms that it is for.
 */
export function withPrimedBases(text: string, lines: readonly number[], priming: readonly string[]): string {
  const {globals, stages} = parseDockerfile(text)
  const [first] = stages
  const wanted = stages.filter(({line}) => lines.includes(line))
  if (first === undefined || wanted.length === 0 || priming.length === 0) return text
  const changed = text.split('\n')
  const steps = stages.flatMap(({instructions}) => instructions)
  const begins = [...globals, ...stages, ...steps].map(({line}) => line)
  const change = (line: number, pattern: RegExp, replace: (...groups: string[]) => string) => {
    const end = Math.min(...begins.filter(begin => begin > line), changed.length + 1)
    for (let index = line - 1; index < end - 1; index++) {
      changed[index] = (changed[index] ?? '').replace(pattern, replace)
    }
  }
  const own = stages.some(({name}) => name?.startsWith(prefix)) ? `${prefix}own-` : prefix
  // Variables stay as they are: whatever a `FROM` may name is declared before the first one.
  const images = [...new Set(wanted.map(imageOf))]
  for (const stage of wanted) {
    const name = `${own}${images.indexOf(imageOf(stage)) + 1}`
    let found = false
    change(stage.line, /(?<=\s|^)\S+(?=\s|$)/g, word => {
      if (found || word !== stage.base) return word
      found = true
      return name
    })
  }
  // There are more stages before one that is named by its number.
  for (const {line, flags} of steps) {
    if (!flags.some(({name, value}) => (name === 'from' ? /^\d/ : /\bfrom=\d/).test(value))) continue
    change(line, /(?<=--from=|--mount=\S*\bfrom=)\d+(?=[\s,]|$)/g, number => String(Number(number) + images.length))
  }
  const primed = images.flatMap((image, index) => [`FROM ${image} AS ${own}${index + 1}`, ...priming])
  return changed.toSpliced(first.line - 1, 0, ...primed).join('\n')
}

/**
 * A line of an error about our Dockerfile with the numbers that the lines have in the tree's: `Dockerfile:9`, the excerpt
 * below it, `dockerfile parse error on line 9` (docker/buildx util/errdefs, moby/buildkit solver/errdefs).
 */
export function withLinesOfTree(message: string, dockerfile: string): string {
  const {stages} = parseDockerfile(dockerfile)
  const begin = stages[0]?.line ?? 0
  const end = stages.find(({name}) => name?.startsWith(prefix) !== true)?.line ?? begin
  return message.replace(/(?<=^Dockerfile:)\d+$|^ +\d+(?= \| )|(?<=parse error on line )\d+/, shown => {
    const line = Number(shown)
    if (line < end) return shown
    const inTree = String(line - end + begin)
    return shown.startsWith(' ') ? inTree.padStart(shown.length) : inTree
  })
}

function imageOf({base, platform}: Stage): string {
  return platform === undefined ? base : `--platform=${platform} ${base}`
}
