/** Rows of a memory map as tests write them. */
import { range } from '../../src/bytes/range.ts'
import type { MemoryDescriptor } from '../../src/image/memory-types.ts'

/** Memory of a type from `start` up to `end`; the attribute says that it can be cached in every way. */
export const row = (type: number, start: number, end: number, attribute = 0xfn): MemoryDescriptor => ({
  type,
  range: range(start, end),
  attribute,
})
