/** Normalises pasted text: encodings, terminal escapes, and prefixes of loggers. */
import type { Line } from './model.ts'

/** Colours, cursor movements, character sets: escapes of consoles. */
const ESCAPES = /\x1b(?:\[[0-9;?]{0,32}[A-Za-z]|[()][0-9A-Z]|[=>78c])/g

/** Possible prefixes of a kernel's line. Removed one by one until none matches. */
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

/** UTF-16 with a byte order mark (the UEFI shell writes it) or UTF-8, without escapes. */
export function textOf(input: string | Uint8Array): string {
  const text =
    typeof input === 'string'
      ? input
      : new TextDecoder(input[0] === 0xff && input[1] === 0xfe ? 'utf-16le' : 'utf-8').decode(input)
  return text.replace(/^\ufeff/, '').replace(ESCAPES, '')
}

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

/** All lines; CR, LF and CR LF end one, as do the doubled CRs of serial lines. */
export function linesOf(text: string): Line[] {
  return text.split(/\r{0,3}\n|\r/).map((line, i) => ({ text: bare(line), at: i + 1 }))
}
