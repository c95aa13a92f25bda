import {type Inputs, parseInputs} from '../../src/inputs.js'

/** The inputs of somebody who gave a ref alone and has no proxy, but for what `overrides` says. */
export function inputsWith(overrides: Partial<Inputs> = {}): Inputs {
  return {...parseInputs({ref: 'v28.5.2'}, {environment: {}}), ...overrides}
}
