/**
 * The four kernels that were built by hand for the recordings: Linux 5.10.223 as released, and with one or
 * both fixes of April 2020 undone.
 */
import { bytesSource, sparseSource, type ByteSource } from '../../src/bytes/source.ts'
import type { KernelFacts } from '../../src/image/x86/kernel-facts.ts'
import { patternByte } from '../../src/image/content.ts'
import { buildKernel } from '../../src/image/synthetic.ts'
import { kernelEras, type KernelEra } from '../../src/kernel/kernels.ts'
import { useBss } from '../../src/kernel/steps/bss.ts'
import type { Recording } from './recording.ts'

const SETUP = 0x3800
const SIZE_OF_IMAGE = 0xdfa000

/**
 * `moved`: the stub's globals are back in .bss, which shifts its beginning by 64 bytes. Edges as `nm` gave
 * them for the builds.
 */
function facts(name: string, fileSize: number, _bss: number): KernelFacts {
  return {
    name,
    version: '5.10.223 (o@o) #1 Sun Apr 5 00:00:00 UTC 2020',
    fileSize,
    hdr: {
      setup_sects: 0x1b,
      syssize: (fileSize - SETUP) / 16,
      kernel_version: 0x3000,
      heap_end_ptr: 0x4800,
      xloadflags: 0x2b,
      payload_offset: 0x3b1,
      payload_length: 0x15551f,
      init_size: 0xbfa000,
      handover_offset: 0x190,
      kernel_info_offset: 0x161d00,
    },
    compression: 'gzip',
    output_len: 0xb8845c,
    setup_type_max: 0x80000006,
    geometry: {
      _bss,
      _ebss: 0x179658,
      pgtable: 0x17a000,
      _end: 0x19b000,
      boot_stack_end: _bss + 0x14000,
      relocated: 0x155a00,
    },
    pe: {
      e_lfanew: 0x82,
      linuxMagic: false,
      certificates: null,
      compatEntry: 0x3bb0,
      optional: {
        SizeOfCode: SIZE_OF_IMAGE - 0x200,
        SizeOfInitializedData: 0,
        AddressOfEntryPoint: 0x15f466,
        BaseOfCode: 0x200,
        ImageBase: 0x1000000,
        SectionAlignment: 0x20,
        FileAlignment: 0x20,
        SizeOfImage: SIZE_OF_IMAGE,
        SizeOfHeaders: 0x200,
        CheckSum: 0,
        DllCharacteristics: 0,
        MajorImageVersion: 1,
      },
      sections: [
        ['.setup', 0x200, 0x35c0, 0x200, 0x35c0, 0x60500020],
        ['.reloc', 0x37c0, 0x20, 0x37c0, 0x20, 0x42100040],
        ['.compat', 0x37e0, 0x20, 0x37e0, 0x20, 0x42100040],
        ['.text', SETUP, SIZE_OF_IMAGE - SETUP, SETUP, fileSize - SETUP, 0x60500020],
      ],
    },
    vmlinux: {
      entry: 0,
      kernel_total_size: 0xa1c000,
      segmentsEnd: 0xa1c000,
      relocations: 0x1000,
      loads: [
        [0x200000, 0x1000000, 0x66e66c],
        [0xa00000, 0x1800000, 0xe1000],
        [0xae1000, 0x18e1000, 0x13b000],
      ],
    },
  }
}

const STOCK = facts('tiny-stock', 0x1655c0, 0x161dc0)
const GLOBALS_IN_BSS = facts('tiny-bss', 0x165580, 0x161d80)

export const HAND_BUILT: Readonly<Record<string, KernelFacts>> = {
  'tiny-stock': STOCK,
  'tiny-inplace': STOCK,
  'tiny-bss': GLOBALS_IN_BSS,
  'tiny-both': GLOBALS_IN_BSS,
}

function released(): KernelEra {
  const row = kernelEras.find(({ id }) => id === 'linux/E2')
  if (row === undefined) throw new Error('no row linux/E2')
  return row
}

/**
 * The row of the released kernel with the changed cells replaced; undefined for the released one, which is
 * identified from its file.
 */
export function handBuiltEra(kernel: string): KernelEra | undefined {
  const row = released()
  const bss = { ...row.slots, bssAtHandover: useBss }
  const stays = (slots: KernelEra['slots']): KernelEra['slots'] => ({
    ...slots,
    place: boot => {
      boot.machine.step(
        'x-stays',
        'the test for a handover is gone: the kernel stays where it is',
        () => undefined,
      )
    },
  })
  switch (kernel) {
    case 'tiny-bss':
      return { ...row, id: 'x-bss', slots: bss }
    case 'tiny-inplace':
      return { ...row, id: 'x-inplace', slots: stays(row.slots) }
    case 'tiny-both':
      return { ...row, id: 'x-both', slots: stays(bss) }
    default:
      return undefined
  }
}

const TAIL = 0x40000

/** What was appended to the kernel: nothing, or 256 KiB of a byte or of anything, with a pointer in it. */
export function handBuiltKernel({ id, kernel }: Recording): ByteSource {
  const known = HAND_BUILT[kernel]
  if (known === undefined) throw new Error(`${id}: not built by hand`)
  const source = buildKernel(known)
  const word = /tail-(zero|00|ff|01|rnd)|zero-tail/.exec(id)
  if (word === null) return source
  const fill = { ff: 0xff, '01': 1, rnd: (at: number): number => patternByte(at, 7) }[word[1] ?? ''] ?? 0
  const pointer = Object.entries({
    noncanonical: 'efbeaddeefbeadde',
    unmapped: '0000f0debc0a0000',
    'low-readable': '0010000000000000',
  }).find(([name]) => id.endsWith(`-${name}`))?.[1]
  const bytes = (pointer?.match(/../g) ?? []).map(pair => parseInt(pair, 16))
  return sparseSource(
    source.size + TAIL,
    [
      { at: 0, source },
      { at: SETUP + 0x179628, source: bytesSource(Uint8Array.from(bytes)) },
    ],
    fill,
  )
}
