/**
 * The boot services over a memory: RAM is laid out as the map says, then every call is carried out and
 * recorded (chapters FW, PE).
 */
import {
  formatRange,
  hex,
  overlaps,
  range,
  rangeAt,
  sizeOf,
  subtract,
  union,
  type Range,
} from '../bytes/range.ts'
import { PAGE, pagesOf, type Phys } from '../bytes/units.ts'
import {
  EfiBootServicesCode,
  EfiBootServicesData,
  EfiLoaderCode,
  EfiLoaderData,
  memoryTypeName,
  type MemoryDescriptor,
} from '../image/memory-types.ts'
import { GARBAGE, ZERO, type Content, type ObjectId } from '../memory/extent.ts'
import { isSome } from '../memory/event.ts'
import type { Memory } from '../memory/memory.ts'
import type { Recorder } from '../memory/recorder.ts'
import { Allocator } from './allocator.ts'
import type { AllocatorOptions, FirmwareClause, Freed, PageAllocator, PageAnswer } from './page-allocator.ts'
import { BottomUpAllocator } from './bottom-up-allocator.ts'
import { inferBins } from './bins.ts'
import { firmwareOwner } from './memory-map.ts'
import type { Loader } from './loaders/loader.ts'
import { FIRMWARE_ROWS, type FirmwareRow, type SearchPolicy } from './policies.ts'
import { PagePool } from './page-pool.ts'
import { Pool, type PoolPages } from './pool.ts'
import { loadImage } from './pe-loader.ts'
import { DEFAULT_LOADER } from './loaders/rows.ts'
import type { Assume, LoaderPorts, Step } from './loader-ports.ts'
import type { Contents } from './contents.ts'
import type { AllocateType, Allocation, BootServices, LoadedImage } from './services.ts'
import type { EfiStatus } from './status.ts'

export type { Contents } from './contents.ts'

/** What OVMF writes over freed pages and pool buffers. Source: edk2@stable202211 PcdDebugClearMemoryValue. */
export const CLEARED: Content = { kind: 'fill', byte: 0xaf }

/**
 * `untouched` at the start (FW-12), `freed` when given back (FW-13), `pool` when handed out as a pool buffer
 * (FW-23); undefined keeps the bytes.
 */
const CONTENTS: Readonly<
  Record<
    Contents,
    { readonly untouched: Content; readonly freed: Content | undefined; readonly pool: Content | undefined }
  >
> = {
  ovmf: { untouched: ZERO, freed: CLEARED, pool: CLEARED },
  residue: { untouched: ZERO, freed: undefined, pool: undefined },
  poison: { untouched: GARBAGE, freed: GARBAGE, pool: GARBAGE },
}

export interface FirmwareOptions {
  readonly memory: Memory
  /** Where the firmware's steps are recorded; the memory records its events by itself. */
  readonly recorder: Recorder
  /** The map before the modelled boot begins: what is Conventional is free. */
  readonly map: readonly MemoryDescriptor[]
  /** The release's row and where it searches. Default: 2022.11, and the bins that the map shows. */
  readonly policy?: { readonly row?: FirmwareRow; readonly search?: SearchPolicy } & Build
  /** Who loads a file. Default: EDK2 2022.11. */
  readonly loader?: Loader
  /** Who loads what lies in memory: the image's own LoadImage. Default: who loads files. */
  readonly inner?: Loader
  readonly contents: Contents
  readonly assume: Assume
}

/** What is known of a build or a machine beside its row. */
export interface Build extends AllocatorOptions {
  /**
   * Where EDK2 notes an image that an image loads: in a free block of its pool, or in a new page of it
   * (FW-46). Absent: nobody knows.
   */
  readonly imageRecord?: 'room' | 'new-page'
  /** Descriptors that drivers add to the map when boot services end (EP-18). Absent: none. */
  readonly addedOnExit?: number
  /** What its memory attribute protocol does (EP-40). Absent: there is none. */
  readonly memoryAttributes?: 'set' | 'refused'
}

/** Bytes that EDK2 notes of an image. Source: edk2@stable202211 Image.h LOADED_IMAGE_PRIVATE_DATA. */
const IMAGE_RECORD = 0x188

/** Types whose pools only the modelled boot uses: they are empty when it begins. */
const FRESH_POOLS: ReadonlySet<number> = new Set([EfiLoaderCode, EfiLoaderData])

/**
 * Lays out memory and answers with the services. Throws UsageError when the map's descriptors overlap or are
 * not made of pages.
 */
