import {spawn} from 'node:child_process'
import {once} from 'node:events'

/**
 * Does `work` while no other process, nor another caller in this one, holds the lock on `file`. The lock is a flock(1)
 * that reads from a pipe of this process, so it ends with this process at the latest.
 */
export async function withLock<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  const holder = spawn('flock', [file, 'sh', '-c', 'echo locked; cat'], {stdio: ['pipe', 'pipe', 'inherit']})
  const ended = once(holder, 'close')
  const locked = await Promise.race([once(holder.stdout, 'data').then(() => true), ended.then(() => false)])
  if (!locked) throw new Error(`${file} cannot be locked`)
  try {
    return await work()
  } finally {
    holder.stdin.end()
    await ended
  }
}
