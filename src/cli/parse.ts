/**
 * Parses argv by the command table. Throws UsageError for unknown, repeated, empty, unexpected or missing
 * arguments.
 */
import { parseAddress, parseSize } from '../boot/quantity.ts'
import { UsageError } from '../bytes/errors.ts'
import type { Command, Given, Option } from './command.ts'
import { didYouMean } from './suggest.ts'
import { tokensOf } from './tokens.ts'

/** The parsed argv. */
export type Request =
  | { readonly kind: 'version' }
  /** `command`: null for the overview. `asked`: false if argv was empty. */
  | { readonly kind: 'help'; readonly command: Command | null; readonly asked: boolean }
  | { readonly kind: 'run'; readonly command: Command; readonly given: Given }

/** Reads argv (without node and script). Throws UsageError. */
export function parseCommandLine(argv: readonly string[], commands: readonly Command[]): Request {
  const [first, ...rest] = argv
  if (first === undefined) return { kind: 'help', command: null, asked: false }
  if (first === '--version' || first === '-V') return { kind: 'version' }
  if (first === '--help' || first === '-h') return { kind: 'help', command: null, asked: true }
  if (first.startsWith('-'))
    throw new UsageError(
      `the command comes first, then its options: stubsim COMMAND ${first} …; see stubsim --help`,
    )
  if (first === 'help')
    return {
      kind: 'help',
      command: rest[0] === undefined ? null : commandNamed(rest[0], commands),
      asked: true,
    }
  const command = commandNamed(first, commands)
  const { values, operands } = readTokens(command, rest)
  if (values.has('help')) return { kind: 'help', command, asked: true }
  return { kind: 'run', command, given: givenOf(command, values, operands) }
}

const isCalled = ({ name, formerly }: Option | Command, word: string): boolean =>
  name === word || formerly === word

function commandNamed(name: string, commands: readonly Command[]): Command {
  const command = commands.find(known => isCalled(known, name))
  if (command === undefined)
    throw new UsageError(
      `unknown command ${JSON.stringify(name)}${didYouMean(
        name,
        commands.map(known => known.name),
      )}; see stubsim --help`,
    )
  return command
}

/** Values by option; none for a flag. */
type Values = ReadonlyMap<string, readonly string[]>

interface Tokens {
  readonly values: Values
  readonly operands: readonly string[]
}

function readTokens(command: Command, args: readonly string[]): Tokens {
  const tokens = tokensOf(
    args,
    command.options.map(({ name, short, formerly, value }) => ({
      names: formerly === undefined ? [name] : [name, formerly],
      short,
      takesValue: value !== undefined,
    })),
  )
  const values = new Map<string, readonly string[]>()
  const operands: string[] = []
  for (const token of tokens) {
    if (token.kind === 'operand') {
      operands.push(token.value)
      continue
    }
    const option = command.options.find(known => isCalled(known, token.name))
    if (option === undefined) {
      const names = command.options.map(known => `--${known.name}`)
      throw new UsageError(
        `unknown option ${token.rawName}${didYouMean(token.rawName, names)}; see stubsim ` +
          `${command.name} --help`,
      )
    }
    const before = values.get(option.name)
    if (before !== undefined && option.several === undefined)
      throw new UsageError(`--${option.name} is given twice`)
    const now = valuesOf(option, token.rawName, token.value, token.inline)
    values.set(option.name, [...new Set([...(before ?? []), ...now])])
  }
  return { values, operands }
}

function valuesOf(option: Option, written: string, value: string | undefined, inline: boolean): string[] {
  if (option.value === undefined) {
    if (value !== undefined) throw new UsageError(`${written} takes no value`)
    return []
  }
  if (value === undefined) throw new UsageError(`${written} needs a value: ${option.value}`)
  if (value === '') throw new UsageError(`${written} has an empty value; it needs ${option.value}`)
  if (!inline && /^-\D/.test(value))
    throw new UsageError(
      `${written} needs a value: ${option.value}, but ${value} follows (write ` +
        `${written}=${value} if that is the value)`,
    )
  const values = option.several === 'commas' ? value.split(',').map(one => one.trim()) : [value]
  for (const one of values) checkValue(option, written, one)
  return values
}

function checkValue(option: Option, written: string, value: string): void {
  if (value === '') throw new UsageError(`${written}: a value between commas is empty`)
  if (option.choices !== undefined && !option.choices.includes(value)) {
    throw new UsageError(
      `${written}: ${JSON.stringify(value)} is not one of ` +
        `${option.choices.join(', ')}${didYouMean(value, option.choices)}`,
    )
  }
  if (option.kind !== undefined) quantityOf(option, value)
}

function quantityOf(option: Option, value: string): number {
  try {
    return option.kind === 'size' ? parseSize(value) : parseAddress(value)
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`--${option.name}: ${error.message}`) : error
  }
}

function givenOf(command: Command, values: Values, operands: readonly string[]): Given {
  const [operand = null, second] = operands
  const expected = command.operand
  if (expected === null && operand !== null)
    throw new UsageError(`${command.name} takes no operand, but ${JSON.stringify(operand)} is given`)
  if (second !== undefined && expected?.several !== true)
    throw new UsageError(
      `${command.name} takes one ${expected?.name ?? 'operand'}, but ` +
        `${JSON.stringify(operand)} and ${JSON.stringify(second)} are given`,
    )
  if (operands.includes('')) throw new UsageError(`${expected?.name ?? 'the operand'} is empty`)
  const needed =
    expected !== null &&
    (expected.required === 'always' ||
      (typeof expected.required === 'object' && !values.has(expected.required.unless)))
  if (needed && operand === null)
    throw new UsageError(
      `${command.name} needs ${expected.name}: ${expected.help}; see stubsim ${command.name} --help`,
    )
  const texts = (name: string): readonly string[] => values.get(name) ?? []
  const text = (name: string): string | undefined => texts(name)[0]
  return {
    operand,
    operands: [...new Set(operands)],
    has: flag => values.has(flag),
    text,
    texts,
    quantity: name => {
      const option = command.options.find(known => known.name === name)
      const value = text(name)
      return option === undefined || value === undefined ? undefined : quantityOf(option, value)
    },
  }
}
