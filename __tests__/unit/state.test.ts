import {describe, expect, it} from '@jest/globals'
import {cleanUp, decodeState, encodeState} from '../../src/state.js'
import {memoryCommands, memoryFiles, memoryLog, type Answer} from '../support/memory.js'

describe('the saved state', () => {
  it.each([{}, {builder: 'b'}, {workDirectory: '/w'}, {builder: 'b', workDirectory: '/w'}])('%j comes back', state => {
    expect(decodeState(encodeState(state))).toEqual(state)
  })

  it.each([undefined, '', 'rubbish', 'null', '[]', '"b"', '{"builder": 1, "workDirectory": null}'])(
    'that reads %j names nothing to remove',
    text => {
      expect(decodeState(text)).toEqual({})
    }
  )
})

describe('cleanUp', () => {
  const state = {builder: 'build-moby-1', workDirectory: '/w'}

  async function clean(answer: Answer, given = state as Parameters<typeof cleanUp>[0]) {
    const [commands, files, log] = [
      memoryCommands(() => answer),
      memoryFiles({'/w/a': '', '/wider/b': ''}),
      memoryLog()
    ]
    await cleanUp(given, {commands, files, log}, {PATH: '/bin'})
    return {ran: commands.ran, left: [...files.texts.keys()], lines: log.lines}
  }

  it('removes the builder and the directory', async () => {
    const {ran, left, lines} = await clean({})
    expect(ran).toEqual([
      {
        argv: ['docker', 'buildx', 'rm', '--force', 'build-moby-1'],
        options: {environment: {PATH: '/bin'}}
      }
    ])
    expect(left).toEqual(['/wider/b'])
    expect(lines).toEqual([])
  })

  it('has nothing to do for an empty state', async () => {
    const {ran, left} = await clean({}, {})
    expect(ran).toEqual([])
    expect(left).toEqual(['/w/a', '/wider/b'])
  })

  it('does not mind a builder that has gone already', async () => {
    expect((await clean({exitCode: 1, stderr: 'ERROR: no builder "build-moby-1" found'})).lines).toEqual([])
  })

  it('warns of a builder that stays, and removes the directory all the same', async () => {
    const {left, lines} = await clean({exitCode: 1, stderr: 'ERROR: cannot connect\n'})
    expect(left).toEqual(['/wider/b'])
    expect(lines).toEqual([
      "warning: The builder 'build-moby-1' could not be removed: ERROR: cannot connect. Remove it with `docker buildx rm build-moby-1`."
    ])
  })

  it('warns of a directory that stays', async () => {
    const log = memoryLog()
    const files = {...memoryFiles(), remove: () => Promise.reject(new Error('EACCES: /w'))}
    await cleanUp({workDirectory: '/w'}, {commands: memoryCommands(() => ({})), files, log}, {})
    expect(log.lines).toEqual(['warning: /w could not be removed: EACCES: /w'])
  })
})
