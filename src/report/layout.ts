/** Plain text in columns and indented paragraphs: shared by the text renderers. No colour of its own. */

/** The role of a piece of text, for colouring. */
export type Tone =
  'damage' | 'breach' | 'advice' | 'clean' | 'refused' | 'unknown' | 'heading' | 'faint' | 'mark'
/** Colours a piece of text; must not change its visible width. */
export type Paint = (text: string, tone: Tone) => string

/** No colour. */
export const plain: Paint = text => text

/** Options of the text renderers. */
export interface TextOptions {
  /** Default: no colour. */
  readonly paint?: Paint
  /** Width at which prose is wrapped, in characters. Default 120. */
  readonly width?: number
}

/** Control characters, line separators and marks that change the direction of text. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

/**
 * Text from a file or from memory as it may be shown: what is not printable stands as `\\x1b` or `\\u202e`.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, char => {
    const code = char.charCodeAt(0)
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
  })
}

/** Breaks prose at spaces; a word longer than the width gets a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** A label in a column, prose after it, further lines indented to the prose. */
export function labelled(
  label: string,
  text: string,
  { indent, column, width }: { readonly indent: number; readonly column: number; readonly width: number },
): string[] {
  const margin = ' '.repeat(indent)
  return wrap(printable(text), Math.max(20, width - indent - column)).map(
    (line, i) => `${margin}${(i === 0 ? label : '').padEnd(column)}${line}`,
  )
}

/**
 * Rows of cells, padded to columns; `right` names the columns that are set flush right. No blanks at the ends
 * of lines.
 */
export function columns(
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
  gap = '  ',
): string[] {
  const shown = rows.map(row => row.map(printable))
  const widths: number[] = []
  for (const row of shown) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)))
  return shown.map(row =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join(gap)
      .trimEnd(),
  )
}

/** `1 breach`, `2 breaches`. */
export function count(n: number, one: string, many: string): string {
  return `${String(n)} ${n === 1 ? one : many}`
}
