/**
 * The boot services over a memory: RAM is laid out as in the map, then every call is executed and recorded
 * (chapters FW, PE).
 */
import { formatRange, hex, overlaps, range, rangeAt, sizeOf, type Range } from '../bytes/range.ts'
import { PAGE, pagesOf, type Phys } from '../bytes/units.ts'
import {
  EfiBootServicesCode,
  EfiBootServicesData,
  memoryTypeName,
  type MemoryDescriptor,
} from '../image/memory-types.ts'
import { isSome } from '../memory/event.ts'
import { ZERO, type Content, type ObjectId } from '../memory/extent.ts'
import type { Memory } from '../memory/memory.ts'
import type { Recorder } from '../memory/recorder.ts'
import { DEFAULT_ALLOCATOR } from './allocators.ts'
import type { Build } from './build.ts'
import type { Contents } from './contents.ts'
import type { ImageLoader } from './image-loaders/image-loader.ts'
import { DEFAULT_IMAGE_LOADER, ofDxeCore } from './image-loaders/image-loaders.ts'
import { loadImage } from './image-loaders/load-image.ts'
import type { Assume, LoaderPorts, Step } from './image-loaders/ports.ts'
import { FILLS, layOut } from './lay-out.ts'
import type { ServiceCall } from './service-call.ts'
import type { MemoryServices } from './memory-services.ts'
import type { FirmwareClause, PageAllocator, PageAnswer } from './page-allocator.ts'
import type { Pool, PoolPages } from './pool.ts'
import type { AllocateType, Allocation, BootServices, LoadedImage } from './services.ts'
import type { EfiStatus } from './status.ts'

export type { Contents } from './contents.ts'

export interface FirmwareOptions {
  readonly memory: Memory
  /** Recorder of the firmware's steps; the memory records its own events. */
  readonly recorder: Recorder
  /** The map before the modelled boot begins: what is Conventional is free. */
  readonly map: readonly MemoryDescriptor[]
  /** The allocator. Default: EDK2 2022.11. */
  readonly allocator?: MemoryServices
  /** Guard pages, untested RAM, bins, the state of the firmware's pool. Default: unknown. */
  readonly build?: Build
  /** The image loader for files. Default: EDK2's DXE core, of the allocator's release. */
  readonly loader?: ImageLoader
  /** The image loader for buffers in memory (LoadImage called by the image). Default: the one for files. */
  readonly inner?: ImageLoader
  readonly contents: Contents
  readonly assume: Assume
}

/** The assumption about the firmware's own pools. */
const POOL_UNKNOWN =
  "the state of the firmware's pools is unknown: records of images and of the map are " +
  'assumed to fit into them, and small buffers of the boot are assumed not to; if not, ' +
  'later top-down allocations are a page lower or higher, or by as much as the pool ' +
  'allocates at once'

/**
 * Creates the firmware's memory layout and returns its boot services. Throws UsageError when the map's
 * descriptors overlap or are not made of pages.
 */
export function createFirmware(options: FirmwareOptions): ForkableServices {
  const { memory, recorder, map, build = {}, contents } = options
  const said = new Set<string>()
  const assume = saidOnce(options.assume, said)
  const { allocator: services = DEFAULT_ALLOCATOR } = options
  const preset = FILLS[contents]
  const allocator = services.pages(map, build, assume)
  stepsOf(recorder)('FW-3', 'memory as the firmware leaves it', () => {
    for (const where of build.untested ?? [])
      if (!allocator.descriptors().some(one => overlaps(one.range, where)))
        memory.ram(where, preset.untouched)
    layOut(memory, allocator.descriptors(), preset.untouched)
  })
  assume(
    'FW-12',
    contents === 'poison'
      ? 'the content of memory that this boot has not written is unknown'
      : 'memory that is free at the start of the boot contains 0x00',
  )
  return servicesOver(options, { allocator, pool: pages => services.pool(pages, build), said })
}

/**
 * What a fork of the services uses: a fork of the memory, that memory's recorder, its own notes; and the
 * image loader for buffers in memory, if it changes.
 */
export type ForkedTo = Pick<FirmwareOptions, 'memory' | 'recorder' | 'assume' | 'inner'>

/** Boot services that can be forked. */
export interface ForkableServices extends BootServices {
  /** Calls of stages so far, where faults are injected. */
  readonly calls?: readonly ServiceCall[]
  /** The same services over a fork of their memory; neither sees later calls of the other. */
  fork(to: ForkedTo): ForkableServices
}

