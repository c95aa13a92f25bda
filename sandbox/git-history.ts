import type {Tree} from './git-tree.js'

/** A repository's history in the making. Commits are named by the numbers that `commit` returns. */
export interface History {
  /**
   * Adds a commit with exactly these files (and a CHANGELOG.md of one line, so that no two trees are the same) and moves
   * `ref`, a full name, to it, wherever it was before. The first parent is what it is based on, others are merged.
   */
  readonly commit: (ref: string, subject: string, files: Tree, ...parents: readonly number[]) => number
  /** Adds a lightweight tag. */
  readonly tag: (name: string, commit: number) => void
  /** Adds an annotated tag. */
  readonly annotatedTag: (name: string, commit: number) => void
  /** All of it as input for `git fast-import` (https://git-scm.com/docs/git-fast-import). */
  readonly stream: () => string
}

const start = Date.parse('2025-01-01T12:00:00Z') / 1000
const day = 24 * 60 * 60

/** An empty history. Each commit is a day younger than the one before it; the first is of 2025-01-01. */
export function newHistory(): History {
  const commands: string[] = []
  let commits = 0
  const signature = (): string => `Sandbox <sandbox@example.com> ${start + commits * day} +0000`
  return {
    commit: (ref, subject, files, ...parents) => {
      commits++
      commands.push(`commit ${ref}`, `mark :${commits}`, `author ${signature()}`, `committer ${signature()}`)
      commands.push(data(`${subject}\n`))
      commands.push(...parents.map((parent, index) => `${index === 0 ? 'from' : 'merge'} :${parent}`), 'deleteall')
      for (const [path, {content, executable}] of files) {
        commands.push(`M ${executable ? '100755' : '100644'} inline ${path}`, data(content))
      }
      commands.push('M 100644 inline CHANGELOG.md', data(`- ${subject}\n`))
      return commits
    },
    tag: (name, commit) => {
      commands.push(`reset refs/tags/${name}`, `from :${commit}`)
    },
    annotatedTag: (name, commit) => {
      commands.push(`tag ${name}`, `from :${commit}`, `tagger ${signature()}`, data(`${name}\n`))
    },
    stream: () => `${commands.join('\n')}\ndone\n`
  }
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`
}
