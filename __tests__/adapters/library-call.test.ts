import {execFile} from 'node:child_process'
import {type ClientRequest, request} from 'node:http'
import type {Socket} from 'node:net'
import {afterEach, describe, expect, it} from '@jest/globals'
import {observeCall, StalledError} from '../../src/adapters/library-call.js'
import {serveRaw} from '../support/raw-loopback.js'

const patient = {idleMilliseconds: 20_000, totalMilliseconds: 20_000}
const opened: {stop(): Promise<void>}[] = []

afterEach(async () => {
  for (const server of opened.splice(0)) await server.stop()
})

async function serve(handle?: (socket: Socket) => void): ReturnType<typeof serveRaw> {
  const server = await serveRaw(handle)
  opened.push(server)
  return server
}

/** What a library does: asks, and asks again when the connection is lost. */
async function ask(url: string, attempts = 1): Promise<string> {
  try {
    return await new Promise<string>((resolve, reject) => {
      const asked: ClientRequest = request(url, response => {
        response.on('error', reject).on('end', resolve).resume()
      })
      asked.on('error', reject).end()
    })
  } catch (error) {
    if (attempts > 1) return await ask(url, attempts - 1)
    throw error
  }
}

async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 10))
}

describe('observeCall', () => {
  it('returns and throws what the call does', async () => {
    expect(
      await observeCall(
        () => Promise.resolve(7),
        () => undefined,
        patient
      )
    ).toBe(7)
    const failing = observeCall(
      () => Promise.reject(new TypeError('of the library')),
      () => undefined,
      patient
    )
    await expect(failing).rejects.toThrow(TypeError)
  })

  it('takes the lines of each call, whoever writes them, and leaves standard output as it was', async () => {
    const write = Reflect.get<NodeJS.WriteStream, 'write'>(process.stdout, 'write')
    const call = async (name: string) => {
      const lines: string[] = []
      await observeCall(
        async () => {
          process.stdout.write(`${name}: one\n${name}: t`)
          await new Promise(resolve => setTimeout(resolve, 5))
          process.stdout.write(Buffer.from('wo\r\n'))
          await new Promise(resolve => {
            execFile('echo', [`${name}: program`]).stdout?.on('data', (chunk: string) => {
              process.stdout.write(chunk, resolve)
            })
          })
          process.stdout.write(`${name}: no newline`)
        },
        line => lines.push(line),
        patient
      )
      return lines
    }
    const expected = (name: string) => ['one', 'two', 'program', 'no newline'].map(line => `${name}: ${line}`)
    expect(await Promise.all([call('first'), call('second')])).toEqual([expected('first'), expected('second')])
    expect(Reflect.get<NodeJS.WriteStream, 'write'>(process.stdout, 'write')).toBe(write)
  })

  it('ends the requests of a call for which nothing comes, and those that it makes afterwards', async () => {
    let connections = 0
    const server = await serve(() => {
      connections += 1
    })
    const others = await serve()
    const other = ask(`http://${others.host}/`).catch(() => undefined)
    let ended = false
    const call = observeCall(
      () =>
        ask(`http://${server.host}/`, 3).finally(() => {
          ended = true
        }),
      () => undefined,
      {...patient, idleMilliseconds: 200}
    )
    await expect(call).rejects.toThrow(new StalledError('nothing was sent or received for 0.2 s'))
    await eventually(() => ended && server.open() === 0)
    expect(connections).toBeLessThanOrEqual(3)
    expect(others.open()).toBe(1)
    await others.stop()
    await other
  })

  it('ends a call that receives something all the time, but takes too long', async () => {
    const server = await serve(socket => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const timer = setInterval(() => socket.write('.'), 20)
      socket.on('close', () => {
        clearInterval(timer)
      })
    })
    const call = observeCall(
      () => ask(`http://${server.host}/`),
      () => undefined,
      {
        idleMilliseconds: 400,
        totalMilliseconds: 1000
      }
    )
    await expect(call).rejects.toThrow(new StalledError('it takes longer than 1 s'))
    await eventually(() => server.open() === 0)
  })

  it('lets a call work as long as it likes that waits for no server', async () => {
    const work = () => new Promise(resolve => setTimeout(resolve, 300, 'done'))
    expect(await observeCall(work, () => undefined, {idleMilliseconds: 40, totalMilliseconds: 80})).toBe('done')
  })
})
