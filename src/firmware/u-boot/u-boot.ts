/** U-Boot as a firmware: its page allocator, and pool buffers with pages of their own (chapter FW). */
import type { MemoryServices } from '../memory-services.ts'
import { PagedPool } from '../paged-pool.ts'
import { UBootPages, type UBootEra } from './pages.ts'

/**
 * Bytes before a pool buffer: sizeof(struct efi_pool_allocation), its data aligned to a cache line of 64
 * bytes. Source: u-boot@2023.01 lib/efi_loader/efi_memory.c.
 */
const POOL_HEAD = 64

const uBoot = (id: string, era: UBootEra): MemoryServices => ({
  id,
  pages: map => new UBootPages(map, era),
  pool: pages => new PagedPool(pages, POOL_HEAD, 'FW-30'),
})

/** U-Boot v2020.10 to v2024.10. */
export const U_BOOT = uBoot('u-boot', 'efi_mem')
/** U-Boot v2025.01. */
export const U_BOOT_LMB = uBoot('u-boot-2025.01', 'lmb')
