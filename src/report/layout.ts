/** Plain text in columns and indented paragraphs: shared by the text renderers. No colour of its own. */

import { once } from '../bytes/once.ts'

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
  /** Width at which prose is wrapped, in characters. Default 80. */
  readonly width?: number
}

/**
 * Control and format characters (escape sequences, marks that change the direction of text, spaces without a
 * width), line separators, and whatever else is shown as nothing.
 */
const UNPRINTABLE = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]`
/** Made when a text needs it: such sets of characters cost more than a page of a report. */
const everyUnprintable = once(() => new RegExp(UNPRINTABLE, 'gu'))
const unprintableButNewline = once(() => new RegExp(String.raw`(?!\n)${UNPRINTABLE}`, 'gu'))
/** Text in which nothing is to be escaped, as nearly every text is. */
const ASCII = /^[ -~]*$/
const ASCII_LINES = /^[ -~\n]*$/

function escaped(char: string): string {
  const code = char.codePointAt(0) ?? 0
  const digits = code.toString(16)
  if (code < 0x100) return `\\x${digits.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${digits.padStart(4, '0')}` : `\\u{${digits}}`
}

/**
 * Text from a file or from memory as it may be shown: what is not printable stands as `\\x1b` or `\\u202e`.
 */
export function printable(text: string): string {
  return ASCII.test(text) ? text : text.replace(everyUnprintable(), escaped)
}

/** Whole lines as they may be shown: what is not printable is escaped, except the ends of the lines. */
export function printableLines(text: string): string {
  return ASCII_LINES.test(text) ? text : text.replace(unprintableButNewline(), escaped)
}

/** JSON with the same data, of which every character but the ends of lines is printable. */
export function printableJson(json: string): string {
  if (ASCII_LINES.test(json)) return json
  return json.replace(unprintableButNewline(), char =>
    Array.from(
      { length: char.length },
      (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
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
