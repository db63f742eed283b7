/**
 * One example per rule, with addresses and sizes of recorded boots: the pages in docs/hazards show what comes
 * of them.
 */
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { sparseSource } from '../../../src/bytes/source.ts'
import { phys } from '../../../src/bytes/units.ts'
import { advise, judge } from '../../../src/hazard/registry.ts'
import type { Finding } from '../../../src/hazard/hazard.ts'
import { ZERO } from '../../../src/memory/extent.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'
import { image, kernelFile, type SectionOf } from './images.ts'

/** A 6.12 kernel after stub 247.3 in 512 MiB, the initrd on the next page. */
const IMAGE = 0x18b3d000
const KERNEL = IMAGE + 0x2000000
const KERNEL_SIZE = 0xb2a200
const BSS_END = 0xb6e200
const INITRD = KERNEL + 0xb2b000
const INITRD_SIZE = 0x4a7e00

const bytes = (length: number) => ({ source: sparseSource(length, []), at: 0, length })

function booted(act: (memory: Memory, recorder: Recorder) => void, initrd: number = INITRD): Finding[] {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  memory.ram(range(0, 0x20000000), ZERO)
  memory.claim(range(IMAGE, IMAGE + 0x4000000), 'uki')
  recorder.step('PE-15', 'load the sections in table order', () => {
    memory.put(phys(KERNEL), bytes(KERNEL_SIZE), 'kernel')
    memory.put(phys(initrd), bytes(INITRD_SIZE), 'initrd')
  })
  act(memory, recorder)
  return judge(recorder)
}

function arrive(memory: Memory, recorder: Recorder, at: number, size = INITRD_SIZE): void {
  recorder.as('kernel', () =>
    recorder.step('ZO-16', 'read the initrd at ramdisk_image', () =>
      memory.readAs(rangeAt(at, size), 'initrd', { all: true }),
    ),
  )
}

function broken(
  clause: 'HO-3' | 'HO-4' | 'HO-5' | 'HO-7',
  what: string,
  from: number,
  to: number,
): Finding[] {
  return booted((memory, recorder) => {
    const where = range(from, to)
    recorder.as('stub', () =>
      recorder.append({
        op: 'contract',
        clause,
        kept: false,
        what,
        range: where,
        found: memory.occupants(where, object => object === 'kernel'),
      }),
    )
  })
}

const advised = (sections: readonly SectionOf[], options = {}): Finding[] => advise(image(sections, options))

