/** EDK2 as a firmware: its page allocator and its pool, by release (chapter FW). */
import { UsageError } from '../../bytes/errors.ts'
import { once } from '../../bytes/once.ts'
import type { MemoryServices } from '../memory-services.ts'
import { DescriptorMap } from '../descriptor-map.ts'
import { binsAmong } from './bins.ts'
import { checkGuard, type HeapGuard } from './heap-guard.ts'
import { Edk2Pages } from './pages.ts'
import { Edk2Pool } from './pool.ts'
import { edk2Behaviour } from './behaviour.ts'
import type { Edk2Behaviour, Edk2Release } from './releases.ts'

/** The memory services of a release, which is looked up when they are used. */
export function edk2(release: Edk2Release): MemoryServices & { readonly edk2: Edk2Behaviour } {
  const behaviour = once(() => edk2Behaviour(release))
  return {
    id: `edk2-${release}`,
    get edk2() {
      return behaviour()
    },
    pages: (map, build, assume) => {
      const own = new DescriptorMap(map)
      const inferred = build.search === undefined ? binsAmong(own.ram) : null
      if (inferred !== null && inferred.assumption !== null) assume('FW-9', inferred.assumption)
      return new Edk2Pages(own, build.search ?? inferred ?? { bins: [], defaultMax: 0 }, behaviour(), build)
    },
    pool: (pages, build) => new Edk2Pool(pages, behaviour(), build),
  }
}

/**
 * The guard pages of a build. Throws UsageError if freed memory is guarded, too (it is not reused until
 * memory runs out), and if the allocator is not EDK2's.
 */
export function guardOf(guard: HeapGuard, allocator: MemoryServices): HeapGuard {
  if (allocator.edk2 === undefined) throw new UsageError(`guard pages are EDK2's: ${allocator.id} has none`)
  return checkGuard(guard)
}
