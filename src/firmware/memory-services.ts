/** A firmware's memory services, made for one machine (chapter FW). */
import type { MemoryDescriptor } from '../image/memory-types.ts'
import type { Build } from './build.ts'
import type { Edk2Behaviour } from './edk2/releases.ts'
import type { Assume } from './image-loaders/ports.ts'
import type { PageAllocator } from './page-allocator.ts'
import type { Pool, PoolPages } from './pool.ts'

/** The memory services of one firmware. */
export interface MemoryServices {
  /** `edk2-2022.11`, `u-boot`: also the name in a firmware file. */
  readonly id: string
  /** The release of EDK2 whose DXE core it is; absent for any other firmware. */
  readonly edk2?: Edk2Behaviour
  /** Throws UsageError when the map's descriptors overlap or are not made of pages. */
  pages(map: readonly MemoryDescriptor[], build: Build, assume: Assume): PageAllocator
  pool(pages: PoolPages, build: Build): Pool
}
