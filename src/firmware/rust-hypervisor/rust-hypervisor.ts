/**
 * rust-hypervisor-firmware as a firmware: its page allocator, and pool buffers of whole pages (chapter FW).
 */
import type { MemoryServices } from '../memory-services.ts'
import { PagedPool } from '../paged-pool.ts'
import { RustHypervisorPages } from './pages.ts'

export const RUST_HYPERVISOR: MemoryServices = {
  id: 'rust-hypervisor-firmware',
  pages: map => new RustHypervisorPages(map),
  pool: pages => new PagedPool(pages, 0, 'FW-32'),
}
