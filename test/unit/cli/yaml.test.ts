import { Lexer } from 'yaml'
import { expect, test } from 'vitest'
import { UsageError } from '../../../src/bytes/errors.ts'
import { parseYaml, whyUnboundedText, YAML_MAX } from '../../../src/cli/yaml.ts'

/** What is wrong with the text, and how many of its tokens were looked at. */
function looked(text: string): readonly [why: string | null, tokens: number] {
  let tokens = 0
  function* counted(): Generator<string> {
    for (const token of new Lexer().lex(text)) {
      tokens++
      yield token
    }
  }
  return [whyUnboundedText(counted()), tokens]
}

test('nesting and anchors are bounded before anything is composed, and looking ends there', () => {
  for (const text of ['['.repeat(30000), '{a: '.repeat(9000), '? '.repeat(30000), '- '.repeat(30000)]) {
    const [why, tokens] = looked(text)
    expect([text.slice(0, 4), why]).toEqual([text.slice(0, 4), 'it is nested more than 64 deep'])
    expect(tokens).toBeLessThan(400)
  }
  const anchors = Array.from({ length: 3000 }, (_, i) => `a${String(i)}: &a${String(i)} 1\n`).join('')
  const [why, tokens] = looked(anchors)
  expect(why).toBe('it has more than 100 anchors')
  expect(tokens).toBeLessThan(1500)
  expect(looked('a: [[1], {b: [2]}]\n'.repeat(500))[0]).toBeNull()
  expect(looked('- a: 1\n  b: "[[["\n'.repeat(500))[0]).toBeNull()
})

test.each([
  ['too long', `x: [${'1,'.repeat(10 ** 6)}]`, /^s\.yaml: 2000005 characters of YAML, 65536 at the most/],
  ['a cycle', 'schema: 1\nimage: &x\n  file: *x\n', /^s\.yaml: it is nested more than 64 deep$/],
  ['a merge of itself', 'a: &a\n  <<: *a\n', /^s\.yaml: it is nested more than 64 deep$/],
  [
    'an alias of many',
    `a: &a [${'1,'.repeat(9000)}]\nb: [${'*a,'.repeat(20)}]`,
    /: it has more than 131072 values$/,
  ],
  ['wrong escapes', `"${'\\x'.repeat(5000)}`, /^s\.yaml: not YAML: Invalid escape .* at line 1, column 2$/],
  ['no anchor', 'a: *b', /^s\.yaml: not YAML: Unresolved alias/],
])('refused in one line: %s', async (_name, text, why) => {
  const refused = parseYaml(text, 's.yaml')
  await expect(refused).rejects.toThrow(UsageError)
  await expect(refused).rejects.toThrow(why)
})

test('an ordinary text is read, its integers without rounding', async () => {
  expect(await parseYaml('a: &a [1, 0x20000000000001]\nb: *a\n', 's.yaml')).toEqual({
    a: [1n, 0x20000000000001n],
    b: [1n, 0x20000000000001n],
  })
  expect(await parseYaml(`a: "${'x'.repeat(YAML_MAX - 6)}"`, 's.yaml')).toHaveProperty('a')
})
