/** Properties of a build or machine besides the firmware's name (chapter FW). */
import type { Range } from '../bytes/range.ts'
import type { HeapGuard } from './edk2/heap-guard.ts'
import type { PoolState } from './edk2/pool-state.ts'
import type { SearchPolicy } from './page-allocator.ts'

export interface Build {
  /** Guard pages of EDK2 (FW-36). Absent: none. */
  readonly guard?: HeapGuard
  /** Untested RAM: EDK2 reserves it until a search fails (FW-43). */
  readonly untested?: readonly Range[]
  /** The state of the firmware's own pools. Default: unknown (FW-19). */
  readonly pool?: PoolState | 'unknown'
  /** Bins and default range where the firmware placed them. Default: OVMF's, recognised in the map (FW-9). */
  readonly search?: SearchPolicy
  /** Descriptors that drivers add to the map when boot services end (EP-18). Absent: none. */
  readonly addedOnExit?: number
  /** Behaviour of its memory attribute protocol (EP-40). Absent: there is none. */
  readonly memoryAttributes?: 'set' | 'refused'
}
