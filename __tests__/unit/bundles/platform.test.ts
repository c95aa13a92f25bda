import {describe, expect, it} from '@jest/globals'
import {
  directoryOfPlatform,
  normalPlatform,
  platformOfDirectory,
  platformOfMachine,
  platformOfProgram,
  sameArchitecture
} from '../../../src/bundles/platform.js'

describe('directoryOfPlatform', () => {
  it.each([
    ['linux/amd64', 'linux_amd64'],
    ['linux/arm/v7', 'linux_arm_v7'],
    ['linux/arm', 'linux_arm_v7'],
    ['linux/arm64/v8', 'linux_arm64'],
    ['linux/amd64/v2', 'linux_amd64_v2'],
    ['linux/x86_64', 'linux_amd64'],
    ['windows/amd64', 'windows_amd64']
  ])('puts %s into %s', (platform, directory) => {
    expect(directoryOfPlatform(platform)).toBe(directory)
    expect(platformOfDirectory(directory)).toBe(normalPlatform(platform))
  })
})

describe('platformOfDirectory', () => {
  it.each([
    '',
    'linux',
    'binary-daemon',
    'binary_daemon',
    'linux_',
    'linux_arm_seven',
    'linux_arm_v7_v8',
    'Linux_amd64'
  ])('knows that %j is none', name => {
    expect(platformOfDirectory(name)).toBeUndefined()
  })
})

describe('platformOfMachine', () => {
  it.each([
    ['linux', 'x64', 'linux/amd64'],
    ['linux', 'arm64', 'linux/arm64'],
    ['linux', 'arm', 'linux/arm/v7'],
    ['linux', 'ia32', 'linux/386'],
    ['linux', 'ppc64', 'linux/ppc64le'],
    ['linux', 's390x', 'linux/s390x'],
    ['darwin', 'arm64', 'darwin/arm64'],
    ['win32', 'x64', 'windows/amd64']
  ])('translates %s and %s', (system, architecture, platform) => {
    expect(platformOfMachine(system, architecture)).toBe(platform)
  })
})

describe('platformOfProgram', () => {
  const elf = (endianness: number, system: number, machine: readonly number[]) =>
    Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, endianness, 1, system, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, ...machine, 0, 0])

  it.each([
    ['an ELF file for x86-64', elf(1, 0, [62, 0]), 'linux/amd64'],
    ['an ELF file for AArch64', elf(1, 0, [183, 0]), 'linux/arm64'],
    ['an ELF file for LoongArch', elf(1, 0, [2, 1]), 'linux/loong64'],
    ['a big-endian ELF file', elf(2, 0, [0, 22]), 'linux/s390x'],
    ['an ELF file for FreeBSD', elf(1, 9, [62, 0]), 'freebsd/amd64'],
    ['an ELF file for something else', elf(1, 0, [1, 0]), 'linux/unknown'],
    ['a Windows program', Buffer.from('MZ'.padEnd(64, '\0')), 'windows/unknown'],
    ['a macOS program', Buffer.from('cffaedfe'.padEnd(64, '0'), 'hex'), 'darwin/unknown'],
    ['a script', Buffer.from('#!/bin/sh\necho a line of text\n'), undefined],
    ['next to nothing', Buffer.from('\u007fELF'), undefined]
  ])('recognises %s', (_what, header, platform) => {
    expect(platformOfProgram(header)).toBe(platform)
  })
})

describe('sameArchitecture', () => {
  it.each([
    ['linux/arm/v6', 'linux/arm/v7', true],
    ['linux/arm64/v8', 'linux/arm64', true],
    ['linux/arm', 'linux/arm64', false],
    ['linux/amd64', 'windows/amd64', false]
  ])('compares %s with %s', (one, other, same) => {
    expect(sameArchitecture(one, other)).toBe(same)
  })
})