export const examples: Readonly<Record<string, () => Finding[]>> = {
  'clobbered-object': () =>
    booted((memory, recorder) => {
      recorder.as('efi-stub', () =>
        recorder.step('EP-6', 'the handover entry clears .bss', () =>
          memory.zero(range(KERNEL + KERNEL_SIZE, KERNEL + BSS_END), 'kernel', KERNEL_SIZE),
        ),
      )
      arrive(memory, recorder, INITRD)
    }),
  'uninitialised-read': () =>
    booted((memory, recorder) => {
      recorder.as('efi-stub', () =>
        recorder.step('EP-4', 'use the variables in .bss', () =>
          memory.readAs(range(KERNEL + KERNEL_SIZE, KERNEL + BSS_END), 'kernel', { at: KERNEL_SIZE }),
        ),
      )
    }, IMAGE + 0x3000000),
  'wild-read': () =>
    booted((memory, recorder) => {
      arrive(memory, recorder, 0x45b1f8000)
    }),
  'truncated-object': () =>
    booted((memory, recorder) => {
      arrive(memory, recorder, INITRD, 0x400000)
    }),
  'init-window-occupied': () =>
    broken(
      'HO-4',
      'nothing that is needed later lies in the init window',
      0x1ac00000,
      0x1ac00000 + 0x2d5e000,
    ),
  'bss-not-cleared': () =>
    broken('HO-5', 'the .bss of the kernel is zero at its entry', KERNEL + KERNEL_SIZE, KERNEL + BSS_END),
  'address-truncated': () =>
    broken('HO-7', 'ramdisk_image 0x5b1f8000 stands for 0x15b1f8000', INITRD, INITRD + INITRD_SIZE),
  'setup-header-wrong': () => broken('HO-3', 'the sentinel of boot_params is 0', 0x1dfbc1ef, 0x1dfbc1f0),
  'extract-margin-too-small': () =>
    booted((_, recorder) => {
      const contract = {
        clause: 'ZO-28',
        kept: false,
        what: 'the output never reaches input that is still to be read',
        range: range(0x3200000, 0x3202000),
        found: [],
      } as const
      recorder.as('decompressor', () => recorder.append({ op: 'contract', ...contract }))
    }),
  'write-outside-allocation': () =>
    booted((memory, recorder) => {
      const end = IMAGE + 0x4000000
      recorder.as('efi-stub', () =>
        recorder.step('EP-6', 'the handover entry clears .bss', () =>
          memory.zero(range(end - 0x1000, end + 0x43000), 'kernel', KERNEL_SIZE),
        ),
      )
    }),
  'sections-overlap': () =>
    advised([
      { name: '.initrd', at: 0x3000000, raw: INITRD_SIZE },
      { name: '.linux', at: 0x2800000, raw: KERNEL_SIZE },
    ]).filter(({ rule }) => rule === 'sections-overlap'),
  'no-room-for-init-size': () =>
    advised([
      { name: '.linux', at: 0x2000000, raw: kernelFile(KERNEL_SIZE, 0x37dd000, 0xb90000) },
      { name: '.initrd', at: 0x2b2b000, raw: INITRD_SIZE },
    ]),
  'section-beyond-image-size': () =>
    advised([{ name: '.linux', at: 0x2000000, raw: 0x1312d00 }], { sizeOfImage: 0x32dd000 }),
  'table-order-not-by-address': () =>
    advised([
      { name: '.initrd', at: 0x3000000, raw: INITRD_SIZE },
      { name: '.linux', at: 0x2000000, raw: KERNEL_SIZE },
    ]),
  'duplicate-section': () =>
    advised([
      { name: '.cmdline', at: 0x30000, raw: 0x5e },
      { name: '.cmdline', at: 0x31000, raw: 0x20 },
    ]),
  'section-unaligned': () => advised([{ name: '.initrd', at: 0x3000123, raw: INITRD_SIZE }]),
  'rva-wrapped': () =>
    advised(
      [
        { name: '.osrel', at: 0xb2090000, raw: 0x2c },
        { name: '.cmdline', at: 0xb20a0000, raw: 0x6d },
        { name: '.linux', at: 0xb4070000, raw: 0xb93f00 },
        { name: '.initrd', at: 0xb5070000, raw: INITRD_SIZE },
      ],
      { sizeOfImage: 0x29000, imageBase: 0x14df90000n },
    ),
  'size-of-image-from-last-section': () =>
    advised(
      [
        { name: '.linux', at: 0x2000000, raw: 0x1312d00 },
        { name: '.initrd', at: 0x3000000, raw: 0x2dc6c0 },
      ],
      { sizeOfImage: 0x32dd000 },
    ).filter(({ rule }) => rule !== 'sections-overlap'),
  'stub-grown-over-payload': () =>
    advised([
      { name: '.rodata', at: 0x1e000, raw: 0x7000 },
      { name: '.osrel', at: 0x20000, raw: 0x2c },
    ]).filter(({ rule }) => rule !== 'sections-overlap'),
  'sbat-merged-over-sdmagic': () =>
    advised([
      { name: '.sbat', at: 0x19000, raw: 0x200, size: 0x134 },
      { name: '.sdmagic', at: 0x19100, raw: 0x200, size: 0x34 },
    ]).filter(({ rule }) => rule !== 'sections-overlap'),
  'payload-virtual-size-mismatch': () =>
    advised(
      [{ name: '.linux', at: 0x2fb000, raw: kernelFile(0x6bea00, 0x3b7a000, 0x3d7a000), size: 0x3d7a000 }],
      { sizeOfImage: 0x4075000 },
    ),
}
