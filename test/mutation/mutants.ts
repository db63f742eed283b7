/**
 * Finds places in our sources that can be changed, and writes sources that hold the original and the changed
 * code side by side: one number, set while tests run, says which change is in force.
 */
import ts from 'typescript'

/** One change. */
export interface Mutant {
  readonly file: string
  readonly line: number
  /** What becomes what. */
  readonly from: string
  readonly to: string
}

/** A change that is asked for: what has this text, in this line or in any, becomes something else. */
export interface Wanted {
  readonly file: string
  readonly line?: number
  readonly from: string
  readonly to: string
}

interface Change {
  readonly node: ts.Node
  readonly mutant: Mutant
  /** Is a statement left out? */
  readonly isDropped: boolean
}

const OPERATORS = new Map<ts.SyntaxKind, readonly string[]>([
  [ts.SyntaxKind.LessThanToken, ['<=', '>']],
  [ts.SyntaxKind.LessThanEqualsToken, ['<', '>']],
  [ts.SyntaxKind.GreaterThanToken, ['>=', '<']],
  [ts.SyntaxKind.GreaterThanEqualsToken, ['>', '<']],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, ['!==']],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, ['===']],
  [ts.SyntaxKind.AmpersandAmpersandToken, ['||']],
  [ts.SyntaxKind.BarBarToken, ['&&']],
  [ts.SyntaxKind.PlusToken, ['-']],
  [ts.SyntaxKind.MinusToken, ['+']],
  [ts.SyntaxKind.AmpersandToken, ['|']],
])

const isText = (node: ts.Node): boolean =>
  ts.isStringLiteralLike(node) ||
  ts.isTemplateExpression(node) ||
  (ts.isBinaryExpression(node) && (isText(node.left) || isText(node.right)))

/** Code outside functions runs once, when a module is loaded: it cannot be switched. */
function isInFunction(node: ts.Node): boolean {
  for (let up = node; !ts.isSourceFile(up); up = up.parent) if (ts.isFunctionLike(up.parent)) return true
  return false
}

/** The other texts that an expression may have. */
function alternatives(node: ts.Node, text: string): readonly string[] {
  if (ts.isBinaryExpression(node) && !isText(node)) {
    const { left, right, operatorToken } = node
    return (OPERATORS.get(operatorToken.kind) ?? []).map(
      operator => `(${left.getText()}) ${operator} (${right.getText()})`,
    )
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
    return [node.operand.getText()]
  if (ts.isNumericLiteral(node) && !ts.isPropertyAssignment(node.parent) && !ts.isTypeNode(node.parent))
    return [`${text} + 1`]
  const { parent } = node
  const isCondition =
    (ts.isIfStatement(parent) && parent.expression === node) ||
    (ts.isConditionalExpression(parent) && parent.condition === node)
  if (
    isCondition &&
    (ts.isCallExpression(node) || ts.isPropertyAccessExpression(node) || ts.isIdentifier(node))
  )
    return [`!(${text})`]
  return []
}

function* changesBelow(file: string, node: ts.Node): Generator<Change> {
  if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node)) return
  const source = node.getSourceFile()
  const text = ts.isSourceFile(node) ? '' : node.getText()
  const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1
  if (isInFunction(node)) {
    for (const to of alternatives(node, text))
      yield { node, mutant: { file, line, from: text, to }, isDropped: false }
    if (
      ts.isExpressionStatement(node) &&
      ts.isCallExpression(node.expression) &&
      node.expression.expression.kind !== ts.SyntaxKind.SuperKeyword
    )
      yield { node, mutant: { file, line, from: text, to: '' }, isDropped: true }
  }
  const children: ts.Node[] = []
  node.forEachChild(child => {
    children.push(child)
  })
  for (const child of children) yield* changesBelow(file, child)
}

const parsed = (file: string, text: string): ts.SourceFile =>
  ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)

/** All changes that can be made to a source. */
export function mutantsOf(file: string, text: string): readonly Mutant[] {
  return [...changesBelow(file, parsed(file, text))].map(({ mutant }) => mutant)
}

