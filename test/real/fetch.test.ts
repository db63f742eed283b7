/**
 * The real files can be had, and are the ones that were booted. A package that cannot be fetched is a
 * failure, never a skip.
 */
import { expect, test } from 'vitest'
import { fetchFile, fetchUkify, firstThatCanBeHad, needTool, runTool, sha256 } from './fetch.ts'
import { ALTERNATIVES, REQUIRED_FILES } from './packages.ts'

test.each(REQUIRED_FILES)('$kind $name is $package $version', file => {
  expect(sha256(fetchFile(file))).toBe(file.sha256)
})

test.each(ALTERNATIVES)('$what', group => {
  const file = firstThatCanBeHad(group)
  expect(sha256(fetchFile(file))).toBe(file.sha256)
})

test('ukify 257.13 runs with python3-pefile out of a private folder', () => {
  needTool('python3', 'python3')
  const { command, args, env } = fetchUkify()
  expect(runTool(command, [...args, '--version'], { env })).toMatch(/^ukify 257 \(257\.13/)
})

test('objcopy runs', () => {
  needTool('objcopy', 'binutils')
  expect(runTool('objcopy', ['--version'])).toMatch(/objcopy/)
})
