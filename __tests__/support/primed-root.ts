import {execFileSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {parseDockerfile} from '../../src/recipes/dockerfile.js'

/** A directory that stands for the root of an image. */
export interface PrimedRoot {
  readonly path: string
  /** Makes a file, whose path is relative to the root; returns where it really is. */
  write(path: string, text: string): string
  read(path: string): string
  /** Runs for real what the steps of a primed base say, with `path` in place of the image's root. */
  prime(instructions: readonly string[]): void
  remove(): void
}

export function primedRoot(): PrimedRoot {
  const path = mkdtempSync(join(tmpdir(), 'primed-base-'))
  const write = (file: string, text: string) => {
    const whole = join(path, file)
    mkdirSync(dirname(whole), {recursive: true})
    writeFileSync(whole, text)
    return whole
  }
  write('etc/os-release', '')
  return {
    path,
    write,
    read: file => readFileSync(join(path, file), 'utf8'),
    prime: instructions => {
      const {stages} = parseDockerfile(['FROM scratch', ...instructions].join('\n'))
      for (const {keyword, text} of stages.flatMap(stage => stage.instructions)) {
        if (keyword !== 'RUN') continue
        const [shell = '', ...words] = JSON.parse(text) as string[]
        execFileSync(
          shell,
          words.map(word => inside(path, word))
        )
      }
    },
    remove: () => {
      rmSync(path, {recursive: true})
    }
  }
}

function inside(root: string, script: string): string {
  return script.replace(/(?<=[\s>])\/(?=(?:etc|usr\/local)\/)/g, `${root}/`)
}
