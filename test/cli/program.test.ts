import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commands } from '../../src/cli/commands.ts'
import { VERSION } from '../../src/version.ts'
import { scratch, stubsim } from '../support/program.ts'

const { folder } = scratch()

describe('the program', () => {
  test('without arguments prints its help on stderr', async () => {
    const { code, stdout, stderr } = await stubsim([])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('usage: stubsim COMMAND')
  })

  test('--version and --help go to stdout', async () => {
    expect(await stubsim(['--version'])).toEqual({ code: 0, stdout: `stubsim ${VERSION}\n`, stderr: '' })
    const help = await stubsim(['--help'])
    expect([help.code, help.stderr]).toEqual([0, ''])
    for (const { name, summary } of commands)
      expect(help.stdout).toMatch(new RegExp(`^  ${name} +${summary}`, 'm'))
  })

  test.each(commands.map(command => command.name))('%s --help', async name => {
    const { code, stdout, stderr } = await stubsim([name, '--help'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`usage: stubsim ${name}`)
  })

  test('a misspelt command is one line on stderr', async () => {
    expect(await stubsim(['spce'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'stubsim: unknown command "spce" (did you mean spec?); see stubsim --help\n',
    })
  })

  test('-o writes the result to a file and leaves stdout empty', async () => {
    const path = join(folder, 'result')
    const direct = await stubsim(['spec'])
    expect(await stubsim(['spec', '-o', path])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(readFileSync(path, 'utf8')).toBe(direct.stdout)
    expect(await stubsim(['spec', '-o', folder])).toEqual({
      code: 2,
      stdout: '',
      stderr: `stubsim: ${folder}: is a directory\n`,
    })
  })
})

describe('spec and explain', () => {
  test('a clause ends with its source, the function that obeys it and the test that holds it', async () => {
    const { code, stdout, stderr } = await stubsim(['spec', 'zo-12'])
    expect([code, stderr]).toEqual([0, ''])
    const lines = stdout.split('\n')
    expect(lines[0]).toMatch(/^### ZO-12: /)
    expect(lines).toContain(
      'upstream  https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git/tree/arch/x86/boot/compressed/misc.c?h=v5.10.223',
    )
    expect(lines.find(line => line.startsWith('code '))).toMatch(/^code {6}src\/kernel\/\S+ extractTo$/)
    expect(lines.find(line => line.startsWith('test '))).toMatch(/^test {6}test\/spec\/ZO\S* "ZO-12 .*"$/)
  })

  test.each([
    [['spec', 'PE-9999'], /^stubsim: no clause or chapter "PE-9999".*; stubsim spec lists them\n$/],
    [
      ['explain', 'no-such-rule-at-all'],
      /^stubsim: no rule, clause or printed line "no-such-rule-at-all"; stubsim explain lists the rules\n$/,
    ],
  ])('%j is refused', async (args, message) => {
    const { code, stdout, stderr } = await stubsim(args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
  })
})
