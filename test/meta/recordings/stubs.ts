/** Boots of every row of the stubs' tables, in settings that reach what a plain boot does not. */
import { stubCandidates } from '../../../src/boot/identify.ts'
import { rangeAt } from '../../../src/bytes/range.ts'
import { bytesSource, sparseSource, type ByteSource } from '../../../src/bytes/source.ts'
import { phys } from '../../../src/bytes/units.ts'
import type { CheckInput } from '../../../src/check.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { viewUki, type UkiView } from '../../../src/image/uki.ts'
import { STUB_FACTS } from '../../../src/image/stub-facts.ts'
import { buildKernel, buildUki, type AddedSection } from '../../../src/image/synthetic.ts'
import type { Memory } from '../../../src/memory/memory.ts'
import { stubEras } from '../../../src/stub/eras.ts'
import { kernel } from '../../../src/vitest/builders.ts'
import {
  lanzaboote,
  LANZABOOTE_RELEASES,
  type LanzabooteImage,
  type LanzabooteOptions,
} from '../../../src/vitest/lanzaboote.ts'
import { scenario } from '../../../src/vitest/scenario.ts'
import { noted, type Note } from './note.ts'
import {
  CMDLINE,
  KERNEL_AT,
  kernelFacts,
  runStub,
  sectionsOf,
  withoutInitrdSupport,
  type StubSetting,
} from '../../support/stub-run.ts'
import { GIB } from '../../support/bytes.ts'

/** The PE header of the stub that all rows run here, the optional header in it, and that of the kernel. */
const PE_262 = 0x40
const OPTIONAL = 24
const kernel61 = kernelFacts('debian-6.1.170')
const section = (name: string, VirtualAddress: number, text: string): AddedSection => ({
  name,
  VirtualAddress,
  content: { text },
})
const images = { initrds: buildKernel(kernel61), noInitrds: buildKernel(withoutInitrdSupport()) }
const sections = (
  change: Readonly<Record<string, AddedSection | null>> = {},
  source: ByteSource = images.initrds,
): AddedSection[] =>
  sectionsOf(
    {
      '.osrel': section('.osrel', 0x40000, 'ID=x\n'),
      '.cmdline': section('.cmdline', 0x50000, CMDLINE),
      ...change,
    },
    source,
  )
const patched = (at: number, bytes: readonly number[], object = 'uki:headers'): StubSetting => ({
  before: (memory: Memory, base: number) =>
    void memory.patch(
      phys(base + at),
      Uint8Array.from(bytes),
      object,
      object === 'kernel' ? at - KERNEL_AT : at,
    ),
})
const addon = {
  name: 'a.addon.efi',
  source: buildUki({ stub: STUB_FACTS['254.26'], sections: [section('.cmdline', 0x20000, ' quiet ')] }),
}

/** Settings in which every row is run. */
const USUAL: readonly StubSetting[] = [
  {},
  { sections: sections({ '.cmdline': null, '.initrd': null, '.osrel': null }) },
  { sections: sections({ '.uname': section('.uname', 0x48000, '6.12') }) },
  { sections: sections({}, images.noInitrds) },
  { sections: sections({}, images.noInitrds), base: 5 * GIB },
  // xloadflags without CAN_BE_LOADED_ABOVE_4G
  {
    sections: sections({}, images.noInitrds),
    base: 5 * GIB,
    ...patched(KERNEL_AT + 0x236, [0x3d], 'kernel'),
  },
  {
    sections: sections({}, images.noInitrds),
    base: 4 * GIB - 0x3000000,
    ...patched(KERNEL_AT + 0x236, [0x3d], 'kernel'),
  },
  { sections: sections({ '.cmdline': section('.cmdline', 0x50000, 'quiet') }), secureBoot: true, shim: true },
  { shell: ['one', 'two '], options: 'BOOTX64.EFI one two ', smbiosCmdline: ' extra ', addons: [addon] },
  { sections: sections({ '.cmdline': null }), options: 'mine' },
  { sections: sections({ '.linux': null }) },
]

