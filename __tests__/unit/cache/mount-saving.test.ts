import {describe, expect, it} from '@jest/globals'
import {decideMountSaving, type SurveyedMount} from '../../../src/cache/mount-saving.js'

const megabyte = 1024 * 1024

/** Paths `./0` … of a megabyte each, up to and without `to`. */
function paths(from: number, to: number): string[] {
  return Array.from({length: to - from}, (_, index) => `./${String(from + index).padStart(4, '0')}`)
}

function sizes(...all: readonly string[]): ReadonlyMap<string, number> {
  return new Map(all.map(path => [path, megabyte]))
}

/** A compiler's mount that begins with a base of 100 files. */
function onBase(overrides: Partial<SurveyedMount> = {}): SurveyedMount {
  return {
    kind: 'compiler',
    files: sizes(...paths(0, 100)),
    record: {entry: 'k', base: 'k', baseBytes: 100 * megabyte, firstBytes: 100 * megabyte},
    base: new Set(paths(0, 100)),
    delta: new Set(),
    ...overrides
  }
}

function empty(overrides: Partial<SurveyedMount> = {}): SurveyedMount {
  return {kind: 'compiler', files: new Map(), base: new Set(), delta: new Set(), ...overrides}
}

describe('decideMountSaving', () => {
  it('saves nothing of nothing', () => {
    expect(decideMountSaving([empty(), empty({kind: 'modules'})])).toEqual({what: 'nothing', why: 'nothing new'})
  })

  it('saves all when there is no base, which means everything when nobody knows what was used', () => {
    const files = sizes(...paths(0, 3))
    expect(decideMountSaving([empty({files}), empty()])).toMatchObject({what: 'base', paths: [paths(0, 3), []]})
    expect(decideMountSaving([empty({files, used: new Set(['./0001', './gone'])})])).toMatchObject({
      what: 'base',
      paths: [['./0001']]
    })
  })

  it('saves nothing when nothing is new, however little was used', () => {
    expect(decideMountSaving([onBase({used: new Set(paths(0, 5))})]).what).toBe('nothing')
    const delta = new Set(paths(100, 110))
    expect(decideMountSaving([onBase({files: sizes(...paths(0, 110)), delta})]).what).toBe('nothing')
  })

  it.each([
    // new files, used of the base, what
    [0, 100, 'nothing'],
    [1, 100, 'delta'],
    [25, 100, 'delta'],
    [26, 100, 'base'],
    [25, 75, 'delta'],
    [25, 74, 'base']
  ])('with %d new files and %d of 100 still used saves: %s', (fresh, used, what) => {
    const mount = onBase({
      files: sizes(...paths(0, 100 + fresh)),
      used: new Set([...paths(100 - used, 100), ...paths(100, 100 + fresh)])
    })
    expect(decideMountSaving([mount]).what).toBe(what)
  })

  it('does not save what is less than a hundredth of the base', () => {
    const files = new Map([...sizes(...paths(0, 100)), ['./new', megabyte - 1]])
    expect(decideMountSaving([onBase({files})])).toEqual({what: 'nothing', why: 'only 1024.0 KiB new'})
    files.set('./new', megabyte)
    expect(decideMountSaving([onBase({files})])).toMatchObject({what: 'delta', paths: [['./new']]})
  })

  it('adds up what is not in the base, and drops of it what is not used any more', () => {
    const mount = onBase({
      files: sizes(...paths(0, 115)),
      used: new Set([...paths(0, 100), ...paths(105, 115)]),
      delta: new Set(paths(100, 110))
    })
    expect(decideMountSaving([mount])).toMatchObject({what: 'delta', paths: [paths(105, 115)]})
  })

  it('begins a new base with only what was used', () => {
    const mount = onBase({files: sizes(...paths(0, 140)), used: new Set(paths(60, 140))})
    expect(decideMountSaving([mount])).toMatchObject({what: 'base', paths: [paths(60, 140)]})
  })

  it('keeps a mount whose step did not run, as it was', () => {
    const unused = onBase({used: new Set(), files: sizes(...paths(0, 110)), delta: new Set(paths(100, 110))})
    const rebuilt = onBase({files: sizes(...paths(0, 160)), used: new Set(paths(60, 160))})
    expect(decideMountSaving([unused, rebuilt])).toMatchObject({what: 'base', paths: [paths(0, 110), paths(60, 160)]})
    const little = onBase({files: sizes(...paths(0, 105)), used: new Set(paths(0, 105))})
    expect(decideMountSaving([unused, little])).toMatchObject({
      what: 'delta',
      paths: [paths(100, 110), paths(100, 105)]
    })
  })

  it('keeps modules whole until they have grown by three tenths, and then begins anew', () => {
    const grown = (count: number) =>
      onBase({kind: 'modules', files: sizes(...paths(0, count)), used: new Set(paths(0, 1))})
    const other = onBase()
    expect(decideMountSaving([grown(125), other])).toMatchObject({what: 'delta', paths: [paths(100, 125), []]})
    expect(decideMountSaving([grown(130), other])).toMatchObject({what: 'delta', paths: [paths(100, 130), []]})
    expect(decideMountSaving([grown(131), other])).toEqual({
      what: 'base',
      why: 'modules begun anew',
      paths: [[], paths(0, 100)]
    })
  })

  it('takes a mount that is not of the entry for new', () => {
    const stray = empty({files: sizes(...paths(0, 10)), used: new Set(paths(0, 10))})
    expect(decideMountSaving([onBase(), stray])).toMatchObject({what: 'delta', paths: [[], paths(0, 10)]})
  })
})

describe('over thirty nightlies of moving commits', () => {
  it('no entry grows beyond 1.3 times the first', () => {
    // Every night 4 of 100 packages are compiled anew, and another 4 of them were last used the day before.
    let base: string[] = []
    let delta: string[] = []
    let saved = 0
    const largest: number[] = []
    for (let night = 0; night < 30; night++) {
      const used = paths(night * 4, night * 4 + 100)
      const files = sizes(...new Set([...base, ...delta, ...used]))
      const record = {entry: 'k', base: 'k', baseBytes: base.length * megabyte, firstBytes: 100 * megabyte}
      const before = {files, base: new Set(base), delta: new Set(delta), ...(night === 0 ? {} : {record})}
      const saving = decideMountSaving([{kind: 'compiler', ...before, used: new Set(used)}])
      if (saving.what === 'nothing') continue
      saved += 1
      const kept = [...(saving.paths[0] ?? [])]
      if (saving.what === 'base') [base, delta] = [kept, []]
      else delta = kept
      largest.push(base.length + delta.length)
      // Whatever was saved, the next night finds all that this one has used.
      expect(used.filter(path => !base.includes(path) && !delta.includes(path))).toEqual([])
    }
    expect(saved).toBe(30)
    expect(Math.max(...largest)).toBeLessThanOrEqual(1.3 * (largest[0] ?? 0))
  })
})
