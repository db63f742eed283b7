/** Help and the reference page, both made from the command table. */
import { wrap } from '../report/layout.ts'
import type { Command, Option } from './command.ts'

/** Exit codes that every command has. */
export const COMMON_EXITS: readonly (readonly [code: number, meaning: string])[] = [
  [2, 'the input cannot be used, or the result cannot be written: one line on stderr says why'],
  [70, 'a bug in stubsim: one line on stderr; please report it'],
]

function optionText(option: Option): string {
  const long = `--${option.name}${option.value === undefined ? '' : ` ${option.value}`}`
  return option.short === undefined ? long : `-${option.short}, ${long}`
}

function optionHelp(option: Option): string {
  return option.choices === undefined ? option.help : `${option.help}: ${option.choices.join(', ')}`
}

function exitsOf(command: Command): (readonly [number, string])[] {
  return [...command.exits, ...COMMON_EXITS].sort(([a], [b]) => a - b)
}

/** `stubsim check [FILE] [options]`. */
export function usageLine(command: Command): string {
  const { operand } = command
  if (operand === null) return `stubsim ${command.name} [options]`
  const names = operand.several === true ? `${operand.name}...` : operand.name
  const name = operand.required === 'always' ? names : `[${names}]`
  return `stubsim ${command.name} ${name} [options]`
}

const TEXT_WIDTH = 80

/** Words in lines of at most TEXT_WIDTH, each after `indent` spaces; the first line is not indented. */
const indented = (text: string, indent: number): string =>
  wrap(text, TEXT_WIDTH - indent).join(`\n${' '.repeat(indent)}`)

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${indented(right, width + 4)}\n`).join('')
}

/** `stubsim --help`. */
export function overviewHelp(commands: readonly Command[]): string {
  return [
    'stubsim simulates a boot through UEFI, systemd-stub and the Linux\ndecompressor, ' +
      'and predicts the damage before you boot.\n',
    '\nusage: stubsim COMMAND [FILE] [options]\n\n',
    table(commands.map(command => [command.name, command.summary])),
    '\nstubsim COMMAND --help explains a command; stubsim --version prints the release.\n' +
      'Every command takes --format json; check has sarif, junit and markdown, too.\n',
  ].join('')
}

/** A command to copy; a long one continues on a second line after a backslash, before an option. */
function exampleText(example: string): string {
  const whole = example.replaceAll(/ (--?[a-z-]+) (?!-)/g, ' $1\u00a0')
  const [first = '', ...rest] = wrap(whole, TEXT_WIDTH - 6)
  const lines = [`  ${first}`, ...rest.map(line => `      ${line}`)]
  return `${lines.join(' \\\n').replaceAll('\u00a0', ' ')}\n`
}

/** `stubsim COMMAND --help`. */
export function commandHelp(command: Command): string {
  const { operand } = command
  return [
    `${command.name}: ${command.summary}\n`,
    `\nusage: ${usageLine(command)}\n\n`,
    table([
      ...(operand === null ? [] : [[operand.name, operand.help] as const]),
      ...command.options.map(option => [optionText(option), optionHelp(option)] as const),
    ]),
    ...(command.notes ?? []).map(note => `\n${indented(note, 0)}\n`),
    '\nexit code\n',
    table(exitsOf(command).map(([code, meaning]) => [String(code), meaning])),
    command.examples.length === 0 ? '' : `\nexamples\n${command.examples.map(exampleText).join('')}`,
  ].join('')
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

function commandSection(command: Command): string {
  const { operand } = command
  const rows = [
    ...(operand === null ? [] : [`| \`${operand.name}\` | ${cell(operand.help)} |`]),
    ...command.options.map(option => `| \`${optionText(option)}\` | ${cell(optionHelp(option))} |`),
  ]
  return [
    `## ${command.name}`,
    `${command.summary[0]?.toUpperCase() ?? ''}${command.summary.slice(1)}.`,
    `\`\`\`text\n${usageLine(command)}\n\`\`\``,
    ['| operand, option | meaning |', '|---|---|', ...rows].join('\n'),
    ...(command.notes ?? []),
    [
      '| exit | meaning |',
      '|---|---|',
      ...exitsOf(command).map(([code, meaning]) => `| ${String(code)} | ${cell(meaning)} |`),
    ].join('\n'),
    ...(command.examples.length === 0 ? [] : [`\`\`\`sh\n${command.examples.join('\n')}\n\`\`\``]),
  ].join('\n\n')
}

/** docs/reference/cli.md. */
export function referencePage(commands: readonly Command[]): string {
  return (
    [
      '# The command line',
      'This page is made from the table in `src/cli/commands.ts`; a test keeps both equal.',
      'Only the result goes to stdout; errors, and progress with `-v`, go to stderr. Sizes ' +
        'and addresses are written `4096`, `0x1000`, `16MiB` or `1.5GiB`. Colours are used ' +
        'on a terminal only, and not if `NO_COLOR` is set; `--color` overrides both.',
      'A small text (`--memmap`, `--observed`, `--scenario`) may come from a pipe, as `-` ' +
        'or as process substitution in a shell: `dmesg | stubsim check uki.efi --memmap -`.',
      '`stubsim --version` prints the release; `stubsim --help` lists the commands; ' +
        '`stubsim COMMAND --help` and `stubsim help COMMAND` explain one.',
      ...commands.map(commandSection),
    ].join('\n\n') + '\n'
  )
}
