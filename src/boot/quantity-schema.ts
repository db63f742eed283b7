/** A number of bytes in a stored scenario: a number, or a text such as `16MiB`. */
import * as v from 'valibot'
import { PHYS_END } from '../bytes/units.ts'
import { QUANTITY_PATTERN, readQuantity } from './quantity.ts'

const WANTED = 'is not a number of bytes (write 4096, "0x1000" or "16MiB")'
const count = v.pipe(
  v.number(WANTED),
  v.safeInteger('is not a whole number'),
  v.minValue(0, 'is negative'),
  v.maxValue(PHYS_END, 'is more than the 52 bits of a physical address'),
)
const text = v.pipe(
  v.string(WANTED),
  v.regex(QUANTITY_PATTERN),
  v.check(written => typeof readQuantity(written) === 'number'),
  v.transform(written => Number(readQuantity(written))),
)

function reason(input: unknown): string {
  return typeof input === 'string' ? `${JSON.stringify(input)} ${String(readQuantity(input))}` : WANTED
}

/** Becomes a number from 0 to 2^52. */
export const quantity = v.union([count, text], issue => reason(issue.input))
