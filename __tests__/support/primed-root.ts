import {execFileSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'

/** A directory that stands for the root of an image. */
export interface PrimedRoot {
  readonly path: string
  /** Makes a file, whose path is relative to the root; returns where it really is. */
  write(path: string, text: string): string
  read(path: string): string
  /** Does what a primed base's COPY and RUN say, for real, with `path` in place of the image's root. */
  prime(dockerfile: string): void
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
    prime: dockerfile => {
      for (const {keyword, text, documents} of instructions(dockerfile)) {
        if (keyword === 'COPY') {
          for (const {name, body} of documents) write(join(text.split(' ').at(-1) ?? '', name), body)
        } else if (keyword === 'RUN') execFileSync('sh', ['-c', inside(path, documents[0]?.body ?? '')])
      }
    },
    remove: () => {
      rmSync(path, {recursive: true})
    }
  }
}

interface Instruction {
  readonly keyword: string
  readonly text: string
  readonly documents: readonly {readonly name: string; readonly body: string}[]
}

function instructions(dockerfile: string): Instruction[] {
  const lines = dockerfile.split('\n')
  const found = []
  while (lines.length > 1) {
    const text = lines.shift() ?? ''
    const documents = [...text.matchAll(/<<'([^']+)'/g)].map(([, name = '']) => {
      const end = lines.indexOf(name)
      const body = `${lines.slice(0, end).join('\n')}\n`
      lines.splice(0, end + 1)
      return {name, body}
    })
    found.push({keyword: text.replace(/ .*/, ''), text, documents})
  }
  return found
}

function inside(root: string, script: string): string {
  return script.replace(/(?<=[\s>])\/(?=(?:etc|usr\/local)\/)/g, `${root}/`)
}