/** Settings for rows that look at what is odd in them. */
const ODD: readonly StubSetting[] = [
  { sections: sections({ '.dtb': section('.dtb', 0x3100000, 'd'.repeat(64)) }) },
  { sections: sections({ '.profile': section('.profile', 0x3100000, 'ID=a') }), options: '@7' },
  { sections: sections({ '.cmdline': section('.cmdline', 0x50000, '  ') }) },
  { full: ['initrd:joined'] },
  { fullBelow: ['initrd:joined'] },
  patched(PE_262 + 6, [97]),
  patched(PE_262 + OPTIONAL + 108, [5]),
  { ...patched(PE_262 + 6, [0xff, 0xff]), edit: { SizeOfImage: 0x200000 } },
  patched(KERNEL_AT + kernel61.pe.e_lfanew + OPTIONAL + 16, [0xff, 0xff, 0xff, 0x7f], 'kernel'),
  {
    before: (memory, base) => {
      memory.copy(phys(base + 4), rangeAt(base + PE_262, 0x600))
      memory.patch(phys(base + 0x3c), Uint8Array.of(4, 0, 0, 0), 'uki:headers', 0x3c)
    },
  },
  {
    sections: sections({
      '.linux': {
        name: '.linux',
        VirtualAddress: KERNEL_AT,
        content: images.initrds,
        VirtualSize: kernel61.pe.e_lfanew + 263,
      },
    }),
  },
]

const ROWS = [
  'S2',
  'S3',
  'S4/252',
  'S4/252.3',
  'S4/252.6',
  'S5/254',
  'S5/255',
  'S6/256',
  'S6/257',
  'S6/257.5',
  'S7/258.10',
  'S8/259.8',
  'S8',
].map(row => `systemd-stub/${row}`)

const ia32 = (): UkiView => {
  const { pe } = parsePe(buildUki({ stub: STUB_FACTS['247.3'], sections: [], coff: { Machine: 0x14c } }))
  if (pe === null) throw new Error('no PE')
  return viewUki(pe)
}

/** Every row in the usual settings, some in the odd ones, with the stub of 262.1 for all of them. */
export function bootStubs(note: Note): void {
  for (const id of Object.keys(stubEras))
    for (const setting of [...USUAL, ...(ROWS.includes(id) ? ODD : [])])
      note(
        runStub(id, { stub: '262.1', sections: sections(), free: [0x1000, 0x8000000], ...setting }).outcome,
      )
  for (const candidate of stubCandidates(ia32()))
    note(candidate.gap === null ? null : { kind: 'unknown', gap: candidate.gap })
}

const SMALL = kernel('6.12.107-cloud', { size: '1M' })
const EARLY: Readonly<Record<string, string>> = { '0.1.0': 'lanzaboote/0.1', '0.3.0': 'lanzaboote/0.3' }

const made = new Map<string, LanzabooteImage>()

/** Files are hashed once. */
function imageOf(options: LanzabooteOptions): LanzabooteImage {
  const key = JSON.stringify(options)
  const known = made.get(key) ?? lanzaboote({ kernel: SMALL, initrd: 4097, ...options })
  made.set(key, known)
  return known
}

function thin(
  note: Note,
  options: LanzabooteOptions,
  more: Partial<Omit<CheckInput, 'image' | 'machine'>> = {},
): void {
  const stub = EARLY[options.release ?? '']
  noted(note, scenario({ ...imageOf(options), ...(stub === undefined ? {} : { stub }), ...more }))
}

/** The image with a longer VirtualSize of `.cmdline`. */
function longer(image: ByteSource): ByteSource {
  const { pe } = parsePe(image)
  const cmdline = pe?.sections.find(one => one.name === '.cmdline')
  if (pe === null || cmdline === undefined) throw new Error('.cmdline')
  const at = pe.sectionTable + 40 * cmdline.index + 8
  return sparseSource(image.size, [
    { at: 0, source: image },
    { at, source: bytesSource(Uint8Array.of(0, 3, 0, 0)) },
  ])
}

/** lanzaboote's stubs, thin and fat, with files that fit and files that do not. */
export function bootLanzaboote(note: Note): void {
  for (const release of LANZABOOTE_RELEASES) {
    for (const secureBoot of [false, true]) thin(note, { release }, { secureBoot })
    thin(note, { release }, { loadOptions: 'mine' })
    const files = imageOf({ release })
    noted(note, scenario({ ...files, image: longer(files.image) }))
    noted(note, scenario({ image: files.image }))
  }
  for (const wrongHash of ['kernel', 'initrd'] as const)
    for (const release of ['0.3.0', '1.1.0'] as const) thin(note, { release, wrongHash }, { deep: true })
  for (const release of ['0.4.1', '0.4.2'] as const) thin(note, { release, fat: true })
}
