import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {markdownTable} from '../../src/format.js'
import {command} from './commands.js'
import {spread, spreadCells} from './spread.js'

const runs = 5

/**
 * How long the plans of real moby's reviewed tags take after their checkout, with the docker of this machine. `repository` is a
 * git URL or path; mirrors of git come from git's own configuration.
 */
export async function planTimesReport(repository: string, root: string, node: string): Promise<string> {
  const files = await readdir(join(root, '__tests__/fixtures/plans'))
  const rows = []
  for (const file of files) {
    const ref = file.replace(/\.txt$/, '')
    const argv = [node, join(root, 'dist/cli/index.js'), 'plan', '--repository', repository, '--ref', ref]
    const times = []
    for (let run = 0; run < runs; run++) {
      times.push(Number(/^Planned in (\d+) ms/m.exec(await command(argv))?.[1] ?? NaN))
    }
    rows.push([ref, ...spreadCells(spread(times), 0)])
  }
  return markdownTable(['plan after checkout, ms', 'min', 'median', 'max'], rows)
}
