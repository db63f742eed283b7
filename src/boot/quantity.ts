/** Sizes and addresses as people write them: `16MiB`, `0x1a6cd000`, `4096`. */
import { UsageError } from '../bytes/errors.ts'
import { PHYS_END, phys, type Phys } from '../bytes/units.ts'

const SHIFT: Readonly<Record<string, number>> = { K: 10, M: 20, G: 30 }

/** The syntax of parseSize and parseAddress; for JSON Schema, so without flags. */
export const QUANTITY_PATTERN = /^(?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]+)? ?(?:[KMG](?:iB)?|bytes?)?)$/

/** The number of bytes, or why the text is not one. */
export function readQuantity(text: string): number | string {
  if (/^\s*-/.test(text)) return 'is negative'
  if (!QUANTITY_PATTERN.test(text)) return 'is not a number of bytes (write 4096, 0x1000, 16MiB or 1.5GiB)'
  const [, digits = '', unit = ''] = /^(0[xX][0-9a-fA-F]+|[0-9.]+) ?([KMG]?)/.exec(text) ?? []
  const value = Number(digits) * 2 ** (SHIFT[unit] ?? 0)
  if (!Number.isInteger(value)) return 'is not a whole number of bytes'
  if (value > PHYS_END) return 'is more than the 52 bits of a physical address'
  return value
}

function parse(text: string, what: string): number {
  const value = readQuantity(text)
  if (typeof value === 'string') throw new UsageError(`${what} ${JSON.stringify(text)} ${value}`)
  return value
}

/** A size in bytes, 0 to 2^52: `4096`, `0x1000`, `4KiB`, `4K`, `1.5GiB`. Throws UsageError otherwise. */
export function parseSize(text: string): number {
  return parse(text, 'size')
}

/** A physical address, 0 to 2^52, in the same forms: `0x1a6cd000`, `16MiB`. Throws UsageError otherwise. */
export function parseAddress(text: string): Phys {
  return phys(parse(text, 'address'))
}