/** The firmware's state outside memory. */
interface State {
  readonly allocator: PageAllocator
  /** The pool, made with the source of its pages. */
  readonly pool: (pages: PoolPages) => Pool
  /** Assumptions so far. */
  readonly said: Set<string>
}

function stepsOf(recorder: Recorder): Step {
  return (clause, what, body) => recorder.step(clause, what, body, 'firmware')
}

/** The services over the laid-out memory. */
function servicesOver(options: FirmwareOptions, state: State): ForkableServices {
  const { memory, recorder, build = {}, contents } = options
  const { allocator, said } = state
  const assume = saidOnce(options.assume, said)
  const { allocator: services = DEFAULT_ALLOCATOR } = options
  const { loader = ofDxeCore(DEFAULT_IMAGE_LOADER, services), inner = loader } = options
  /** Was the image loaded by a loader that runs on EDK2 and may replace its LoadImage (PE-27)? */
  const above = options.inner !== undefined && loader.bootManager === undefined && services.edk2 !== undefined
  const preset = FILLS[contents]
  const step = stepsOf(recorder)
  /** The same, unless the enclosing step has this clause. */
  const within = <T>(outer: FirmwareClause, clause: FirmwareClause, what: string, body: () => T): T =>
    outer === clause ? body() : step(clause, what, body)

  const claimEntries = () => {
    for (const where of allocator.takeEntryPages?.() ?? [])
      step(
        'FW-53',
        () => `the map's own entries take ${formatRange(where)}`,
        () => memory.claim(where, 'firmware:boot'),
      )
  }
  const claimed = (allocation: PageAnswer, pages: number, label: ObjectId): PageAnswer => {
    if (allocation.status !== 'EFI_SUCCESS') return allocation
    for (const page of allocator.guardPages?.(allocation.at, pages) ?? [])
      memory.claim(page, 'firmware:guard')
    memory.claim(rangeAt(allocation.at, pages * PAGE), label)
    claimEntries()
    return allocation
  }
  /** Allocates or frees memory, and fills it if the firmware clears it (FW-13, FW-23). */
  const filled = (clause: 'FW-13' | 'FW-23', content: Content | undefined, body: () => void): void => {
    if (content?.kind === 'fill') step(clause, () => `filled with ${hex(content.byte)}`, body)
    else body()
  }
  const release = (where: Range, label: ObjectId) => {
    filled('FW-13', preset.freed, () => {
      if (where.start === 0 && preset.freed !== undefined) {
        memory.release(range(0, PAGE), label, ZERO)
        if (where.end > PAGE) memory.release(range(PAGE, where.end), label, preset.freed)
      } else memory.release(where, label, preset.freed)
    })
  }
  const allocatePages = (where: AllocateType, type: number, pages: number, label: ObjectId): Allocation => {
    const answer = allocator.allocate(where, type, pages)
    return step(
      answer.clause,
      () => `AllocatePages(${describe(where)}, ${memoryTypeName(type)}, ${hex(pages)} pages) for ${label}`,
      () => claimed(answer, pages, label),
    )
  }
  const freePages = (at: Phys, pages: number): EfiStatus => {
    const { status, ranges, clause } = allocator.free(at, pages)
    return step(
      clause,
      () => `FreePages(${hex(at)}, ${hex(pages)} pages)`,
      () => {
        for (const where of ranges) release(where, 'free')
        claimEntries()
        return status
      },
    )
  }
  const setReadOnly = (where: Range, on: boolean): void => {
    step(
      'FW-44',
      () => `SetMemoryAttributes(${formatRange(where)}, ${on ? 'read-only' : 'writable'})`,
      () => {
        allocator.setReadOnly?.(where, on)
      },
    )
  }
  const pages: PoolPages = {
    allocate: (type, pages, guarded) => {
      const answer = allocator.allocatePool(type, pages, guarded)
      return step(answer.clause, 'pages for the pool', () => claimed(answer, pages, 'firmware:pool'))
    },
    free: (where, guarded) => {
      const { ranges, clause } = allocator.freePool(where, guarded)
      step(clause, 'the pool frees pages', () => {
        for (const freed of ranges) release(freed, 'free')
        claimEntries()
      })
    },
  }
  const pool = state.pool(pages)
  const { services: calls } = pool
  const allocatePool = (type: number, size: number, label: ObjectId): Allocation =>
    step(
      calls.allocate,
      () => `AllocatePool(${memoryTypeName(type)}, ${hex(size)} bytes) for ${label}`,
      () => {
        const { status, buffer, guessed, clause } = pool.allocate(type, size)
        if (status !== 'EFI_SUCCESS')
          return within(calls.allocate, clause, status, () => ({ status, at: null }))
        if (guessed) assume('FW-19', POOL_UNKNOWN)
        within(calls.allocate, clause, 'the buffer', () => {
          filled('FW-23', preset.pool, () => memory.claim(buffer, label, preset.pool))
        })
        return { status, at: buffer.start }
      },
    )
  const freePool = (at: Phys): EfiStatus =>
    step(
      calls.free,
      () => `FreePool(${hex(at)})`,
      () => {
        const { status, block, clause } = pool.free(at)
        within(calls.free, clause, block === null ? status : 'the block', () => {
          if (block !== null)
            filled('FW-23', preset.freed, () => memory.claim(block, 'firmware:pool', preset.freed))
        })
        return status
      },
    )
  const noteImage = (): void => {
    if (pool.noteImage === undefined) return
    const note = pool.noteImage.bind(pool)
    step(calls.note ?? calls.allocate, 'the firmware records the image in its pool', () => {
      const { buffer, guessed } = note()
      if (guessed) assume('FW-19', POOL_UNKNOWN)
      if (buffer !== null) memory.claim(buffer, 'firmware:pool', preset.pool)
    })
  }
  const ports: LoaderPorts = {
    memory,
    step,
    assume,
    allocatePages,
    noteImage,
    pinPages: (at, type, pages, label) => {
      step(
        'PE-24',
        () => `pages for ${label} at the observed address`,
        () => {
          if (!allocator.pin(at, pages, type))
            assume(
              'PE-24',
              `${label} is placed at the observed address ${hex(at)}, although these pages are not ` +
                'free in the map',
            )
          memory.claim(rangeAt(at, pages * PAGE), label)
        },
      )
    },
    freePages,
    allocatePool: (type, size, label) => {
      const { status, at } = allocatePool(type, size, label)
      return status === 'EFI_SUCCESS' ? rangeAt(at, Math.max(1, size)) : null
    },
    freePool: buffer => {
      freePool(buffer.start)
    },
  }
  return {
    ...(build.addedOnExit === undefined ? {} : { addedOnExit: build.addedOnExit }),
    ...(build.memoryAttributes === undefined ? {} : { memoryAttributes: build.memoryAttributes }),
    memoryMap: () => step(allocator.mapClause(), 'GetMemoryMap', () => allocator.memoryMap()),
    allocatePages,
    freePages,
    allocatePool,
    freePool,
    setReadOnly,
    loadImage: request => {
      if (request.from.kind === 'file') return loadImage(ports, loader, request)
      return !above
        ? loadImage(ports, inner, request)
        : step(
            'PE-27',
            () => `LoadImage is that of ${inner.title}`,
            () => loadImage(ports, inner, request),
          )
    },
    unloadImage: (image: LoadedImage) =>
      step(
        'PE-23',
        () => `UnloadImage(${image.name})`,
        () =>
          image.pages.start % PAGE === 0
            ? freePages(image.pages.start, pagesOf(sizeOf(image.pages)))
            : freePool(image.pages.start),
      ),
    exitBootServices: () => {
      step('FW-20', 'ExitBootServices', () => {
        const ended: Range[] = []
        for (const { type, range: where } of allocator.descriptors())
          if (type === EfiBootServicesCode || type === EfiBootServicesData) ended.push(where)
        if (isSome(ended)) memory.release(ended, 'firmware:boot')
      })
    },
    fork: to =>
      servicesOver(
        { ...options, ...to },
        {
          allocator: allocator.fork(),
          pool: twinPages => pool.fork(twinPages),
          said: new Set(said),
        },
      ),
  }
}

/** Passes on every assumption once. */
function saidOnce(assume: Assume, said: Set<string>): Assume {
  return (clause, what) => {
    if (said.has(`${clause} ${what}`)) return
    said.add(`${clause} ${what}`)
    assume(clause, what)
  }
}

function describe(where: AllocateType): string {
  if (where.kind === 'any') return 'AnyPages'
  return where.kind === 'max' ? `MaxAddress ${hex(where.limit)}` : `Address ${hex(where.at)}`
}
