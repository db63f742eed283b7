/**
 * Which kernels behave how: a row is an era, with its behaviour as data. Chapters EP and ZO; releases as
 * upstream's and the stable trees' logs give them.
 */
import type { ContractName } from '../machine/x86/contracts.ts'
import { told } from '../machine/told.ts'
import type { EraInfo } from '../releases/era.ts'
import { canonical } from '../releases/change.ts'
import type { Asked, KernelBehaviour } from './behaviour.ts'
import type { KernelEra, KernelSlots } from './model.ts'
import { kernelSteps } from './steps.ts'

const NOTHING: Asked = {
  'code32-start': false,
  'init-window': false,
  'bss-zero': false,
  'bss-owned': false,
}
const MESSAGE = 'Failed to allocate lowmem for boot params'
const FAKES = ['mem=', 'memmap=', 'hugepages=', 'efi_fake_mem=']

type Slots = Omit<KernelBehaviour, 'asks' | 'shapes'>

/** 5.3.11 and 5.4 to 5.6. */
const trusting: Slots = {
  entryCode: { runs: true },
  bssAtHandover: { bss: 'as-found' },
  bssAtPeEntry: { bss: 'as-found' },
  zeroPage: { way: 'efi_low_alloc', bytes: 0x4000, message: MESSAGE },
  setupHeader: { way: 'copied', to: 'end-of-sector', code32Start: true, wipesSetupData: false },
  commandLine: { into: 'efi_high_alloc', cut: false },
  filesAtEntry: { into: 'efi_high_alloc' },
  paging: { by: 'head_64.S' },
  place: {
    way: 'efi_relocate_kernel',
    when: 'not-at-pref_address',
    copies: 'init_size',
    lowest: 'LOAD_PHYSICAL_ADDR',
  },
  initrd: { loadFile2: false, files: false },
  exit: { map: 'EfiLoaderData', buffer: 'grown', slack: 8, unaccepted: false },
  run: { by: 'head_64.S' },
  startup32: { compares: 'signed' },
  trampoline: { when: 'always', search: 'assumed' },
}
const copiesSector = {
  way: 'copied',
  to: 'end-of-sector',
  code32Start: false,
  wipesSetupData: false,
} as const
const copiesHeader = { ...copiesSector, to: 'end-of-header' } as const
const always = {
  way: 'efi_relocate_kernel',
  when: 'every-handover',
  copies: 'init_size',
  lowest: 'LOAD_PHYSICAL_ADDR',
} as const
const upToBss = { ...always, copies: 'up-to-bss' } as const
const grown = { map: 'EfiLoaderData', buffer: 'grown', slack: 8, unaccepted: false } as const
const kept = { map: 'EfiACPIReclaimMemory', buffer: 'asked-for', slack: 8, unaccepted: false } as const
const accepts = { ...kept, unaccepted: true } as const
const moreSlack = { ...accepts, slack: 32 } as const

/** 5.7-rc2 to 5.7. */
const moving: Slots = {
  entryCode: { runs: true },
  bssAtHandover: { bss: 'unused' },
  bssAtPeEntry: { bss: 'unused' },
  zeroPage: { way: 'efi_allocate_pages', bytes: 0x4000, message: MESSAGE },
  setupHeader: copiesSector,
  commandLine: { into: 'efi_allocate_pages', cut: false },
  filesAtEntry: { into: 'efi_allocate_pages' },
  paging: { by: 'head_64.S' },
  place: always,
  initrd: { loadFile2: true, files: false },
  exit: grown,
  run: { by: 'head_64.S' },
  startup32: { compares: 'unsigned' },
  trampoline: { when: 'always', search: 'read' },
}

/** 5.10.146 and later of 5.10.y. */
const movingLate: Slots = {
  ...moving,
  zeroPage: { way: 'efi_allocate_pages', bytes: 0x1000, message: MESSAGE },
  setupHeader: { ...copiesHeader, wipesSetupData: true },
  commandLine: { into: 'pool', cut: true },
  filesAtEntry: { into: null },
  initrd: { loadFile2: true, files: true },
}

const anywhere = {
  way: 'efi_random_alloc',
  minimum: 'none',
  noSlot: 'EFI_OUT_OF_RESOURCES',
  firstSlotFor: [] as readonly string[],
} as const
const miscounted = { ...anywhere, minimum: 'counted' } as const
const high = { ...anywhere, minimum: 'kept' } as const

