/**
 * A second opinion on `clean` that shares no code with the model: it knows the bytes of a file, a memory map,
 * and the addresses that a report gives, and asks what everybody can see. Bytes are painted one section after
 * the other, as the PE format says; nothing is simulated.
 */

/** A half-open stretch. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** A file that can be read in parts. */
interface Bytes {
  readonly size: number
  read(at: number, length: number): Uint8Array
}

/** A section header, and its position in the table. */
interface Header {
  readonly name: string
  readonly VS: number
  readonly VA: number
  readonly RS: number
  readonly RP: number
  readonly flags: number
}

export interface Headers {
  readonly entry: number
  readonly sizeOfImage: number
  readonly fileAlignment: number
  readonly sectionAlignment: number
  readonly sections: readonly Header[]
}

/** The headers of a PE32+, read field by field. */
export function headersOf(file: Bytes): Headers {
  const head = file.read(0, Math.min(0x1000, file.size))
  const at = (offset: number, width: number): number =>
    [...head.subarray(offset, offset + width)].reduceRight((sum, byte) => sum * 256 + byte, 0)
  const pe = at(60, 4)
  const table = pe + 24 + at(pe + 20, 2)
  return {
    entry: at(pe + 40, 4),
    sizeOfImage: at(pe + 80, 4),
    fileAlignment: at(pe + 60, 4),
    sectionAlignment: at(pe + 56, 4),
    sections: Array.from({ length: at(pe + 6, 2) }, (_, i) => {
      const row = table + 40 * i
      const name = [...head.subarray(row, row + 8)].filter(byte => byte !== 0)
      return {
        name: String.fromCharCode(...name),
        VS: at(row + 8, 4),
        VA: at(row + 12, 4),
        RS: at(row + 16, 4),
        RP: at(row + 20, 4),
        flags: at(row + 36, 4),
      }
    }),
  }
}

/** What a stretch of the loaded image holds: bytes of the file from an offset on, or zeros. */
interface Paint extends Span {
  readonly file: number | null
}

/** The loaded image, painted in table order: a later section covers an earlier one. */
export function painted({ sections }: Headers, fileSize: number): Paint[] {
  let canvas: Paint[] = []
  const brush = (from: number, to: number, file: number | null): void => {
    if (from >= to) return
    canvas = canvas.flatMap(one => [
      ...(one.from < from ? [{ ...one, to: Math.min(one.to, from) }] : []),
      ...(one.to > to
        ? [
            {
              from: Math.max(one.from, to),
              to: one.to,
              file: one.file === null ? null : one.file + Math.max(one.from, to) - one.from,
            },
          ]
        : []),
    ])
    canvas.push({ from, to, file })
  }
  for (const { VS, VA, RS, RP } of sections) {
    const copied = Math.max(0, Math.min(VS === 0 ? RS : Math.min(VS, RS), fileSize - RP))
    brush(VA, VA + copied, RP)
    brush(VA + copied, VA + VS, null)
  }
  return canvas
}

/** Does [from, to) of the image hold the file's bytes from `file` on, each of them? */
function holds(canvas: readonly Paint[], from: number, to: number, file: number): boolean {
  const covered = canvas.reduce((sum, one) => {
    const [a, b] = [Math.max(one.from, from), Math.min(one.to, to)]
    if (a >= b || one.file === null || one.file + a - one.from !== file + a - from) return sum
    return sum + b - a
  }, 0)
  return covered === to - from
}

/** What is known beside the file. */
export interface Known {
  /** The stub that is in the image, as it was linked. */
  readonly stub: { readonly entry: number; readonly sections: readonly Omit<Header, 'RP' | 'flags'>[] }
  /** Bytes that the kernel states it has, and bytes that it becomes. */
  readonly kernel: {
    readonly length: number
    /** The first byte that anybody looks at. */
    readonly readFrom: number
    readonly output: number
    /** Does it clear its .bss where it lies, [from, to) from its first byte? */
    readonly clears: Span | null
  }
  /** Does the last section of a name count, or the first? */
  readonly counts: 'first' | 'last'
  /** Descriptors before the boot: UEFI's type, and where. */
  readonly map: readonly (Span & { readonly type: number })[]
}

/** Addresses that a report gives. */
export interface Said {
  readonly imageBase?: number
  readonly entryMethod?: string
  readonly kernelImage?: number
  readonly bootParams?: number
  readonly cmdLinePtr?: number
  readonly commandLine?: string
  readonly ramdiskImage?: number
  readonly ramdiskSize?: number
  readonly decompressedKernel?: number
}

const BOOT_PARAMS = 4096
const PAGE = 4096

/** Everything that speaks against `clean`, in words; nothing where nothing does. */
export function objections(file: Bytes, known: Known, said: Said): string[] {
  const headers = headersOf(file)
  const canvas = painted(headers, file.size)
  return [
    ...stubObjections(headers, canvas, known),
    ...payloadObjections(file, headers, canvas, known),
    ...placeObjections(headers, known, said),
  ]
}