export function createFirmware(options: FirmwareOptions): ForkableServices {
  const { memory, recorder, map, policy, contents } = options
  const said = new Set<string>()
  const assume = saidOnce(options.assume, said)
  const row = policy?.row ?? FIRMWARE_ROWS['edk2-2022.11']
  const search =
    policy?.search ?? (row.search === 'bins-then-top' ? inferBins(map) : { bins: [], defaultMax: 0 })
  if ('assumption' in search && typeof search.assumption === 'string') assume('FW-9', search.assumption)
  const preset = CONTENTS[contents]
  const step = stepsOf(recorder)
  const allocator: PageAllocator =
    row.search === 'bottom-up' ? new BottomUpAllocator(map) : new Allocator(map, search, row, policy)
  step('FW-3', 'memory as the firmware has left it', () => {
    for (const where of policy?.untested ?? [])
      if (!allocator.descriptors().some(one => overlaps(one.range, where)))
        memory.ram(where, preset.untouched)
    layOut(memory, allocator.descriptors(), preset.untouched)
  })
  assume(
    'FW-12',
    contents === 'poison'
      ? 'nothing is known of the contents of memory that this boot has not written'
      : 'memory that is free when the boot begins holds 0x00',
  )
  return services(options, {
    allocator,
    pool: pages =>
      row.pool === 'blocks'
        ? new Pool(pages, { unaccepted: row.poolUnaccepted === 'granted', ...policy })
        : new PagePool(pages, row.pool.head, row.search === 'bottom-up' ? 'FW-32' : 'FW-30'),
    readOnly: [],
    said,
  })
}

/**
 * What a fork of the services acts on: a fork of the memory, that memory's recorder, notes of its own; and who
 * loads what lies in memory, where that is another than before.
 */
export type ForkedTo = Pick<FirmwareOptions, 'memory' | 'recorder' | 'assume' | 'inner'>

/** Boot services that can be had twice in the same state. */
export interface ForkableServices extends BootServices {
  /** The same services over a fork of their memory; a call to one of the two is not seen by the other. */
  fork(to: ForkedTo): ForkableServices
}

/** What the firmware knows beside what lies in memory. */
interface State {
  readonly allocator: PageAllocator
  /** The pool, which is told where its pages come from. */
  readonly pool: (pages: PoolPages) => Pool | PagePool
  readonly readOnly: readonly Range[]
  /** What was assumed so far. */
  readonly said: Set<string>
}

function stepsOf(recorder: Recorder): Step {
  return (clause, what, body) => recorder.as('firmware', () => recorder.step(clause, what, body))
}