/** 6.1.103 and later of 6.1.y. */
const decompressing: Slots = {
  entryCode: { runs: false },
  bssAtHandover: { bss: 'cleared' },
  bssAtPeEntry: { bss: 'cleared' },
  zeroPage: { way: 'efi_allocate_pages', bytes: 0x1000, message: null },
  setupHeader: { way: 'made' },
  commandLine: { into: 'pool', cut: true },
  filesAtEntry: { into: null },
  paging: { by: 'efi-stub' },
  place: { ...high, noSlot: 'EFI_SUCCESS', firstSlotFor: FAKES },
  initrd: { loadFile2: true, files: true },
  exit: kept,
  run: { by: 'efi-stub' },
  startup32: { compares: 'unsigned' },
  trampoline: { when: 'levels-change', search: 'read' },
}

/** 6.6.0 to 6.6.16. */
const decompressingEarly: Slots = {
  ...decompressing,
  zeroPage: { way: 'efi_allocate_pages', bytes: 0x1000, message: MESSAGE },
  bssAtPeEntry: { bss: 'trusted' },
  setupHeader: { ...copiesHeader, wipesSetupData: true },
  place: anywhere,
  exit: accepts,
}
/** 6.9. */
const decompressingFromBss: Slots = {
  ...decompressing,
  zeroPage: { way: '.bss' },
  place: high,
  exit: accepts,
}
/** 6.12.25 and later of 6.12.y, 6.14 and later. */
const decompressingUnchecked: Slots = {
  ...decompressing,
  bssAtPeEntry: { bss: 'trusted' },
  place: { ...high, firstSlotFor: ['mem=', 'memmap=', 'hugepages='] },
  exit: moreSlack,
}

/** What rows of one shape of file are held to. */
type Form = Pick<KernelBehaviour, 'shapes' | 'asks'>
const TRUSTS: Form = {
  shapes: ['bss-section'],
  asks: { 'efi-handover': { ...NOTHING, 'code32-start': true }, 'pe-entry': NOTHING },
}
const MOVES: Form = {
  shapes: ['window-fixed-entry'],
  asks: { 'efi-handover': NOTHING, 'pe-entry': { ...NOTHING, 'init-window': true } },
}
const CLEARS: Form = {
  shapes: ['window'],
  asks: { 'efi-handover': { ...NOTHING, 'bss-owned': true }, 'pe-entry': NOTHING },
}
const TIGHT: Form = { ...CLEARS, shapes: ['tight'] }

interface Row extends EraInfo, Form {
  readonly slots: Slots
}

