import { describe, expect, test } from 'vitest'
import { commands } from '../../../src/cli/commands.ts'
import { commandHelp, overviewHelp, referencePage } from '../../../src/cli/help.ts'
import { parseCommandLine } from '../../../src/cli/parse.ts'

test('docs/reference/cli.md is the table (update with vitest -u)', async () => {
  await expect(referencePage(commands)).toMatchFileSnapshot('../../../docs/reference/cli.md')
})

test('the overview names every command once', () => {
  const lines = overviewHelp(commands).split('\n')
  for (const { name } of commands)
    expect(
      lines.filter(line => line.startsWith(`  ${name} `)),
      name,
    ).toHaveLength(1)
})

describe.each(commands.map(command => [command.name, command] as const))('%s', (name, command) => {
  test('has help that names all options and fits a terminal', () => {
    const help = commandHelp(command)
    for (const option of command.options) expect(help).toContain(`--${option.name}`)
    expect(Math.max(...help.split('\n').map(line => line.length))).toBeLessThanOrEqual(120)
  })

  test('has options of one name and one letter only once, among them those of every command', () => {
    const names = command.options.map(option => option.name)
    const letters = command.options.flatMap(option => option.short ?? [])
    expect(new Set(names).size).toBe(names.length)
    expect(new Set(letters).size).toBe(letters.length)
    expect(names).toEqual(expect.arrayContaining(['output', 'verbose', 'help']))
  })

  test('has examples that parse', () => {
    expect(command.examples.length).toBeGreaterThan(0)
    for (const example of command.examples) {
      const [program, ...argv] = (example.match(/"[^"]*"|\S+/g) ?? []).map(word => word.replaceAll('"', ''))
      expect(program).toBe('stubsim')
      expect(parseCommandLine(argv, commands)).toMatchObject({ kind: 'run', command: { name } })
    }
  })

  test('texts begin lower case and end without a full stop', () => {
    for (const text of [
      command.summary,
      ...command.options.map(option => option.help),
      ...(command.operand === null ? [] : [command.operand.help]),
    ]) {
      expect(text).not.toMatch(/^[A-Z][a-z]|\.$/)
    }
  })
})
