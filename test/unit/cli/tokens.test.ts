import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commands } from '../../../src/cli/commands.ts'
import { tokensOf, type KnownOption, type Token } from '../../../src/cli/tokens.ts'

/** The same by node:util, which defines what is meant. */
function byNode(args: readonly string[], known: readonly KnownOption[]): Token[] {
  const options = Object.fromEntries(
    known.flatMap(({ names, short, takesValue }) =>
      names.map((name, i) => [
        name,
        {
          type: takesValue ? ('string' as const) : ('boolean' as const),
          ...(short === undefined || i > 0 ? {} : { short }),
        },
      ]),
    ),
  )
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true })
  return tokens.flatMap((token): Token[] => {
    if (token.kind === 'option-terminator') return []
    if (token.kind === 'positional') return [{ kind: 'operand', value: token.value }]
    const { name, rawName, value, inlineValue = false } = token
    return [{ kind: 'option', name, rawName, value, inline: inlineValue }]
  })
}

const known: readonly KnownOption[] = [
  { names: ['ram'], short: undefined, takesValue: true },
  { names: ['image-loader', 'loader'], short: 'l', takesValue: true },
  { names: ['quiet', 'silent'], short: 'q', takesValue: false },
  { names: ['verbose'], short: 'v', takesValue: false },
  { names: ['output'], short: 'o', takesValue: true },
  { names: ['x'], short: undefined, takesValue: true },
]

test.each([
  [['FILE', '--ram', '1G', '-qv', '-ofile', '--loader=a=b', '--', '-q']],
  [['-q-x', '-v']],
  [['-q--', '-v']],
  [['-=x', '--=x', '---', '-', '']],
  [['-qo', '-v', '-qx', '--ram']],
  [['--__proto__', '--toString=1', '-z5', '-é𝒳']],
])('%j is split as node:util does', args => {
  expect(tokensOf(args, known)).toEqual(byNode(args, known))
})

test('any command line is split as node:util does', () => {
  const piece = fc.oneof(
    fc.constantFrom('-', '--', '=', '-q', '-o', '-x', '--ram', '--loader', '--quiet', '--silent', 'v'),
    fc.string({ maxLength: 3, unit: fc.constantFrom('-', '=', 'q', 'v', 'o', 'x', 'l', 'z', ' ', 'é') }),
  )
  const arg = fc.array(piece, { maxLength: 3 }).map(pieces => pieces.join(''))
  fc.assert(
    fc.property(fc.array(arg, { maxLength: 5 }), args => {
      expect(tokensOf(args, known)).toEqual(byNode(args, known))
    }),
    { numRuns: 3000 },
  )
})

test('so is every example of every command', () => {
  for (const { options, examples } of commands) {
    const ofCommand = options.map(({ name, short, formerly, value }) => ({
      names: formerly === undefined ? [name] : [name, formerly],
      short,
      takesValue: value !== undefined,
    }))
    for (const example of examples) {
      const args = example.split(' ').slice(2)
      expect(tokensOf(args, ofCommand)).toEqual(byNode(args, ofCommand))
    }
  }
})
