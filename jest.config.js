/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // Much of a test is waiting for servers and engines, also where there are only two cores.
  maxWorkers: 2,
  // For hooks as well: a busy machine is slow, and only what hangs is to run out of time.
  testTimeout: 60_000,
  roots: ['<rootDir>/__tests__'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {'^(\\.{1,2}/.*)\\.js$': '$1'},
  transform: {'^.+\\.ts$': ['ts-jest', {useESM: true, tsconfig: 'tsconfig.test.json'}]}
}
