/** Splits a text into lines, and removes the prefixes of loggers. */
import { textOf } from '../paste/letters.ts'
import type { Line } from './model.ts'

export { textOf }

/** Prefixes of loggers, removed one after the other until none matches. */
const PREFIXES: readonly RegExp[] = [
  /^<\d{1,3}>/,
  /^\[[ \d]{1,12}\.\d{1,9}\] ?/,
  /^\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\] ?/,
  /^\[ {0,8}[TC]\d{1,8}\] ?/,
  /^\[?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\]? /,
  /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,255} [^\s:]{1,64}: /,
  /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)? (?:\S{1,255} [^\s:]{1,64}: )?/,
  /^[^\s:]{1,255} kernel: /,
]
const PREFIXES_MAX = 6

/** The line as printed by its program, without prefixes of syslog, journal, dmesg and terminals. */
export function bare(line: string): string {
  let rest = line
  for (let i = 0; i < PREFIXES_MAX; i++) {
    const prefix = PREFIXES.find(one => one.test(rest))
    if (prefix === undefined) break
    rest = rest.replace(prefix, '')
  }
  return rest
}

/** All lines unchanged; CR, LF, CR LF and the doubled CR of serial lines end one. */
export function rawLinesOf(text: string): string[] {
  return text.split(/\r{0,3}\n|\r/)
}

/** All lines, without the prefixes of loggers. */
export function linesOf(text: string): Line[] {
  return rawLinesOf(text).map((line, i) => ({ text: bare(line), at: i + 1 }))
}
