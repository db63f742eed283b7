/**
 * Builders for images and machines: small UKIs, kernels and memory maps made in memory, for tests of boot
 * logic. Sizes take units: `9M`, `0x1000`, 4096.
 */
import { parseSize } from '../boot/quantity.ts'
import { UsageError } from '../bytes/errors.ts'
import { range } from '../bytes/range.ts'
import type { ByteSource } from '../bytes/source.ts'
import { alignUp, PAGE } from '../bytes/units.ts'
import type { Content } from '../image/content.ts'
import { KERNEL_FACTS, type KernelFacts } from '../image/x86/kernel-facts.ts'
import { MEMORY_TYPE_NAMES, type MemoryDescriptor } from '../image/memory-types.ts'
import { STUB_FACTS, type StubFacts } from '../image/stub-facts.ts'
import type { LayoutId } from '../image/layouts/table.ts'
import { buildKernel, buildUki, type AddedSection } from '../image/synthetic.ts'
import { builtAs } from './builders-as.ts'

/** Bytes as a number, or as text with a unit: `9M`, `34MiB`, `0x1000`. */
export type Size = number | string

/** Throws UsageError when the text is not a size. */
export function bytesOf(size: Size): number {
  return typeof size === 'number' ? size : parseSize(size)
}

/** Changes to a measured kernel. */
export interface KernelOptions {
  /** Length of the file; the compressed payload is lengthened or shortened to fit, to a whole page. */
  readonly size?: Size
  /** init_size: what the kernel needs from its runtime start on. */
  readonly init_size?: Size
}

function kernelNamed(name: string): KernelFacts {
  const all = Object.values(KERNEL_FACTS)
  const found =
    all.find(facts => facts.name === name) ??
    all.find(facts => facts.name === `debian-${name}` || facts.name === `derived-${name}`)
  if (found === undefined)
    throw new UsageError(
      `unknown kernel ${JSON.stringify(name)}; known are ${all.map(facts => facts.name).join(', ')}`,
    )
  return found
}

/**
 * The facts of a measured kernel (`5.10.223`, `6.12.107-cloud`, `5.7-rc1` …), with another length or
 * init_size if asked for. Throws UsageError for an unknown name and for a size without room for a payload.
 */
export function kernel(name: string, options: KernelOptions = {}): KernelFacts {
  const facts = kernelNamed(name)
  const by = options.size === undefined ? 0 : alignUp(bytesOf(options.size) - facts.fileSize, PAGE)
  if (facts.hdr.payload_length + by <= PAGE)
    throw new UsageError(`a kernel of ${String(options.size)} has no room for its payload`)
  const grown = stretch(facts, by)
  return options.init_size === undefined
    ? grown
    : { ...grown, hdr: { ...grown.hdr, init_size: bytesOf(options.init_size) } }
}

/** Everything after the payload moves `by` bytes. */
function stretch(facts: KernelFacts, by: number): KernelFacts {
  if (by === 0) return facts
  const { hdr, geometry, pe } = facts
  const payload = (hdr.setup_sects + 1) * 512 + hdr.payload_offset
  const moved = (at: number): number => (at > payload ? at + by : at)
  return {
    ...facts,
    fileSize: facts.fileSize + by,
    hdr: {
      ...hdr,
      syssize: hdr.syssize + by / 16,
      payload_length: hdr.payload_length + by,
      handover_offset:
        hdr.handover_offset > hdr.payload_offset ? hdr.handover_offset + by : hdr.handover_offset,
      kernel_info_offset: hdr.kernel_info_offset + by,
    },
    geometry: {
      _bss: geometry._bss + by,
      _ebss: geometry._ebss + by,
      pgtable: geometry.pgtable + by,
      _end: geometry._end + by,
      boot_stack_end: geometry.boot_stack_end + by,
      relocated: geometry.relocated + by,
    },
    pe: {
      ...pe,
      certificates: pe.certificates === null ? null : [pe.certificates[0] + by, pe.certificates[1]],
      compatEntry: moved(pe.compatEntry),
      optional: {
        ...pe.optional,
        SizeOfCode: pe.optional.SizeOfCode + by,
        AddressOfEntryPoint: moved(pe.optional.AddressOfEntryPoint),
        SizeOfImage: pe.optional.SizeOfImage + by,
      },
      sections: pe.sections.map(
        ([section, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData, Characteristics]) =>
          section === '.text'
            ? [
                section,
                VirtualAddress,
                VirtualSize + by,
                PointerToRawData,
                SizeOfRawData + by,
                Characteristics,
              ]
            : [
                section,
                moved(VirtualAddress),
                VirtualSize,
                moved(PointerToRawData),
                SizeOfRawData,
                Characteristics,
              ],
      ),
    },
  }
}

/** Options of a unified kernel image. */
export interface UkiOptions {
  /**
   * Release of a measured stub (`247.3`, `252.39`, `254.26`, `257.13`, `262.1`) or custom facts. Default
   * `257.13`.
   */
  readonly stub?: string | StubFacts
  /** Name of a measured kernel, or custom facts. Default `6.12.107-cloud`. */
  readonly kernel?: string | KernelFacts
  /** Length of the kernel file. Default: as measured. */
  readonly linux?: Size
  /** Length of the initrd; null: none. Default `20M`. */
  readonly initrd?: Size | null
  /** Null: no .cmdline. Default `console=ttyS0 nokaslr`. */
  readonly cmdline?: string | null
  /** From the start of .linux to the start of .initrd. Default: packed, the next page after .linux. */
  readonly gap?: Size
  /**
   * RVAs by section name. Default: packed, page by page, after the stub's own sections; `dracut` gives the
   * addresses that dracut uses since version 050.
   */
  readonly at?: 'dracut' | Readonly<Partial<Record<'.osrel' | '.cmdline' | '.linux' | '.initrd', Size>>>
  /** Order of the payload in the section table. Default `.osrel`, `.cmdline`, `.linux`, `.initrd`. */
  readonly order?: readonly ('.osrel' | '.cmdline' | '.linux' | '.initrd')[]
  /** Laid out as by this tool: `dracut-050`, `ukify-257.3` …; not together with `gap`, `at` or `order`. */
  readonly as?: LayoutId
  /** Further sections by name, for a tool that has a place for them: `.splash`, `.uname`, `.dtb` … */
  readonly more?: Readonly<Record<string, Content>>
  /** With `as`: objcopy gets addresses without the stub's ImageBase. */
  readonly absolute?: boolean
}