function isSame(a: Mutant, b: Mutant): boolean {
  return a.line === b.line && a.from === b.from && a.to === b.to
}

function* wantedBelow(file: string, node: ts.Node, wanted: readonly Wanted[]): Generator<Change> {
  const line = node.getSourceFile().getLineAndCharacterOfPosition(node.getStart()).line + 1
  const hits = wanted.filter(
    one =>
      one.file === file &&
      (one.line ?? line) === line &&
      !ts.isSourceFile(node) &&
      node.getText() === one.from,
  )
  for (const { from, to } of ts.isExpressionStatement(node) ||
  (ts.isExpression(node) && !ts.isExpressionStatement(node.parent))
    ? hits
    : [])
    yield { node, mutant: { file, line, from, to }, isDropped: ts.isExpressionStatement(node) }
  const children: ts.Node[] = []
  node.forEachChild(child => {
    children.push(child)
  })
  for (const child of children) yield* wantedBelow(file, child, wanted)
}

/** The changes that were asked for, where they are in a source. */
export function wantedIn(file: string, text: string, wanted: readonly Wanted[]): readonly Mutant[] {
  return [...wantedBelow(file, parsed(file, text), wanted)].map(({ mutant }) => mutant)
}

/**
 * The source with all of `mutants` in it: `idOf` gives the number of each. Loops count their rounds, so that
 * a change that makes one endless is noticed.
 */
export function switched(
  file: string,
  text: string,
  mutants: readonly Mutant[],
  wanted: readonly Wanted[],
  idOf: (mutant: Mutant) => number,
): string {
  const root = parsed(file, text)
  const changes = new Map<ts.Node, Change[]>()
  for (const change of [...changesBelow(file, root), ...wantedBelow(file, root, wanted)]) {
    const of = changes.get(change.node) ?? []
    if (mutants.some(one => isSame(one, change.mutant)) && !of.some(one => isSame(one.mutant, change.mutant)))
      changes.set(change.node, [...of, change])
  }
  const emit = (node: ts.Node): string => {
    let out = ''
    let at = node.getStart()
    node.forEachChild(child => {
      if (child.getStart() < at) return
      out += text.slice(at, child.getStart())
      out += emit(child)
      at = child.getEnd()
    })
    out += text.slice(at, node.getEnd())
    if (isLoopBody(node)) out = `{ __loop(); ${out} }`
    for (const { mutant, isDropped } of changes.get(node) ?? []) {
      const id = String(idOf(mutant))
      if (!isDropped) out = `(__mutant(${id}) ? (${mutant.to}) : (${out}))`
      else
        out =
          mutant.to === ''
            ? `{ if (!__mutant(${id})) { ${out} } }`
            : `{ if (__mutant(${id})) { ${mutant.to} } else { ${out} } }`
    }
    return out
  }
  return text.slice(0, root.getStart()) + emit(root) + text.slice(root.getEnd())
}

function isLoopBody(node: ts.Node): boolean {
  const parent = node.parent as ts.Node | undefined
  return parent !== undefined && ts.isIterationStatement(parent, false) && parent.statement === node
}

/** `count` of them, chosen by `seed`; the same ones for the same seed, as far as the lines are the same. */
export function chosen(all: readonly Mutant[], count: number, seed: number): readonly Mutant[] {
  const weight = ({ file, line, from, to }: Mutant): number => {
    let sum = 0x811c9dc5 ^ seed
    for (const letter of `${file}:${String(line)}:${from}:${to}`)
      sum = Math.imul(sum ^ letter.charCodeAt(0), 0x01000193)
    sum ^= sum >>> 15
    return Math.imul(sum, 0x2c1b3c6d) >>> 0
  }
  return all
    .map(mutant => ({ mutant, weight: weight(mutant) }))
    .sort((a, b) => a.weight - b.weight)
    .slice(0, count)
    .map(({ mutant }) => mutant)
}
