/** By which clause an allocator answers, and the answers that say no (chapter FW). */
import type { FirmwareClause, PageAnswer } from './page-allocator.ts'
import type { Bin, FirmwareRow } from './policies.ts'
import type { EfiError } from './status.ts'

/** Pages that a search found, and by which clause. */
export interface Hit {
  readonly at: number
  readonly clause: FirmwareClause
}

export const refusal = (clause: FirmwareClause, status: EfiError): PageAnswer => ({
  status,
  at: null,
  clause,
})

export const NOTHING_BACK = { status: 'EFI_SUCCESS', ranges: [] } as const

/** The clause of FreePages (FW-10, FW-49 to FW-51). */
export const FREES_BY = {
  pieces: 'FW-10',
  range: 'FW-49',
  'taken-range': 'FW-50',
  'one-descriptor': 'FW-51',
} as const satisfies Record<FirmwareRow['free'], FirmwareClause>

/** AllocateAddress of EDK2 (FW-25), of U-Boot (FW-48), of patina in a foreign bin (FW-51) or elsewhere. */
export function addressClause(row: FirmwareRow, inForeignBin: boolean): FirmwareClause {
  if (row.foreignBins === 'never') return inForeignBin ? 'FW-51' : 'FW-33'
  return row.search === 'top-down' ? 'FW-48' : 'FW-25'
}

/** Does [at, end) share a page with the bin of another type? */
export const inForeignBin = (bins: readonly Bin[], at: number, end: number, type: number): boolean =>
  bins.some(bin => bin.type !== type && at <= bin.max && bin.base < end)

/** A search that finds nothing: page 0 is never found (FW-6), or there is no such hole. */
export function foundNothing(row: FirmwareRow, pageZeroWouldDo: boolean): FirmwareClause {
  if (row.foreignBins === 'never') return 'FW-33'
  if (row.search === 'top-down') return 'FW-29'
  return pageZeroWouldDo ? 'FW-6' : 'FW-26'
}