const DRACUT = { '.osrel': 0x20000, '.cmdline': 0x30000, '.linux': 0x2000000 } as const
const ORDER = ['.osrel', '.cmdline', '.linux', '.initrd'] as const

function stubNamed(name: string): StubFacts {
  const found: StubFacts | undefined = Object.entries(STUB_FACTS).find(([version]) => version === name)?.[1]
  if (found === undefined)
    throw new UsageError(
      `unknown stub ${JSON.stringify(name)}; known are ${Object.keys(STUB_FACTS).join(', ')}`,
    )
  return found
}

/**
 * Builds a unified kernel image: a measured stub, a kernel, an initrd and a command line, in the given
 * layout. Throws UsageError for options that exclude each other.
 */
export function uki(options: UkiOptions = {}): ByteSource {
  const stub = typeof options.stub === 'object' ? options.stub : stubNamed(options.stub ?? '257.13')
  const named =
    typeof options.kernel === 'object'
      ? options.kernel
      : kernel(options.kernel ?? '6.12.107-cloud', options.linux === undefined ? {} : { size: options.linux })
  const linux = buildKernel(named)
  const initrd = options.initrd === undefined ? 20 * 2 ** 20 : options.initrd
  const cmdline = options.cmdline === undefined ? 'console=ttyS0 nokaslr' : options.cmdline
  const contents: Readonly<Record<(typeof ORDER)[number], Content | null>> = {
    '.osrel': { text: 'ID=test\nVERSION_ID=1\n' },
    '.cmdline': cmdline === null ? null : { text: cmdline },
    '.linux': linux,
    '.initrd': initrd === null ? null : { initrd: bytesOf(initrd) },
  }
  if (options.as !== undefined) {
    if (options.as.startsWith('lzbt-'))
      throw new UsageError(
        `${options.as} lays out thin images, which do not embed their kernel: use lanzaboote()`,
      )
    if (options.gap !== undefined || options.at !== undefined || options.order !== undefined)
      throw new UsageError('`as` determines the layout and excludes `gap`, `at` and `order`')
    const present = Object.entries(contents).flatMap(([name, content]) =>
      name === '.linux' || content === null ? [] : [[name, content] as const],
    )
    const uname =
      options.as.startsWith('ukify-') || options.as === 'mkinitcpio-36' || options.as === 'mkinitcpio-39'
        ? { '.uname': { text: named.version.split(' ')[0] ?? '' } }
        : {}
    return builtAs(options.as, {
      stub,
      kernel: named,
      contents: { ...Object.fromEntries(present), ...uname, ...options.more },
      absolute: options.absolute ?? false,
    })
  }
  if (options.more !== undefined || options.absolute !== undefined)
    throw new UsageError('`more` and `absolute` need `as`')
  const given = options.at === 'dracut' ? DRACUT : (options.at ?? {})
  let next = Math.max(
    ...stub.sections.map(([, VirtualAddress, VirtualSize]) => alignUp(VirtualAddress + VirtualSize, PAGE)),
  )
  let linuxAt = 0
  const sections = (options.order ?? ORDER).flatMap((name): AddedSection[] => {
    const content = contents[name]
    if (content === null) return []
    const fixed = (given as Readonly<Partial<Record<string, Size>>>)[name]
    const free = name === '.initrd' && options.gap !== undefined ? linuxAt + bytesOf(options.gap) : next
    const VirtualAddress = fixed === undefined ? free : bytesOf(fixed)
    const length = name === '.linux' ? linux.size : lengthOf(content)
    if (name === '.linux') linuxAt = VirtualAddress
    next = alignUp(VirtualAddress + length, PAGE)
    return [{ name, VirtualAddress, content }]
  })
  return buildUki({ stub, sections })
}

function lengthOf(content: Content): number {
  if ('text' in content) return content.text.length
  return 'initrd' in content ? content.initrd : 0
}

/** One line of a memory map: UEFI's type name or number, start and end (exclusive). */
export type MapLine = readonly [type: string | number, start: Size, end: Size]

/**
 * A memory map, line by line. Attributes are 0xf. Throws UsageError for an unknown type and for a range that
 * is not page-aligned.
 */
export function memoryMap(...lines: readonly MapLine[]): MemoryDescriptor[] {
  return lines.map(([type, start, end]) => {
    const number = typeof type === 'number' ? type : (MEMORY_TYPE_NAMES as readonly string[]).indexOf(type)
    if (number < 0) throw new UsageError(`unknown memory type ${String(type)}`)
    const [from, to] = [bytesOf(start), bytesOf(end)]
    if (from % PAGE !== 0 || to % PAGE !== 0 || from >= to)
      throw new UsageError(`not page-aligned: ${String(start)}-${String(end)}`)
    return { type: number, range: range(from, to), attribute: 0xfn }
  })
}
