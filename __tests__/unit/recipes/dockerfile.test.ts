import {describe, expect, it} from '@jest/globals'
import {parseDockerfile, shellWords, withoutSyntax} from '../../../src/recipes/dockerfile.js'

const lines = (...text: string[]): string => `${text.join('\n')}\n`
/** Every instruction after the first FROM, as `line KEYWORD text`. */
const steps = (...text: string[]): string[] =>
  parseDockerfile(lines('FROM scratch', ...text)).stages.flatMap(({instructions}) =>
    instructions.map(({line, keyword, text: rest}) => `${line} ${keyword} ${rest}`)
  )

describe('parseDockerfile', () => {
  it('finds global arguments and stages with their lines', () => {
    const {globals, stages} = parseDockerfile(
      lines(
        '# a comment',
        '',
        'ARG GO=1',
        '# another',
        'from --platform=$BUILDPLATFORM golang:${GO} as Base',
        'RUN make',
        'FROM base',
        'COPY a b'
      )
    )
    expect(globals.map(({keyword, text, line}) => [keyword, text, line])).toEqual([['ARG', 'GO=1', 3]])
    expect(stages.map(({name, base, line}) => [name, base, line])).toEqual([
      ['base', 'golang:${GO}', 5],
      [undefined, 'base', 7]
    ])
    expect(stages.map(({instructions}) => instructions.map(({keyword}) => keyword))).toEqual([['RUN'], ['COPY']])
  })

  it.each([
    ['in front', lines('# syntax=docker/dockerfile:1', 'FROM scratch'), 'docker/dockerfile:1'],
    [
      'in capitals, with blanks',
      lines('#  SYNTAX = docker/dockerfile:1.7-labs ', 'FROM x'),
      'docker/dockerfile:1.7-labs'
    ],
    ['after another directive', lines('# check=skip=all', '# syntax=a/b', 'FROM x'), 'a/b'],
    ['with the line ends of Windows', '# syntax=a/b\r\nFROM x\r\n', 'a/b'],
    ['after a comment, where it is one too', lines('# words', '# syntax=a/b', 'FROM x'), undefined],
    ['after an empty line', lines('', '# syntax=a/b', 'FROM x'), undefined],
    ['nowhere', lines('FROM x'), undefined]
  ])('reads a syntax directive %s', (_where, text, syntax) => {
    expect(parseDockerfile(text).syntax).toBe(syntax)
  })

  it.each([
    ['joins continued lines', ['RUN a && \\', '    b \\', '  c'], ['2 RUN a &&     b   c']],
    ['leaves out comments and empty lines between them', ['RUN a \\', '# why', '', '  # more', '  b'], ['2 RUN a   b']],
    ['joins the parts of one word', ['ADD https://x.example/\\', 'file /'], ['2 ADD https://x.example/file /']],
    ['sees through blanks after the escape', ['RUN a \\  ', 'b'], ['2 RUN a b']],
    ['gives the line after comments', ['# one', '# two \\', 'RUN a'], ['4 RUN a']],
    ['knows no continuation in a comment', ['# one \\', 'RUN a', 'RUN b'], ['3 RUN a', '4 RUN b']],
    ['passes over words that are no instruction', ['nonsense', 'RUN a'], ['3 RUN a']]
  ])('%s', (_what, text, expected) => {
    expect(steps(...text)).toEqual(expected)
  })

  it('takes another escape character from its directive', () => {
    const {stages} = parseDockerfile(lines('# escape=`', 'FROM x', 'RUN a `', 'b', 'COPY c:\\', 'RUN d'))
    expect(stages[0]?.instructions.map(({text}) => text)).toEqual(['a b', 'c:\\', 'd'])
  })

  it.each([
    ['a plain one', ['RUN <<EOT', 'ARG a', 'EOT'], ['ARG a']],
    ['one in quotes', ["RUN cat > /x <<'EOF'", '$a', 'EOF'], ['$a']],
    ['one that strips tabs', ['RUN <<-EOT', '\ta', '\tEOT'], ['\ta']],
    ['one for another descriptor', ['RUN 3<<EOT', 'a', 'EOT'], ['a']],
    ['two of one step', ['COPY <<one <<two /', 'a', 'one', 'b', 'two'], ['a', 'b']],
    ['one after a continued line', ['RUN --mount=type=cache,target=/c \\', '  <<EOT', 'a', 'EOT'], ['a']],
    ['none in a shift', ['RUN echo $((1<<2))'], []],
    ['none in a here-string', ['RUN cat <<<text'], []],
    ['none in quoted text', ['RUN sh -c "cat <<EOT"'], []]
  ])('reads here-documents: %s', (_what, text, heredocs) => {
    const stage = parseDockerfile(lines('FROM x', ...text, 'RUN after')).stages[0]
    expect(stage?.instructions[0]?.heredocs).toEqual(heredocs)
    expect(stage?.instructions.slice(1).map(({text: rest}) => rest)).toEqual(['after'])
  })

  it('separates flags from the rest', () => {
    const {stages} = parseDockerfile(
      lines(
        'FROM x',
        'RUN --mount=type=cache,target=/c --mount=from=a,src=/b --network=none make --jobs=2',
        'COPY --link a b'
      )
    )
    expect(stages[0]?.instructions.map(({flags, text}) => ({flags, text}))).toEqual([
      {
        flags: [
          {name: 'mount', value: 'type=cache,target=/c'},
          {name: 'mount', value: 'from=a,src=/b'},
          {name: 'network', value: 'none'}
        ],
        text: 'make --jobs=2'
      },
      {flags: [{name: 'link', value: ''}], text: 'a b'}
    ])
  })
})

describe('withoutSyntax', () => {
  it.each([
    [
      ['# syntax=a/b', 'FROM x'],
      ['#', 'FROM x']
    ],
    [
      ['# syntax=a/b', '# escape=`', 'FROM x'],
      ['# escape=`', '#', 'FROM x']
    ],
    [
      ['FROM x', '# syntax=a/b'],
      ['FROM x', '# syntax=a/b']
    ]
  ])('makes %j into %j', (before, after) => {
    expect(withoutSyntax(before.join('\n'))).toBe(after.join('\n'))
  })

  it('keeps every other directive in force and every line in its place', () => {
    const before = lines('# syntax=a/b', '# escape=`', '', 'FROM x', 'RUN a `', 'b')
    expect(parseDockerfile(withoutSyntax(before))).toEqual({...parseDockerfile(before), syntax: undefined})
  })
})

describe('shellWords', () => {
  it('keeps quoted words together', () => {
    expect(shellWords(`a="b c" 'd e' f\\ "g \\" h"`)).toEqual(['a="b c"', "'d e'", 'f\\', '"g \\" h"'])
  })
})
