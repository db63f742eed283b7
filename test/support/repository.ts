/**
 * The repository as its own tests see it: files, texts, imports, strings. Everything by absolute path, named
 * by the path from the top.
 */
import { posix } from 'node:path'
import ts from 'typescript'
import { filesBelow, textOf, TOP } from './files.ts'

export { filesBelow, textOf, TOP }

/** The TypeScript files below `src`, declarations of foreign modules left out. */
export function sources(folder = 'src'): string[] {
  return filesBelow(folder).filter(path => path.endsWith('.ts') && !path.endsWith('.d.ts'))
}

export interface Import {
  readonly from: string
  /** As written. */
  readonly specifier: string
  /** Path from the top, when it names a file of ours. */
  readonly to: string | null
  readonly typeOnly: boolean
}

const parsed = new Map<string, ts.SourceFile>()

export function parse(path: string): ts.SourceFile {
  const known = parsed.get(path)
  if (known !== undefined) return known
  const file = ts.createSourceFile(path, textOf(path), ts.ScriptTarget.ES2023, true)
  parsed.set(path, file)
  return file
}

const listed = new Map<string, readonly ts.Node[]>()

/** Every node of a file, parents first. */
export function nodesOf(path: string): readonly ts.Node[] {
  const known = listed.get(path)
  if (known !== undefined) return known
  const nodes: ts.Node[] = []
  const list = (node: ts.Node): void => {
    nodes.push(node)
    ts.forEachChild(node, list)
  }
  list(parse(path))
  listed.set(path, nodes)
  return nodes
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node))
    return (
      node.isTypeOnly ||
      (node.exportClause !== undefined &&
        ts.isNamedExports(node.exportClause) &&
        node.exportClause.elements.every(element => element.isTypeOnly))
    )
  const clause = node.importClause
  if (clause === undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const { namedBindings } = clause
  return (
    clause.name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.every(element => element.isTypeOnly)
  )
}

/** What a file imports or exports from, statically or not. */
export function importsOf(path: string): Import[] {
  const found: Import[] = []
  const note = (specifier: string, typeOnly: boolean) => {
    found.push({
      from: path,
      specifier,
      to: specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : null,
      typeOnly,
    })
  }
  for (const node of nodesOf(path)) {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier !== undefined &&
      ts.isStringLiteral(node.moduleSpecifier)
    )
      note(node.moduleSpecifier.text, isTypeOnly(node))
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments
      note(argument !== undefined && ts.isStringLiteral(argument) ? argument.text : '(computed)', false)
    }
    if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteral(node.argument.literal)
    )
      note(node.argument.literal.text, true)
  }
  return found
}

/**
 * The text of every string literal and template piece of a file: what the program says, comments and import
 * lines left out.
 */
export function stringsOf(path: string): string[] {
  const found: string[] = []
  for (const node of nodesOf(path)) {
    if (
      !ts.isStringLiteralLike(node) &&
      !ts.isTemplateHead(node) &&
      !ts.isTemplateMiddle(node) &&
      !ts.isTemplateTail(node)
    )
      continue
    if (!ts.isImportDeclaration(node.parent) && !ts.isExportDeclaration(node.parent)) found.push(node.text)
  }
  return found
}
