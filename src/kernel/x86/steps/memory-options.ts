/** mem=, memmap= and hugepages= on the command line, as choose_random_location reads them. Chapter ZO. */
import { rangeAt, type Range } from '../../../bytes/range.ts'
import { PHYS_END } from '../../../bytes/units.ts'
import { parametersOf } from './cmdline-parser.ts'

/** The memory options. */
export interface MemoryOptions {
  /** First address that may not be used. */
  readonly limit: number
  /** Regions reserved by memmap=. */
  readonly avoid: readonly Range[]
  /** memmap= has more regions than the decompressor supports: physical KASLR is disabled. */
  readonly tooMany: boolean
  /** Number of 1 GiB huge pages requested. */
  readonly gigantic: number
}

/** MAX_MEMMAP_REGIONS. Source: linux@5.10.223 arch/x86/boot/compressed/kaslr.c. */
const MAX_MEMMAP_REGIONS = 4
export const GIB = 2 ** 30
const UNITS = 'KMGTPE'

/**
 * memparse: a number, decimal, octal with a 0 or hexadecimal with 0x in front, with K, M, G, T, P or E; and
 * the rest of the text. Null if there is no number.
 */
export function memparse(text: string): { readonly value: number; readonly rest: string } | null {
  const found = /^(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)([kmgtpe])?/i.exec(text)
  if (found === null) return null
  const [all, digits = '', unit = ''] = found
  const power = unit === '' ? 0 : UNITS.indexOf(unit.toUpperCase()) + 1
  const octal = /^0\d/.test(digits)
  return {
    value: (octal ? Number.parseInt(digits, 8) : Number(digits)) * 1024 ** power,
    rest: text.slice(all.length),
  }
}

/**
 * Start and size of a region; one that starts at 0 is a limit, one of 0 bytes is ignored. Null for text that
 * memmap= ignores.
 */
function parseMemmap(text: string): { readonly start: number; readonly size: number } | null {
  const size = text.startsWith('exactmap') ? null : memparse(text)
  if (size === null) return null
  if (/^[#$!]/.test(size.rest)) return { start: memparse(size.rest.slice(1))?.value ?? 0, size: size.value }
  return { start: 0, size: size.rest.startsWith('@') ? 0 : size.value }
}

/** Reads the options in their order. */
export function memoryOptions(commandLine: string): MemoryOptions {
  let limit: number = PHYS_END
  let gigantic = 0
  let giganticSize = false
  let tooMany = false
  let regions = 0
  const avoid: Range[] = []
  const memmap = (value: string): void => {
    // Regions past the end of the table are not counted
    if (regions >= MAX_MEMMAP_REGIONS) return
    let parts = value.split(',')
    while (parts.length > 0 && regions < MAX_MEMMAP_REGIONS) {
      const found = parseMemmap(parts[0] ?? '')
      if (found === null) break
      parts = parts.slice(1)
      if (found.start === 0) limit = found.size > 0 ? Math.min(limit, found.size) : limit
      else {
        regions += 1
        if (found.size > 0 && found.start + found.size <= PHYS_END)
          avoid.push(rangeAt(found.start, found.size))
      }
    }
    if (regions >= MAX_MEMMAP_REGIONS && parts.length > 0) tooMany = true
  }
  for (const { name, value } of parametersOf(commandLine)) {
    if (value === null) continue
    if (name === 'memmap') memmap(value)
    else if (name === 'hugepagesz') giganticSize = memparse(value)?.value === GIB
    else if (name === 'hugepages' && giganticSize)
      gigantic = memparse(/^(?:0x[0-9a-f]+|\d+)/i.exec(value)?.[0] ?? '')?.value ?? 0
    else if (name === 'mem' && value !== 'nopentium') {
      const size = memparse(value)?.value ?? 0
      if (size === 0) break
      limit = Math.min(limit, size)
    }
  }
  return { limit, avoid, tooMany, gigantic }
}
