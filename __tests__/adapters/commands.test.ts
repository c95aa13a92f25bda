import {chmod, mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from '@jest/globals'
import {systemCommands} from '../../src/adapters/commands.js'
import {CancelledError} from '../../src/errors.js'
import type {Commands} from '../../src/ports.js'

let root: string
let controller: AbortController
let commands: Commands

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'commands-'))
  controller = new AbortController()
  commands = systemCommands(controller.signal, 300)
})

afterEach(async () => {
  await rm(root, {recursive: true})
})

const shell = (script: string) => ['sh', '-c', script]

async function stream(script: string, onLine: (line: string) => void = () => undefined) {
  const lines: string[] = []
  const exitCode = await commands.stream(shell(script), {
    workingDirectory: root,
    onLine: (line, stream) => {
      lines.push(`${stream}: ${line}`)
      onLine(line)
    }
  })
  return {exitCode, lines}
}

describe('capture', () => {
  it('collects both streams and the exit code, whatever it is', async () => {
    expect(await commands.capture(shell('echo out; echo err >&2; exit 3'))).toEqual({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n'
    })
  })

  it('answers 127 for a program that does not exist', async () => {
    for (const program of ['no-such-program-here', join(root, 'no-such-program')]) {
      const {exitCode, stdout, stderr} = await commands.capture([program, '--version'])
      expect(exitCode).toBe(127)
      expect(stdout).toBe('')
      expect(stderr).toContain('no-such-program')
    }
  })

  it('passes words on as they are, without a shell', async () => {
    const words = ['a b', '$HOME', '"', "'", '\\', '*', '', ';exit 1', 'é']
    const {stdout} = await commands.capture(['printf', '%s\n', ...words])
    expect(stdout.split('\n').slice(0, -1)).toEqual(words)
  })

  it('runs a program whose path has blanks and quotes', async () => {
    const program = join(root, `it's "a" directory`, 'program')
    await mkdir(join(program, '..'))
    await writeFile(program, '#!/bin/sh\necho "ran $1"\n')
    await chmod(program, 0o755)
    expect(await commands.capture([program, 'a b'])).toMatchObject({exitCode: 0, stdout: 'ran a b\n'})
  })

  it('runs in the directory and in just the environment that it is given', async () => {
    const environment = {PATH: process.env.PATH ?? '', ONE: '1'}
    const options = {workingDirectory: root, environment}
    const {stdout} = await commands.capture(shell('pwd; echo "$ONE-${HOME-none}"'), options)
    expect(stdout).toBe(`${root}\n1-none\n`)
  })
})

describe('stream', () => {
  it('hands over lines of both streams, the last one also without an end', async () => {
    const {exitCode, lines} = await stream('printf "a\\r\\n\\nb"; echo err >&2; exit 4')
    expect(exitCode).toBe(4)
    expect(lines.filter(line => line.startsWith('stdout'))).toEqual(['stdout: a', 'stdout: ', 'stdout: b'])
    expect(lines).toContain('stderr: err')
  })

  it('hands them over while the program runs', async () => {
    // The program waits for a file that is only made when its first line has arrived.
    const waiting = 'echo ready; while [ ! -e go ]; do sleep 0.05; done; echo done'
    const {lines} = await stream(waiting, line => {
      if (line === 'ready') void writeFile(join(root, 'go'), '')
    })
    expect(lines).toEqual(['stdout: ready', 'stdout: done'])
  })

  it('loses nothing of a long output', async () => {
    const {lines} = await stream('i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo "line $i"; done')
    expect(lines).toHaveLength(20000)
    expect(lines.at(-1)).toBe('stdout: line 20000')
  })

  it('gives a code of failure for a program that was killed', async () => {
    expect((await stream('kill -9 $$')).exitCode).toBe(128)
  })

  it('rejects when the program does not exist', async () => {
    const missing = commands.stream([join(root, 'nothing')], {onLine: () => undefined})
    await expect(missing).rejects.toMatchObject({code: 'ENOENT'})
  })

  it('asks for no input', async () => {
    expect((await stream('cat; echo end')).lines).toEqual(['stdout: end'])
  })
})

describe('a cancelled stream', () => {
  const cancelWhenReady = (line: string) => {
    if (line === 'ready') controller.abort()
  }
  const isAlive = (pid: string) => {
    try {
      process.kill(Number(pid), 0)
      return true
    } catch {
      return false
    }
  }

  it('interrupts the program, so that it can tidy up, and rejects', async () => {
    const tidy = "trap 'echo tidied > tidied; exit 0' INT; echo ready; while :; do sleep 0.05; done"
    await expect(stream(tidy, cancelWhenReady)).rejects.toThrow(CancelledError)
    expect(await readFile(join(root, 'tidied'), 'utf8')).toBe('tidied\n')
  })

  it('kills a program that does not listen', async () => {
    const deaf = "trap '' INT; echo $$ > pid; echo ready; while :; do sleep 0.05; done"
    await expect(stream(deaf, cancelWhenReady)).rejects.toThrow(CancelledError)
    expect(isAlive(await readFile(join(root, 'pid'), 'utf8'))).toBe(false)
  })

  it.each([
    ['that hold on to its output', ''],
    ['that are silent', ' > /dev/null 2>&1']
  ])('kills children %s, though the program itself ends at once', async (_which, redirected) => {
    const deafChild = `sh -c "trap '' INT; touch up; while :; do sleep 0.05; done"${redirected} & echo $! > child`
    const parent = `${deafChild}; while [ ! -e up ]; do sleep 0.02; done; trap 'exit 0' INT; echo ready; while :; do sleep 0.05; done`
    await expect(stream(parent, cancelWhenReady)).rejects.toThrow(CancelledError)
    const child = await readFile(join(root, 'child'), 'utf8')
    // A killed process may stay a zombie until somebody reaps it.
    const status = await readFile(`/proc/${child.trim()}/status`, 'utf8').catch(() => 'State:\tgone')
    expect(status).toMatch(/^State:\t(gone|Z)/m)
  })

  it('does not begin at all when the run is cancelled already', async () => {
    controller.abort()
    await expect(stream('touch begun')).rejects.toMatchObject({name: 'CancelledError'})
    await expect(readFile(join(root, 'begun'))).rejects.toThrow()
  })
})
