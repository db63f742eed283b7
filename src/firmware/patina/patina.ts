/** patina as a firmware: its page allocator with bins, and its heap (chapter FW). */
import type { MemoryServices } from '../memory-services.ts'
import { PatinaHeap } from './heap.ts'
import { PatinaPages } from './pages.ts'

export const PATINA: MemoryServices = {
  id: 'patina',
  pages: (map, { search }) => new PatinaPages(map, search?.bins ?? []),
  pool: pages => new PatinaHeap(pages),
}
