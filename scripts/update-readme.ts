import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {readActionDefinition, type Definition} from '../src/adapters/action-definition.js'
import {markdownTable} from '../src/format.js'

/**
 * Writes the tables of inputs and outputs into README.md, between their markers, from action.yml. With `--check` it
 * writes nothing and fails when README.md is not up to date.
 */
const root = join(import.meta.dirname, '..')
const readmePath = join(root, 'README.md')
const {inputs, outputs} = readActionDefinition(join(root, 'action.yml'))
const before = readFileSync(readmePath, 'utf8')
const after = [
  {marker: 'inputs', table: inputsTable(inputs)},
  {marker: 'outputs', table: outputsTable(outputs)}
].reduce((text, {marker, table}) => replaceBetween(text, marker, table), before)

if (!process.argv.includes('--check')) writeFileSync(readmePath, after)
else if (after !== before) {
  console.error('README.md does not match action.yml: run `npm run readme`')
  process.exitCode = 1
}

function inputsTable(definitions: readonly Definition[]): string {
  return markdownTable(
    ['input', 'default', 'meaning'],
    definitions.map(input => [
      `\`${input.name}\``,
      input.default === '' ? '' : `\`${input.default}\``,
      input.description
    ])
  )
}

function outputsTable(definitions: readonly Definition[]): string {
  return markdownTable(
    ['output', 'meaning'],
    definitions.map(output => [`\`${output.name}\``, output.description])
  )
}

function replaceBetween(text: string, marker: string, content: string): string {
  const pattern = new RegExp(`(<!-- ${marker} -->\n)[^]*?(<!-- /${marker} -->)`)
  if (!pattern.test(text))
    throw new Error(`README.md has no place for the ${marker}: <!-- ${marker} --> … <!-- /${marker} -->`)
  // Prettier would pad every cell to the width of the longest.
  const kept = `<!-- prettier-ignore-start -->\n\n${content}\n\n<!-- prettier-ignore-end -->`
  return text.replace(pattern, (_, open: string, close: string) => `${open}\n${kept}\n${close}`)
}
