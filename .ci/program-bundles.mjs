// What is done to the program's bundles (CommonJS) so that less is left to do when they are loaded.
import { basename } from 'node:path'
import { minifySync } from 'rolldown/utils'
import ts from 'typescript'

const RUNTIME = 'rolldown-runtime.js'
const FIRST = 'program.js'
const MODEL = 'model.js'
/** What the first bundle uses of the model. */
const USUAL = 'check_exports'

const IS_ALL = /require_model = (require\("\.\/model\.js"\))/g
const EXPORT =
  /exports\.(\w+) = ([\w$]+)|Object\.defineProperty\(exports, "(\w+)", \{\s*enumerable: !0,\s*get: function\(\) \{\s*return ([\w$]+);\s*\}\s*\}\)/g
const EXPORTS = new RegExp(`(?<=\\n)(?:${EXPORT.source})(?:, (?:${EXPORT.source}))*;\\s*$`)

const listed = exports => `${exports.map(([name, value]) => `exports.${name} = ${value}`).join(', ')};\n`

/**
 * No exported name of ours is assigned twice, so an export is a value; as a getter it costs a function. The
 * usual check needs one of the hundreds that `model` has: the others are set when another bundle asks.
 */
function plainExports(code, isModel, more) {
  return code.replace(EXPORTS, list => {
    const all = [...list.matchAll(EXPORT)].map(([, name, value, defined, got]) => [
      name ?? defined,
      value ?? got,
    ])
    const isSoon = ([name]) => name === USUAL
    return isModel
      ? `exports.all = () => {\nexports.all = () => exports;\n${listed(all.filter(one => !isSoon(one)))}` +
          `return exports;\n};\n${listed(all.filter(isSoon))}`
      : listed([...all, ...more])
  })
}

/**
 * The bundle `model` loads `seldom` when it first calls it, which may only be from a function: neither needs
 * the other while it is evaluated.
 */
function loadsSeldomLate(code) {
  const file = ts.createSourceFile('bundle.js', code, ts.ScriptTarget.ES2023)
  const eager = []
  const visit = node => {
    if (ts.isPropertyAccessExpression(node) && node.expression.getText(file) === 'require_seldom')
      eager.push(node.getText(file))
    if (!ts.isFunctionLike(node)) ts.forEachChild(node, visit)
  }
  visit(file)
  const from = 'require_seldom = require("./seldom.js")'
  if (eager.length > 0 || !code.includes(from))
    throw new Error(`model cannot load seldom late: ${eager.join(', ') || 'it does not load it'}`)
  return code
    .replace(from, 'require_seldom = () => require("./seldom.js")')
    .replace(/\brequire_seldom\./g, 'require_seldom().')
}

/** A bundle's exports are complete when it is evaluated: so no other one may need it before. */
function refuseCircles(chunks) {
  const needs = new Map(
    chunks.map(({ fileName, imports }) => [
      fileName,
      imports.filter(name => !(fileName === MODEL && name === 'seldom.js')),
    ]),
  )
  const visit = (name, above) => {
    if (above.includes(name)) throw new Error(`bundles need each other: ${[...above, name].join(' → ')}`)
    for (const next of needs.get(name) ?? []) visit(next, [...above, name])
  }
  for (const name of needs.keys()) visit(name, [])
}

/**
 * The bundles without that of rolldown's helpers, which are put where the first bundle asks for them: each
 * file costs its opening, and the helpers' costs more than they do. `chunks` are rolldown's; answers with
 * what to do to the code of one.
 */
export function programBundles(chunks) {
  refuseCircles(chunks)
  const runtime = chunks.find(({ fileName }) => fileName === RUNTIME)
  const helpers = runtime?.exports ?? []
  const asked = `require("./${RUNTIME}")`
  const inPlace = () => {
    const body = runtime.code.replace(/^"use strict";/, '').replace(EXPORTS, '')
    const { code } = minifySync(RUNTIME, `helpers = (() => {${body}\nreturn { ${helpers.join(', ')} } })()`)
    return code.replace(/^helpers=|;?\s*$/g, '')
  }
  if (runtime !== undefined && !chunks.find(({ fileName }) => fileName === FIRST).code.includes(asked))
    throw new Error(`${FIRST} does not ask for the helpers of the others`)
  return {
    chunks: chunks.filter(chunk => chunk !== runtime),
    finished(fileName, code) {
      const isFirst = basename(fileName) === FIRST
      const more = isFirst ? helpers.map(name => [name, `require_rolldown_runtime.${name}`]) : []
      const alone = code.replace(asked, () => (isFirst ? inPlace() : `require("./${FIRST}")`))
      const isModel = fileName === MODEL
      const late = isModel ? loadsSeldomLate(alone) : alone.replaceAll(IS_ALL, 'require_model = $1.all()')
      return plainExports(late, isModel, more)
    },
  }
}
