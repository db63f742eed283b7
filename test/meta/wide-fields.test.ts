import ts from 'typescript'
import { expect, test } from 'vitest'
import { nodesOf, sources } from '../support/repository.ts'

/** Who makes 64-bit words of bytes beside int.ts, and why it may. */
const ALLOWED: Readonly<Record<string, string>> = {
  'src/bytes/struct.ts': 'structures that only guest memory holds',
  'src/firmware/image-loaders/loaded-bytes.ts': 'relocated words: as many as an image has',
}

const isCallOfBigInt = (node: ts.Node): node is ts.CallExpression =>
  ts.isCallExpression(node) && node.expression.getText() === 'BigInt'

/** A place in an array, not a name in a table. */
const isIndex = (node: ts.Expression): boolean =>
  ts.isNumericLiteral(node) || ts.isBinaryExpression(node) || /^.$/.test(node.getText())

/** What node makes a wide integer of bytes (or bytes of one) by itself; null when it does not. */
function ownWay(node: ts.Node): string | null {
  if (ts.isIdentifier(node) && /^([gs]etBig(Ui|I)nt64|Big(Ui|I)nt64Array)$/.test(node.text)) return node.text
  if (isCallOfBigInt(node)) {
    const [of] = node.arguments
    const value = of !== undefined && ts.isBinaryExpression(of) ? of.left : of
    return value !== undefined && ts.isElementAccessExpression(value) && isIndex(value.argumentExpression)
      ? node.getText()
      : null
  }
  return ts.isBinaryExpression(node) &&
    [ts.SyntaxKind.LessThanLessThanToken, ts.SyntaxKind.GreaterThanGreaterThanToken].includes(
      node.operatorToken.kind,
    ) &&
    isCallOfBigInt(node.left)
    ? node.getText()
    : null
}

const ownWays = (nodes: Iterable<ts.Node>): string[] => [...nodes].flatMap(node => ownWay(node) ?? [])

test('wide fields of file headers are read and written by int.ts alone', () => {
  const users = sources().filter(file => file !== 'src/bytes/int.ts' && ownWays(nodesOf(file)).length > 0)
  expect(users.sort()).toEqual(Object.keys(ALLOWED).sort())
})

test('the ways that are looked for are those there are', () => {
  const text = `
    view.getBigUint64(0, true); view.setBigUint64(0, n, true); view.getBigInt64(0)
    new BigUint64Array(2); BigInt(bytes[3]); BigInt(bytes[3] ?? 0); BigInt(high) << 32n; BigInt(word) >> 8n
    BigInt(base) - ImageBase; 1n << BigInt(type); BigInt(of(x)); BigInt(table[name]); BigInt(bytes[i])
  `
  const found: ts.Node[] = []
  const visit = (node: ts.Node): void => {
    found.push(node)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('text.ts', text, ts.ScriptTarget.ES2023, true))
  expect(ownWays(found)).toEqual([
    'getBigUint64',
    'setBigUint64',
    'getBigInt64',
    'BigUint64Array',
    'BigInt(bytes[3])',
    'BigInt(bytes[3] ?? 0)',
    'BigInt(high) << 32n',
    'BigInt(word) >> 8n',
    'BigInt(bytes[i])',
  ])
})