function* stubObjections(
  { entry, sections }: Headers,
  canvas: readonly Paint[],
  { stub }: Known,
): Generator<string> {
  if (entry !== stub.entry) yield 'the entry point is not that of the stub'
  for (const own of stub.sections) {
    const now = sections.find(({ name }) => name === own.name)
    if (now === undefined) continue
    if (now.VA !== own.VA) yield `${own.name} is not where it was linked`
    const needed = Math.min(own.VS, own.RS)
    if (!holds(canvas, own.VA, own.VA + needed, now.RP)) yield `${own.name} is not what the file has for it`
  }
}

function* payloadObjections(
  file: Bytes,
  { sections, fileAlignment, sectionAlignment }: Headers,
  canvas: readonly Paint[],
  { kernel, counts }: Known,
): Generator<string> {
  const taken = (name: string): Header | undefined =>
    counts === 'first'
      ? sections.find(one => one.name === name)
      : sections.findLast(one => one.name.startsWith(name))
  const linux = taken('.linux')
  if (linux === undefined) yield 'there is no .linux'
  else if (!holds(canvas, linux.VA + kernel.readFrom, linux.VA + kernel.length, linux.RP + kernel.readFrom))
    yield 'the kernel is not what the file has'
  const initrd = taken('.initrd')
  if (initrd !== undefined && initrd.VS > 0) {
    const step = Math.max(PAGE, sectionAlignment)
    const padded =
      initrd.RS > 0 && initrd.RS % fileAlignment === 0 && initrd.VS <= Math.ceil(initrd.RS / step) * step
    const needed = padded ? Math.min(initrd.VS, initrd.RS) : initrd.VS
    if (!holds(canvas, initrd.VA, initrd.VA + needed, initrd.RP)) yield 'the initrd is not what the file has'
    const magic = String.fromCharCode(...file.read(initrd.RP, 6))
    if (magic !== '070701') yield 'the initrd is no archive'
  }
  const line = taken('.cmdline')
  if (line !== undefined && line.VS > 0) {
    const text = file.read(line.RP, Math.min(line.VS, line.RS))
    const nul = text.indexOf(0)
    const needed = nul < 0 ? line.VS : nul + 1
    if (!holds(canvas, line.VA, line.VA + needed, line.RP)) yield 'the command line is not what the file has'
  }
  const raw = sections.filter(({ RS }) => RS > 0).sort((a, b) => a.RP - b.RP)
  for (const [i, one] of raw.entries())
    if (one.RP < (raw[i - 1]?.RP ?? 0) + (raw[i - 1]?.RS ?? 0)) yield `${one.name} shares bytes of the file`
}

/** Types that are free, or the loaders' own: memory that a boot can have. */
const FREE = 7

function* placeObjections(headers: Headers, { kernel, map }: Known, said: Said): Generator<string> {
  const within = (span: Span, types: readonly number[]): boolean => {
    const parts = map
      .filter(({ type }) => types.includes(type))
      .map(one => Math.max(0, Math.min(one.to, span.to) - Math.max(one.from, span.from)))
    return parts.reduce((sum, part) => sum + part, 0) === span.to - span.from
  }
  const spans: [string, Span, readonly number[]][] = []
  const at = (what: string, from: number | undefined, length: number, types: readonly number[]): void => {
    if (from !== undefined && length > 0) spans.push([what, { from, to: from + length }, types])
  }
  const EARLY = [FREE]
  const LATE = [1, 2, 3, 4, FREE]
  at('the image', said.imageBase, headers.sizeOfImage, EARLY)
  at('boot_params', said.bootParams, BOOT_PARAMS, EARLY)
  at('the command line', said.cmdLinePtr, (said.commandLine ?? '').length + 1, EARLY)
  at('the initrd', said.ramdiskImage, said.ramdiskSize ?? 0, EARLY)
  at('the kernel', said.decompressedKernel, kernel.output, LATE)
  if (!within({ from: 0x100000, to: 0x101000 }, [0, 1, 2, 3, 4, 5, 6, FREE, 9, 10])) yield 'no RAM at 1 MiB'
  for (const [what, span, types] of spans) if (!within(span, types)) yield `${what} does not lie in free RAM`
  const alive = spans.filter(([what]) => what !== 'the image')
  for (const [i, [one, a]] of alive.entries())
    for (const [other, b] of alive.slice(i + 1))
      if (a.from < b.to && b.from < a.to) yield `${one} and ${other} lie over each other`
  const { clears } = kernel
  if (said.entryMethod === 'efi-handover' && clears !== null && said.kernelImage !== undefined) {
    const bss = { from: said.kernelImage + clears.from, to: said.kernelImage + clears.to }
    if (!within(bss, EARLY)) yield 'what the kernel clears is not free'
    for (const [what, span] of alive)
      if (what !== 'the kernel' && span.from < bss.to && bss.from < span.to) yield `the kernel clears ${what}`
  }
}
