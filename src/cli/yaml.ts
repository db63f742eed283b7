/**
 * YAML of bounded length, depth and number of anchors. The bounds are checked before a document is composed.
 */
import { UsageError } from '../bytes/errors.ts'
import { DEPTH_MAX, whyUnbounded } from '../bytes/plain-data.ts'

/** Longest YAML text that is parsed, in UTF-16 units. The parser takes quadratic time for some texts. */
export const YAML_MAX = 2 ** 16
/** Most anchors that a text may have. */
const ANCHORS_MAX = 100

/**
 * @internal What the tokens of a YAML text say about its bounds: why it is not taken, or null. Block
 * collections that begin on one line are counted on that line; the length of the text bounds those that begin
 * on many.
 */
export function whyUnboundedText(tokens: Iterable<string>): string | null {
  let flow = 0
  let block = 0
  let anchors = 0
  for (const token of tokens) {
    switch (token.charAt(0)) {
      case '[':
      case '{':
        flow += token.length === 1 ? 1 : 0
        break
      case ']':
      case '}':
        flow = Math.max(0, flow - 1)
        break
      case '-':
      case '?':
      case ':':
        block += flow === 0 && token.length === 1 ? 1 : 0
        break
      case '&':
        anchors++
        break
      case '\n':
      case '\r':
        block = 0
        break
    }
    if (Math.max(flow, block) > DEPTH_MAX) return `it is nested more than ${String(DEPTH_MAX)} deep`
    if (anchors > ANCHORS_MAX) return `it has more than ${String(ANCHORS_MAX)} anchors`
  }
  return null
}

/**
 * Integers become bigint, so that none is rounded on the way. Throws UsageError that names file and reason.
 */
export async function parseYaml(text: string, path: string): Promise<unknown> {
  const refuse = (why: string): never => {
    throw new UsageError(`${path}: not YAML: ${why.split('\n')[0] ?? ''}`)
  }
  if (text.length > YAML_MAX)
    throw new UsageError(
      `${path}: ${String(text.length)} characters of YAML, ${String(YAML_MAX)} at the ` +
        'most; JSON may be longer',
    )
  const { Lexer, LineCounter, parseDocument } = await import('yaml')
  const unbounded = whyUnboundedText(new Lexer().lex(text))
  if (unbounded !== null) throw new UsageError(`${path}: ${unbounded}`)
  const lineCounter = new LineCounter()
  const document = parseDocument(text, {
    intAsBigInt: true,
    logLevel: 'error',
    // Making an error pretty takes time in proportion to the text, and there may be as many errors as
    // characters
    prettyErrors: false,
    lineCounter,
  })
  const [error] = document.errors
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0])
    refuse(`${error.message} at line ${String(line)}, column ${String(col)}`)
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 100 })
  } catch (thrown) {
    // Aliases that multiply, or that name no anchor, are refused with an error of the reader's own
    refuse(thrown instanceof Error ? thrown.message : 'cannot be resolved')
  }
  const why = whyUnbounded(value)
  if (why !== null) throw new UsageError(`${path}: ${why}`)
  return value
}
