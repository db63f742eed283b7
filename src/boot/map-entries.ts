/** An inline memory map in a scenario or firmware file. */
import { UsageError } from '../bytes/errors.ts'
import { range } from '../bytes/range.ts'
import { MEMORY_TYPE_NAMES, type MemoryDescriptor } from '../image/memory-types.ts'

/** One line of a memory map: pages [start, end) of a type. */
export interface MapEntry {
  /** UEFI's name (`EfiConventionalMemory`) or number. */
  readonly type: string | number
  readonly start: number
  readonly end: number
  /** EFI_MEMORY_* bits in hexadecimal; 0xf when absent. */
  readonly attribute?: string | undefined
}

/** The memory map of a document. Throws UsageError for a type that UEFI does not name. */
export function descriptorsOf(entries: readonly MapEntry[]): MemoryDescriptor[] {
  const names: readonly string[] = MEMORY_TYPE_NAMES
  return entries.map(({ type, start, end, attribute = '0xf' }) => {
    const number = typeof type === 'number' ? type : names.indexOf(type)
    if (number < 0)
      throw new UsageError(`memory type ${JSON.stringify(type)} is not one of ${names.join(', ')}`)
    return { type: number, range: range(start, end), attribute: BigInt(attribute) }
  })
}
