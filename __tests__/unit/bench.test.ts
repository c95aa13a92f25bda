import {join} from 'node:path'
import {describe, expect, it} from '@jest/globals'
import type {CaseResult} from '../../scripts/bench/cases.js'
import {casesReport} from '../../scripts/bench/report.js'
import {spread} from '../../scripts/bench/spread.js'
import {mobyWorld} from '../../scripts/bench/world.js'

const actionFile = join(import.meta.dirname, '../../action.yml')

describe('the report of a benchmark', () => {
  const result = (arm: CaseResult['arm'], situation: string, ...seconds: number[]): CaseResult => ({
    arm,
    situation,
    measurements: seconds.map(each => ({seconds: each, phases: {bake: each - 1}}))
  })

  it('holds ours against peer A, round by round', () => {
    const results = [result('ours', 'later: v1', 30, 20, 40), result('peer A', 'later: v1', 100, 120, 200)]
    const report = casesReport(results, ['v1', 'v2'])
    expect(report).toContain('| ours | later: v1 | 20.0 | 30.0 | 40.0 | bake 29.0 |')
    expect(report).toContain('| ours against peer A, later: v1, × | 0.20 (0.17 to 0.30) | ≤ 0.25 |')
    expect(report).not.toContain('v2')
  })

  it('says what the action adds to the bare command', () => {
    const results = [
      result('bare', 'cold, checkout there', 100, 80),
      result('ours', 'cold, checkout there, cache off', 104, 82)
    ]
    const row = '| overhead over the bare command, s | 3.0 (2.0 to 4.0) | ≤ 3 % + 3 s = 5.7 |'
    expect(casesReport(results, [])).toContain(row)
  })

  it('takes the mean of two in the middle', () => {
    expect(spread([4, 1, 3, 2])).toEqual({min: 1, median: 2.5, max: 4})
  })
})

describe('real moby in a benchmark', () => {
  it('reaches the mirrors of this machine where the engine does', () => {
    const environment = {
      MOBY_GO_PROXY: 'http://127.0.0.1:5051',
      MOBY_REGISTRY_MIRRORS: 'docker.io=http://127.0.0.1:5050\nquay.io=https://mirror.example',
      MOBY_CLIENT: 'auto'
    }
    const world = mobyWorld('http://127.0.0.1:5052/moby/moby', environment, actionFile)
    expect(world.ports.toSorted((one, other) => one - other)).toEqual([5050, 5051, 5052])
    expect(world.inputs('10.1.2.3')).toMatchObject({
      repository: 'http://10.1.2.3:5052/moby/moby',
      'go-proxy': 'http://10.1.2.3:5051',
      'registry-mirrors': 'docker.io=http://10.1.2.3:5050\nquay.io=https://mirror.example',
      client: 'auto'
    })
    expect(world.repositoryUrl('10.1.2.3')).toBe('http://10.1.2.3:5052/moby/moby')
    expect([world.from, ...world.later]).toEqual(['v28.5.2', 'v28.5.1', 'v28.3.0'])
  })
})
