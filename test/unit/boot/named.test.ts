import { expect, test } from 'vitest'
import { kernelNamed, stubNamed } from '../../../src/boot/named.ts'
import { UsageError } from '../../../src/bytes/errors.ts'

test('a row is found by its id and by a release', () => {
  expect(stubNamed('systemd-stub/S2').id).toBe('systemd-stub/S2')
  expect(stubNamed('247.3-7+deb11u8').id).toBe('systemd-stub/S2')
  expect(kernelNamed('linux/E2')).toBe(kernelNamed('5.10.223'))
})

test.each(['', '9999', 'S2', 'linux/E2'])('%j is no stub', name => {
  expect(() => stubNamed(name)).toThrow(UsageError)
})

test('the refusal names what would do', () => {
  expect(() => kernelNamed('2.6')).toThrow(
    'unknown kernel "2.6": neither an era such as linux/E0a nor a release in the table',
  )
})
