import { expect, test } from 'vitest'
import { createLog } from '../../../src/cli/log.ts'

function lines(verbose: boolean): string[] {
  const written: string[] = []
  const log = createLog(verbose, line => written.push(line))
  log.debug('opened', { file: 'uki.efi', size: 12 })
  log.warn('odd')
  log.error('two\n  lines')
  return written
}

test('errors always, the rest when asked; one line each, without time or process', () => {
  expect(lines(false)).toEqual(['stubsim: two\\x0a  lines\n'])
  expect(lines(true)).toEqual([
    'stubsim: debug: opened file=uki.efi size=12\n',
    'stubsim: warning: odd\n',
    'stubsim: two\\x0a  lines\n',
  ])
})