/** The services over memory that is laid out. */
function services(options: FirmwareOptions, state: State): ForkableServices {
  const { memory, recorder, policy, contents } = options
  const { allocator, said } = state
  const assume = saidOnce(options.assume, said)
  const row = policy?.row ?? FIRMWARE_ROWS['edk2-2022.11']
  const loader = options.loader ?? DEFAULT_LOADER
  const preset = CONTENTS[contents]
  const step = stepsOf(recorder)
  /** The same, unless this clause is that of the step around it. */
  const within = <T>(outer: FirmwareClause, clause: FirmwareClause, what: string, body: () => T): T =>
    outer === clause ? body() : step(clause, what, body)

  const claimEntries = () => {
    for (const where of allocator.takeEntryPages())
      step(
        'FW-53',
        () => `the map's own entries take ${formatRange(where)}`,
        () => memory.claim(where, 'firmware:boot'),
      )
  }
  const claimed = (allocation: PageAnswer, pages: number, label: ObjectId): PageAnswer => {
    if (allocation.status !== 'EFI_SUCCESS') return allocation
    for (const page of allocator.guardPages(allocation.at, pages)) memory.claim(page, 'firmware:guard')
    memory.claim(rangeAt(allocation.at, pages * PAGE), label)
    claimEntries()
    return allocation
  }
  /** Memory is handed out or given back, and filled where the firmware clears it (FW-13, FW-23). */
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
  /** FreePages; read-only pages may stay taken (FW-44). */
  const pagesFreed = (at: Phys, pages: number): Freed =>
    row.freeReadOnly === 'leaked' &&
    readOnly.some(one => overlaps(one, range(at, at + Math.max(1, pages) * PAGE)))
      ? { status: 'EFI_SUCCESS', ranges: [], clause: 'FW-44' }
      : allocator.free(at, pages)
  const freePages = (at: Phys, pages: number): EfiStatus => {
    const { status, ranges, clause } = pagesFreed(at, pages)
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
  let { readOnly } = state
  const setReadOnly = (where: Range, on: boolean): void => {
    step(
      'FW-44',
      () => `SetMemoryAttributes(${formatRange(where)}, ${on ? 'read-only' : 'writable'})`,
      () => {
        readOnly = on ? union([...readOnly, where]) : readOnly.flatMap(one => subtract(one, where))
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
      step(clause, 'the pool gives pages back', () => {
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
        const { status, buffer, carved, clause } = pool.allocate(type, size)
        if (status !== 'EFI_SUCCESS')
          return within(calls.allocate, clause, status, () => ({ status, at: null }))
        if (carved && !FRESH_POOLS.has(type))
          assume(
            'FW-19',
            `a small pool buffer of ${memoryTypeName(type)} is taken from a new page, though the firmware may have had room in an old one`,
          )
        if (carved && row.poolStep !== null)
          assume(
            'FW-54',
            `the pool of the firmware has room in a region of its own for each type; where it has not, it grows by ${hex(row.poolStep)} bytes or more, and what is placed from the top after that lies so much lower`,
          )
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
  const imageRecord = (): void => {
    if (row.pool !== 'blocks' || policy?.imageRecord === 'room') return
    if (policy?.imageRecord === undefined) {
      assume(
        'FW-46',
        'the pool of the firmware has room for what LoadImage notes of an image; if not, what is placed from the top after that lies one page lower',
      )
      return
    }
    step('FW-46', 'the firmware notes the image in a page of its own', () => {
      const { buffer } = pool.allocate(EfiBootServicesData, IMAGE_RECORD)
      if (buffer !== null) memory.claim(buffer, 'firmware:pool', preset.pool)
    })
  }
  const ports: LoaderPorts = {
    memory,
    row,
    step,
    assume,
    allocatePages,
    imageRecord,
    pinPages: (at, type, pages, label) => {
      step('PE-24', `pages for ${label} where it was observed`, () => {
        if (!allocator.pin(at, pages, type))
          assume(
            'PE-24',
            `${label} is put at ${hex(at)}, where it was observed, although the map does not have these pages free`,
          )
        memory.claim(rangeAt(at, pages * PAGE), label)
      })
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
    ...(policy?.addedOnExit === undefined ? {} : { addedOnExit: policy.addedOnExit }),
    ...(policy?.memoryAttributes === undefined ? {} : { memoryAttributes: policy.memoryAttributes }),
    memoryMap: () => step(allocator.mapClause(), 'GetMemoryMap', () => allocator.memoryMap()),
    allocatePages,
    freePages,
    allocatePool,
    freePool,
    setReadOnly,
    loadImage: request => {
      const inner = options.inner
      if (request.from.kind === 'file' || inner === undefined) return loadImage(ports, loader, request)
      // A loader that is not the firmware's own may answer what it has loaded, or leave it to the firmware.
      return !loader.bootManager && row.search === 'bins-then-top'
        ? step('PE-27', `LoadImage is that of ${inner.title}`, () => loadImage(ports, inner, request))
        : loadImage(ports, inner, request)
    },
    unloadImage: (image: LoadedImage) =>
      step('PE-23', `UnloadImage(${image.name})`, () =>
        image.pages.start % PAGE === 0
          ? freePages(image.pages.start, pagesOf(sizeOf(image.pages)))
          : freePool(image.pages.start),
      ),
    exitBootServices: () => {
      step('FW-20', 'ExitBootServices', () => {
        const ended = allocator
          .descriptors()
          .filter(({ type }) => type === EfiBootServicesCode || type === EfiBootServicesData)
          .map(descriptor => descriptor.range)
        if (isSome(ended)) memory.release(ended, 'firmware:boot')
      })
    },
    fork: to =>
      services(
        { ...options, ...to },
        {
          allocator: allocator.fork(),
          pool: twinPages => pool.fork(twinPages),
          readOnly,
          said: new Set(said),
        },
      ),
  }
}

/** Passes every sentence on once. */
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

/** RAM comes into being; what is not free belongs to the firmware, byte by byte at its own address (FW-3). */
function layOut(memory: Memory, ram: readonly MemoryDescriptor[], untouched: Content): void {
  const all = union(ram.map(descriptor => descriptor.range))
  if (isSome(all)) memory.ram(all, untouched)
  const owned = new Map<ObjectId, Range[]>()
  for (const { type, range: where } of ram) {
    const owner = firmwareOwner(type)
    if (owner === null) continue
    const ranges = owned.get(owner)
    if (ranges === undefined) owned.set(owner, [where])
    else ranges.push(where)
  }
  for (const [owner, ranges] of owned) if (isSome(ranges)) memory.occupy(ranges, owner)
}
