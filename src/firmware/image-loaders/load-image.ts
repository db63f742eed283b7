/**
 * LoadImage: file buffer, checks, memory, headers, sections, relocation. The differences between loaders are
 * in their rows (chapter PE).
 */
import { hex, rangeAt, sizeOf, type Range } from '../../bytes/range.ts'
import type { ByteSource } from '../../bytes/source.ts'
import { add, byteCount, pagesOf, phys, type FileOffset } from '../../bytes/units.ts'
import type { Memory } from '../../memory/memory.ts'
import type { BootManager, ImageLoader, Loading } from './image-loader.ts'
import type { LoaderPorts, LoadRefusal } from './ports.ts'
import type { LoadedImage, LoadRequest, LoadResult } from '../services.ts'

/** Bytes in memory as a file; bytes that are not modelled read as zero. */
export function memorySource(memory: Memory, where: Range): ByteSource {
  const size = sizeOf(where)
  return {
    size,
    read: (at: FileOffset, length: number) => {
      const count = Math.min(length, size - at)
      return count > 0 ? memory.readRaw(rangeAt(where.start + at, count)) : new Uint8Array(0)
    },
  }
}

/**
 * LoadImage (chapter PE). A file is first read into a buffer, which EDK2 frees at the end (PE-1) and others
 * keep (PE-50).
 */
export function loadImage(ports: LoaderPorts, loader: ImageLoader, request: LoadRequest): LoadResult {
  const { from, name } = request
  if (from.kind === 'memory')
    return answer(ports, load(ports, loader, request, memorySource(ports.memory, from.range)), name)
  const { source } = from
  const { bootManager } = loader
  const refusal =
    bootManager === undefined
      ? null
      : ports.step('PE-2', `BDS checks the headers of ${name}`, () => bootManager.check(source))
  if (refusal !== null) return answer(ports, refusal, name, bootManager)
  const { buffer: kind } = loader
  if (kind.from === 'nowhere') return answer(ports, load(ports, loader, request, source), name, bootManager)
  const buffer = ports.step(kind.clause, `the firmware reads ${name} into a buffer of its own`, () => {
    const where = fileBuffer(ports, kind, source.size, `${name}:file`)
    if (where !== null && source.size > 0)
      ports.memory.put(where.start, { source, at: 0, length: source.size }, `${name}:file`)
    return where
  })
  if (buffer === null)
    return answer(
      ports,
      {
        status: 'EFI_NOT_FOUND',
        clause: 'PE-1',
        why: `no memory for the file buffer of ${hex(source.size)} bytes`,
      },
      name,
      bootManager,
    )
  const result = load(ports, loader, request, source)
  if (kind.until === 'loaded' || 'clause' in result) {
    ports.step(kind.clause, `the firmware frees the file buffer of ${name}`, () => {
      if (kind.from === 'pool') ports.freePool(buffer)
      else ports.freePages(buffer.start, pagesOf(sizeOf(buffer)))
    })
  }
  return answer(ports, result, name, bootManager)
}

function fileBuffer(
  ports: LoaderPorts,
  kind: { readonly from: 'pool' | 'pages'; readonly type: number },
  size: number,
  label: string,
): Range | null {
  if (kind.from === 'pool') return ports.allocatePool(kind.type, size, label)
  const { at } = ports.allocatePages({ kind: 'any' }, kind.type, Math.max(1, pagesOf(size)), label)
  return at === null ? null : rangeAt(at, Math.max(1, size))
}

function answer(
  ports: LoaderPorts,
  result: LoadedImage | LoadRefusal,
  name: string,
  bootManager?: BootManager,
): LoadResult {
  if (!('clause' in result)) return { status: 'EFI_SUCCESS', image: result }
  const { status, clause, why, message } = result
  ports.step(clause, `${name} is refused with ${status}: ${why}`, nothing)
  if (bootManager !== undefined) ports.step('PE-21', `BDS reports why ${name} failed`, nothing)
  return {
    status,
    clause,
    why,
    image: null,
    message: bootManager?.message(status) ?? message ?? null,
  }
}

const nothing = (): void => undefined

/** The loaded image, or why it was refused; its entry point is 0 if it is outside the image (PE-25). */
function load(
  ports: LoaderPorts,
  loader: ImageLoader,
  request: LoadRequest,
  source: ByteSource,
): LoadedImage | LoadRefusal {
  const { name } = request
  const checked = loader.check(source)
  if ('clause' in checked) return checked
  if (request.from.kind === 'memory' && loader.notesImages) ports.noteImage()
  const place = ports.step(loader.pagesClause, `pages for ${name}`, () =>
    loader.allocate(ports, request, checked),
  )
  if ('clause' in place) return place
  const loading: Loading = { ports, request, checked, place }
  const failure = fill(loader, loading)
  if (failure !== null) {
    ports.step('PE-22', `the loader frees the pages of ${name}`, () => {
      if (place.pool === true) ports.freePool(place.pages)
      else
        ports.freePages(
          loader.givesBackFrom === 'base' ? place.base : place.pages.start,
          pagesOf(sizeOf(place.pages)),
        )
    })
    return failure
  }
  const { pe, imageSize } = checked
  const { AddressOfEntryPoint } = pe.optional
  const outside = AddressOfEntryPoint >= imageSize
  if (outside) ports.step('PE-25', `the entry point of ${name} lies outside the image`, nothing)
  return {
    name,
    base: place.base,
    size: byteCount(imageSize),
    pages: place.pages,
    pe,
    entry: outside ? phys(0) : add(place.base, AddressOfEntryPoint),
    loadOptions: null,
    ...(request.from.kind === 'memory' ? { device: null } : {}),
  }
}

/** Headers, sections in the loader's order (PE-15, PE-38), relocation, last checks. */
function fill(loader: ImageLoader, loading: Loading): LoadRefusal | null {
  const { ports, request, checked } = loading
  const refusal = loader.headers(loading)
  if (refusal !== null) return refusal
  const { sections } = checked.pe
  for (const section of loader.order === 'table' ? sections : sections.toReversed()) {
    const failed = ports.step(
      loader.order === 'table' ? 'PE-15' : 'PE-38',
      `section ${section.name} of ${request.name}`,
      () => loader.section(loading, section),
    )
    if (failed !== null) return failed
  }
  return loader.relocate(loading) ?? loader.finish(loading)
}