/** The table of kernels, oldest first. */
const ROWS: readonly Row[] = [
  {
    id: 'linux/E0a',
    title:
      'moves itself to pref_address or as low as memory goes, from where code32_start says that it is; .bss is in the file',
    spans: [
      { from: '4.19', to: '5.3.11' },
      { from: '5.4-rc1', to: '5.4' },
    ],
    commits: ['5b11f1cee579'],
    seen: [],
    slots: { ...trusting, place: { ...trusting.place, lowest: 'any' } as KernelBehaviour['place'] },
    ...TRUSTS,
  },
  {
    id: 'linux/E0',
    title:
      'moves itself to pref_address or low, from where code32_start says that it is; .bss is in the file',
    spans: [
      { from: '5.3.11', to: '5.4-rc1' },
      { from: '5.4', to: '5.7-rc1' },
    ],
    commits: ['220dd7699c46'],
    seen: ['5.4', '5.6'],
    slots: trusting,
    ...TRUSTS,
  },
  {
    id: 'linux/E1',
    title: 'bss no longer in the file and not cleared; moves itself only when misaligned',
    spans: [{ from: '5.7-rc1', to: '5.7-rc2' }],
    commits: ['3ee372ccce4d', '1887c9b653f9', 'd5cdf4cfeac9'],
    seen: ['5.7-rc1'],
    slots: {
      ...moving,
      bssAtHandover: { bss: 'as-found' },
      bssAtPeEntry: { bss: 'trusted' },
      place: { ...always, when: 'misaligned-handover' },
    },
    shapes: [],
    asks: {
      'efi-handover': { ...NOTHING, 'init-window': true, 'bss-zero': true },
      'pe-entry': { ...NOTHING, 'init-window': true, 'bss-zero': true },
    },
  },
  {
    id: 'linux/E2a',
    title:
      'stub globals in .data; always moves itself after a handover; zero page of 16 KiB, header copy of a sector',
    spans: [{ from: '5.7-rc2', to: '5.8-rc1' }],
    commits: ['105cb9544b16', '21cb9b414301'],
    seen: [],
    slots: moving,
    ...MOVES,
  },
  {
    id: 'linux/E2f',
    title:
      'always moves itself after a handover; header copy of a sector; keeps the command line in pool memory',
    spans: [{ from: '5.8-rc1', to: '5.8-rc7' }],
    commits: [],
    seen: ['5.8-rc1'],
    slots: { ...movingLate, setupHeader: copiesSector },
    ...MOVES,
  },
  {
    id: 'linux/E2c',
    title:
      'always moves itself after a handover; decompresses in place after a PE entry; takes over setup_data of the image',
    spans: [{ from: '5.8-rc7', to: '5.10.146' }],
    commits: ['59476f80d878'],
    seen: ['5.10.13'],
    slots: { ...movingLate, setupHeader: copiesHeader },
    ...MOVES,
  },
  {
    id: 'linux/E2',
    title: 'always moves itself after a handover; decompresses in place after a PE entry',
    spans: [{ from: '5.10.146', to: '5.11-rc1' }],
    commits: ['63bf28ceb3eb'],
    seen: ['5.10.223'],
    slots: movingLate,
    ...MOVES,
  },
  {
    id: 'linux/E2d',
    title: 'moves only what lies in front of .bss; takes over setup_data of the image',
    spans: [
      { from: '5.11-rc1', to: '5.15.71' },
      { from: '5.16-rc1', to: '5.19.12' },
      { from: '6.0-rc1', to: '6.0-rc7' },
    ],
    commits: ['688eb28211ab'],
    seen: [],
    slots: { ...movingLate, setupHeader: copiesHeader, place: upToBss },
    ...MOVES,
  },
  {
    id: 'linux/E2e',
    title: 'moves only what lies in front of .bss',
    spans: [
      { from: '5.15.71', to: '5.16-rc1' },
      { from: '5.19.12', to: '6.0-rc1' },
      { from: '6.0-rc7', to: '6.1-rc1' },
    ],
    commits: ['688eb28211ab'],
    seen: [],
    slots: { ...movingLate, place: upToBss },
    ...MOVES,
  },
  {
    id: 'linux/E2b',
    title: 'moves only what lies in front of .bss; keeps the memory map in ACPI reclaim memory',
    spans: [
      { from: '6.1-rc1', to: '6.1.81' },
      { from: '6.2-rc1', to: '6.5-rc1' },
    ],
    commits: ['688eb28211ab'],
    seen: ['6.1.4'],
    slots: { ...movingLate, place: upToBss, exit: kept },
    ...MOVES,
  },
  {
    id: 'linux/E2g',
    title: 'moves only what lies in front of .bss; knows unaccepted memory',
    spans: [{ from: '6.5-rc1', to: '6.6-rc1' }],
    commits: ['745e3ed85f71'],
    seen: [],
    slots: { ...movingLate, place: upToBss, exit: accepts },
    ...MOVES,
  },
  {
    id: 'linux/E3a',
    title: 'the EFI stub decompresses, at any address; clears .bss only after a handover; copies the header',
    spans: [{ from: '6.6-rc1', to: '6.6.17' }],
    commits: ['a1b87d54f4e4', 'd7156b986d4c', '127920645876'],
    seen: [],
    slots: decompressingEarly,
    ...CLEARS,
  },
  {
    id: 'linux/E3',
    title: 'the EFI stub decompresses; clears .bss only after a handover; copies the header; miscounts slots',
    spans: [{ from: '6.6.17', to: '6.6.18' }],
    commits: ['2f77465b05b1'],
    seen: [],
    slots: { ...decompressingEarly, place: miscounted },
    ...CLEARS,
  },
  {
    id: 'linux/E3b',
    title:
      'the EFI stub decompresses; clears .bss only after a handover; copies the header; miscounts slots; gets lost when no memory fits',
    spans: [{ from: '6.1.81', to: '6.1.83' }],
    commits: ['a1b87d54f4e4', '2f77465b05b1'],
    seen: [],
    slots: { ...decompressingEarly, place: { ...miscounted, noSlot: 'EFI_SUCCESS' }, exit: kept },
    ...CLEARS,
  },
  {
    id: 'linux/E3d',
    title:
      'the EFI stub decompresses; clears .bss at every entry; copies the header; miscounts slots; gets lost when no memory fits',
    spans: [{ from: '6.1.83', to: '6.1.84' }],
    commits: ['b3810c5a2cc4'],
    seen: [],
    slots: {
      ...decompressingEarly,
      bssAtPeEntry: { bss: 'cleared' },
      place: { ...miscounted, noSlot: 'EFI_SUCCESS' },
      exit: kept,
    },
    ...CLEARS,
  },
  {
    id: 'linux/E3c',
    title:
      'the EFI stub decompresses; clears .bss at every entry; copies the header; gets lost when no memory fits',
    spans: [{ from: '6.1.84', to: '6.1.88' }],
    commits: ['3cb4a4827596'],
    seen: [],
    slots: {
      ...decompressingEarly,
      bssAtPeEntry: { bss: 'cleared' },
      place: { ...high, noSlot: 'EFI_SUCCESS' },
      exit: kept,
    },
    ...CLEARS,
  },
  {
    id: 'linux/E4a',
    title:
      'the EFI stub decompresses; clears .bss at every entry; zero page in .bss; memory options do not matter to KASLR',
    spans: [{ from: '6.1.88', to: '6.1.93' }],
    commits: ['8eace5b35556', '7e50262229fa', 'd7156b986d4c'],
    seen: [],
    slots: { ...decompressing, zeroPage: { way: '.bss' }, place: { ...high, noSlot: 'EFI_SUCCESS' } },
    ...TIGHT,
  },
  {
    id: 'linux/E4b',
    title: 'the EFI stub decompresses; clears .bss at every entry; zero page in .bss',
    spans: [{ from: '6.1.93', to: '6.1.103' }],
    commits: ['15aa8fb852f9'],
    seen: [],
    slots: { ...decompressing, zeroPage: { way: '.bss' } },
    ...TIGHT,
  },
  {
    id: 'linux/E4',
    title: 'the EFI stub decompresses; clears .bss at every entry; gets lost when no memory fits',
    spans: [{ from: '6.1.103', to: '6.2-rc1' }],
    commits: ['ae835a96d72c'],
    seen: ['6.1.170', '6.1.176'],
    slots: decompressing,
    ...TIGHT,
  },
  {
    id: 'linux/E4c',
    title: 'the EFI stub decompresses, at any address; clears .bss only after a handover; zero page in .bss',
    spans: [{ from: '6.7-rc1', to: '6.7.5' }],
    commits: ['8eace5b35556', '7e50262229fa', '5f51c5d0e905'],
    seen: [],
    slots: { ...decompressingFromBss, bssAtPeEntry: { bss: 'trusted' }, place: anywhere },
    ...TIGHT,
  },
  {
    id: 'linux/E4e',
    title: 'the EFI stub decompresses; clears .bss only after a handover; zero page in .bss; miscounts slots',
    spans: [
      { from: '6.6.18', to: '6.6.23' },
      { from: '6.7.5', to: '6.7.11' },
      { from: '6.8-rc1', to: '6.8.2' },
    ],
    commits: ['2f77465b05b1'],
    seen: [],
    slots: { ...decompressingFromBss, bssAtPeEntry: { bss: 'trusted' }, place: miscounted },
    ...TIGHT,
  },
  {
    id: 'linux/E4d',
    title: 'the EFI stub decompresses; clears .bss at every entry; zero page in .bss; miscounts slots',
    spans: [
      { from: '6.6.23', to: '6.6.24' },
      { from: '6.7.11', to: '6.7.12' },
      { from: '6.8.2', to: '6.8.3' },
    ],
    commits: ['b3810c5a2cc4'],
    seen: [],
    slots: { ...decompressingFromBss, place: miscounted },
    ...TIGHT,
  },
  {
    id: 'linux/E4f',
    title:
      'the EFI stub decompresses; clears .bss at every entry; zero page in .bss; memory options do not matter to KASLR',
    spans: [
      { from: '6.6.24', to: '6.6.33' },
      { from: '6.7.12', to: '6.8-rc1' },
      { from: '6.8.3', to: '6.9.4' },
    ],
    commits: ['3cb4a4827596'],
    seen: [],
    slots: decompressingFromBss,
    ...TIGHT,
  },
  {
    id: 'linux/E4g',
    title: 'the EFI stub decompresses; clears .bss at every entry; zero page in .bss',
    spans: [
      { from: '6.6.33', to: '6.6.44' },
      { from: '6.9.4', to: '6.10.3' },
    ],
    commits: ['15aa8fb852f9'],
    seen: [],
    slots: { ...decompressingFromBss, place: { ...high, firstSlotFor: FAKES } },
    ...TIGHT,
  },
  {
    id: 'linux/E4h',
    title: 'the EFI stub decompresses; clears .bss at every entry',
    spans: [
      { from: '6.6.44', to: '6.6.88' },
      { from: '6.10.3', to: '6.11-rc1' },
    ],
    commits: ['ae835a96d72c'],
    seen: [],
    slots: { ...decompressing, place: { ...high, firstSlotFor: FAKES }, exit: accepts },
    ...TIGHT,
  },
  {
    id: 'linux/E4i',
    title:
      'the EFI stub decompresses; clears .bss at every entry; room for 32 more descriptors of the memory map',
    spans: [{ from: '6.6.88', to: '6.7-rc1' }],
    commits: ['ec4696925da6'],
    seen: [],
    slots: { ...decompressing, place: { ...high, firstSlotFor: FAKES }, exit: moreSlack },
    ...TIGHT,
  },
  {
    id: 'linux/E5a',
    title:
      'the EFI stub decompresses; clears .bss only after a handover; room for 8 more descriptors of the memory map',
    spans: [
      { from: '6.11-rc1', to: '6.12.25' },
      { from: '6.13-rc1', to: '6.14-rc1' },
    ],
    commits: ['ebf5a79acf9a'],
    seen: [],
    slots: { ...decompressingUnchecked, exit: accepts },
    ...TIGHT,
    shapes: ['tight', 'tight-3'],
  },
  {
    id: 'linux/E5',
    title: 'the EFI stub decompresses; clears .bss only after a handover',
    spans: [
      { from: '6.12.25', to: '6.13-rc1' },
      { from: '6.14-rc1', to: '6.15-rc1' },
    ],
    commits: ['ec4696925da6'],
    seen: ['6.12.107'],
    slots: decompressingUnchecked,
    ...TIGHT,
    shapes: ['tight', 'tight-3'],
  },
  {
    id: 'linux/E6',
    title: 'the EFI stub decompresses; clears .bss only after a handover; no checksum in the file',
    spans: [{ from: '6.15-rc1', to: '7.4-rc1' }],
    commits: ['9c54baab4401', 'a8327be7b2aa'],
    seen: ['6.17.8', '6.18.15', '6.19.6', '7.1.8', '7.2.8', '7.2.13', '7.3-rc7'],
    slots: decompressingUnchecked,
    ...CLEARS,
    shapes: ['tight-3'],
  },
]

const HANDOVER: readonly ContractName[] = ['setup-header', 'alignment', 'sentinel', 'whole-addresses']
const asked = (asks: Asked): ContractName[] =>
  (Object.keys(asks) as (keyof Asked)[]).filter(name => asks[name])

const made = new Map<string, unknown>()

/** Equal cells are one function. */
function slotsOf(behaviour: KernelBehaviour): KernelSlots {
  return Object.fromEntries(
    Object.entries(kernelSteps(behaviour)).map(([slot, step]) => {
      const data = behaviour[slot as keyof KernelSlots]
      const key = `${slot} ${canonical(data)}`
      if (!made.has(key)) made.set(key, told(step as (boot: never) => void, data))
      return [slot, made.get(key)]
    }),
  ) as unknown as KernelSlots
}

/** The table of kernels, oldest first. */
export const kernelEras: readonly KernelEra[] = ROWS.map(({ slots, asks, ...row }) => ({
  ...row,
  behaviour: { ...slots, asks, shapes: row.shapes },
  slots: slotsOf({ ...slots, asks, shapes: row.shapes }),
  contracts: {
    'efi-handover': [...HANDOVER, ...asked(asks['efi-handover'])],
    'pe-entry': asked(asks['pe-entry']),
  },
}))
