// Writes dist/spec-index.json: for every clause of spec/ the links to what was read upstream, the functions
// of ours that cite it and the law tests that hold it. `stubsim spec`, JSON and SARIF print from it.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const textOf = path => readFileSync(join(top, path), 'utf8')
const CLAUSE = /\b(?:FW|PE|ST|LZ|HO|EP|ZO|HZ)-\d+\b/g
/** Clauses at the head of a law test's title. */
const HEAD = /^(?:(?:FW|PE|ST|LZ|HO|EP|ZO|HZ)-\d+(?:, | and |: | |$))+/
const IS_CLAUSE = /^(?:FW|PE|ST|LZ|HO|EP|ZO|HZ)-\d+$/
/** Functions and tests that are named of one clause: where to begin to read. The package is to stay small. */
const MOST = { code: 2, tests: 1 }

function filesBelow(folder, ending) {
  return readdirSync(join(top, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith(ending) && !entry.name.endsWith('.d.ts'))
    .map(entry =>
      join(entry.parentPath, entry.name)
        .slice(top.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort()
}

/** The template of every source, by its short name; null where there is no link. */
function templates() {
  const rows = textOf('spec/sources.md').matchAll(/^\| ([^|\s]+) \|.*\| (\S+) \|$/gm)
  return new Map([...rows].map(([, name, link]) => [name, link.startsWith('https://') ? link : null]))
}

/** `linux@5.10.223 arch/x86/boot/compressed/misc.c parse_elf`: the template with the file in it. */
function linkOf(source, known) {
  const [, name, rest] = /^([^\s,]+)[\s,]*(.*)$/.exec(source)
  const template = known.get(name) ?? null
  const [path = ''] = /^[^\s,;]+/.exec(rest) ?? []
  return template?.replace('{path}', path.split('/').map(encodeURIComponent).join('/')) ?? null
}

/** Id and sources of every clause. */
function clauses() {
  return filesBelow('spec', '.md').flatMap(file =>
    textOf(file)
      .split(/^(?=### )/m)
      .flatMap(part => {
        const [, id] = /^### ([A-Z]{2}-\d+): /.exec(part) ?? []
        const [head] = part.split('\n\n')
        return id === undefined
          ? []
          : [{ id, sources: [...head.matchAll(/^Source: (.+)$/gm)].map(([, source]) => source) }]
      }),
  )
}

function walk(node, visit) {
  visit(node)
  ts.forEachChild(node, child => walk(child, visit))
}

const parse = path => ts.createSourceFile(path, textOf(path), ts.ScriptTarget.ES2023, true)

/** What a reader looks for: the function, constant or `class.method` of the file in which a node stands. */
function placeOf(node) {
  let name = null
  for (let at = node; at.parent !== undefined; at = at.parent) {
    const isTop =
      ts.isSourceFile(at.parent) || (ts.isVariableDeclaration(at) && ts.isSourceFile(at.parent.parent.parent))
    if (ts.isMethodDeclaration(at) && ts.isClassLike(at.parent)) name = at.name.getText()
    if (isTop && at.name !== undefined)
      return name === null ? at.name.getText() : `${at.name.getText()}.${name}`
  }
  return null
}

/**
 * How well a string says that its function obeys the clause: a step, then a result that names it, then the
 * rest.
 */
function rankOf(node) {
  const { parent } = node
  if (
    ts.isCallExpression(parent) &&
    parent.arguments[0] === node &&
    /\bstep$/.test(parent.expression.getText())
  )
    return 0
  if (ts.isPropertyAssignment(parent) && parent.name.getText() === 'clause') return 1
  return 2
}

function note(places, id, place) {
  const known = places.get(id) ?? []
  places.set(id, known)
  if (!known.some(one => one.file === place.file && one.name === place.name)) known.push(place)
}

/** What stands at an offset of a file, with the comments above it. */
function placeAt(source, offset) {
  const holds = node => node.pos <= offset && offset < node.end
  const statement = source.statements.find(holds)
  if (statement === undefined) return null
  if (ts.isClassLike(statement)) return placeOf(statement.members.find(holds) ?? statement)
  const declared = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [statement]
  return placeOf(declared.find(holds) ?? declared[0])
}

/** Places in src by clause: strings that are the clause; where there are none, whatever mentions it. */
function code() {
  const cited = new Map()
  const mentioned = new Map()
  for (const file of filesBelow('src', '.ts')) {
    const text = textOf(file)
    if (text.search(CLAUSE) < 0) continue
    const source = parse(file)
    // a table of spans is no function that obeys: it comes behind the steps
    const apart = id =>
      (file.startsWith('src/hazard/') && !id.startsWith('HZ-')) || file.endsWith('/law.ts') ? 3 : 0
    walk(source, node => {
      if (!ts.isStringLiteralLike(node) || !IS_CLAUSE.test(node.text) || ts.isLiteralTypeNode(node.parent))
        return
      const name = placeOf(node)
      if (name !== null) note(cited, node.text, { file, name, rank: rankOf(node) + apart(node.text) })
    })
    for (const { 0: id, index } of text.matchAll(CLAUSE)) {
      const name = placeAt(source, index)
      if (name !== null) note(mentioned, id, { file, name, rank: apart(id) })
    }
  }
  for (const [id, found] of mentioned) if (!cited.has(id)) cited.set(id, found)
  for (const found of cited.values()) found.sort((a, b) => a.rank - b.rank)
  return cited
}

/**
 * Law tests by clause: a test whose title begins with it, else a test file that names it in a table of cases.
 */
function tests() {
  const titled = new Map()
  const named = new Map()
  for (const file of filesBelow('test/spec', '.ts'))
    walk(parse(file), node => {
      if (!ts.isStringLiteralLike(node) && !ts.isTemplateHead(node)) return
      const [head] = HEAD.exec(node.text) ?? ['']
      if (head === '') return
      const call = ts.isTemplateHead(node) ? node.parent.parent : node.parent
      const isTest = ts.isCallExpression(call) && /^(?:test|it)\b/.test(call.expression.getText())
      const title = ts.isTemplateHead(node) ? `${node.text}…` : node.text
      for (const [id] of head.matchAll(CLAUSE))
        note(isTest ? titled : named, id, { file, name: isTest ? title : null })
    })
  for (const [id, found] of named) if (!titled.has(id)) titled.set(id, found)
  return titled
}

const known = templates()
const [places, laws] = [code(), tests()]
const some = (map, id, most) => (map.get(id) ?? []).slice(0, most).map(({ file, name }) => [file, name])
const index = Object.fromEntries(
  clauses().map(({ id, sources }) => [
    id,
    {
      upstream: [...new Set(sources.flatMap(source => linkOf(source, known) ?? []))],
      code: some(places, id, MOST.code),
      tests: some(laws, id, MOST.tests),
    },
  ]),
)
mkdirSync(join(top, 'dist'), { recursive: true })
writeFileSync(join(top, 'dist/spec-index.json'), `${JSON.stringify(index)}\n`)
