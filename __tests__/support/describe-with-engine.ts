import {describe} from '@jest/globals'
import {engineObstacle} from '../../sandbox/engine.js'

/** `describe` where this machine can start a throwaway engine; elsewhere its tests are skipped, the reason in their name. */
export async function describeWithEngine(name: string, tests: () => void): Promise<void> {
  const obstacle = await engineObstacle()
  if (obstacle === undefined) describe(name, tests)
  else describe.skip(`${name} (skipped: ${obstacle})`, tests)
}
