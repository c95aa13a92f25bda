import {spawnSync} from 'node:child_process'
import {mkdir, mkdtemp, readdir, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {encodeState, type SavedState} from '../../src/state.js'
import {node24} from '../support/built-action.js'

const post = join(import.meta.dirname, '../../dist/post/index.js')

describe('the post phase', () => {
  let temporary: string

  beforeEach(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'build-moby-post-'))
  })

  afterEach(async () => {
    await rm(temporary, {recursive: true, force: true})
  })

  function runPost(state: string | undefined): {status: number | null; stdout: string} {
    return spawnSync(node24, [post], {
      encoding: 'utf8',
      cwd: temporary,
      env: {
        PATH: '/nowhere',
        GITHUB_ACTIONS: 'true',
        RUNNER_TEMP: temporary,
        ...(state === undefined ? {} : {STATE_state: state})
      }
    })
  }

  it('removes what a main phase that was killed has left', async () => {
    const workDirectory = join(temporary, 'build-moby-Xyz123')
    await mkdir(join(workDirectory, 'daemon/export'), {recursive: true})
    await writeFile(join(workDirectory, 'docker-config.json'), '{}')
    const state: SavedState = {workDirectory}
    expect(runPost(encodeState(state)).status).toBe(0)
    expect(await readdir(temporary)).toEqual([])
  })

  it('warns about a builder that it cannot remove, and goes on', async () => {
    const workDirectory = join(temporary, 'build-moby-Xyz123')
    await mkdir(workDirectory)
    const {status, stdout} = runPost(encodeState({builder: 'build-moby-0123abcd', workDirectory}))
    expect(status).toBe(0)
    expect(stdout).toContain("::warning::The builder 'build-moby-0123abcd' could not be removed")
    expect(stdout).toContain('docker buildx rm build-moby-0123abcd')
    expect(await readdir(temporary)).toEqual([])
  })

  it.each([
    ['nothing', undefined],
    ['an empty state', ''],
    ['no JSON', '{'],
    ['something else', '[1, null]']
  ])('does nothing and succeeds when main saved %s', async (_, state) => {
    await mkdir(join(temporary, 'other'))
    const {status, stdout} = runPost(state)
    expect({status, stdout}).toEqual({status: 0, stdout: ''})
    expect(await readdir(temporary)).toEqual(['other'])
  })
})
