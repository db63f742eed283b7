/**
 * When the clauses of chapters EP and ZO apply: the behaviour each requires (spec/EP-kernel-entry.md and
 * spec/ZO-decompressor.md, whose lines `Applies:` are made of this).
 */
import type { Holds, Law } from '../../releases/law.ts'
import type { Asked, Bss, KernelBehaviour, Placement } from './behaviour.ts'

type Relocation = Extract<Placement, { way: 'efi_relocate_kernel' }>
type Allocation = Extract<Placement, { way: 'efi_random_alloc' }>
type Test = Holds<KernelBehaviour>

const atHandover =
  (bss: Bss): Test =>
  ({ bssAtHandover }) =>
    bssAtHandover.bss === bss
const atPeEntry =
  (bss: Bss): Test =>
  ({ bssAtPeEntry }) =>
    bssAtPeEntry.bss === bss
const moves =
  (holds: (place: Relocation) => boolean = () => true): Test =>
  ({ place }) =>
    place.way === 'efi_relocate_kernel' && holds(place)
const decompresses =
  (holds: (place: Allocation) => boolean = () => true): Test =>
  ({ place }) =>
    place.way === 'efi_random_alloc' && holds(place)
const asks =
  (contract: keyof Asked): Test =>
  ({ asks: of }) =>
    of['efi-handover'][contract] || of['pe-entry'][contract]
const always: Test = () => true
const head64: Test = ({ run }) => run.by === 'head_64.S'
const levelsByStub: Test = ({ paging }) => paging.by === 'efi-stub'
const loadFile2: Test = ({ initrd }) => initrd.loadFile2
const knowsUnaccepted: Test = ({ exit }) => exit.unaccepted

/** Clauses of the kernel, by the behaviour record they describe. */
export const X86_LAW: Law<KernelBehaviour> = {
  entryCode: {
    'EP-2': ({ entryCode }) => entryCode.runs,
    'EP-3': ({ entryCode }) => !entryCode.runs,
  },
  bssAtHandover: {
    'EP-4': atHandover('as-found'),
    'EP-5': atHandover('unused'),
    'EP-6': atHandover('cleared'),
  },
  bssAtPeEntry: {
    'EP-4': atPeEntry('as-found'),
    'EP-5': atPeEntry('unused'),
    'EP-6': atPeEntry('cleared'),
    'EP-7': atPeEntry('trusted'),
  },
  zeroPage: {
    'EP-8': ({ zeroPage }) => zeroPage.way === 'efi_allocate_pages',
    'EP-9': ({ zeroPage }) => zeroPage.way === '.bss',
    'EP-26': ({ zeroPage }) => zeroPage.way === 'efi_low_alloc',
  },
  setupHeader: {
    'EP-12': always,
    'EP-10': ({ setupHeader }) => setupHeader.way === 'copied',
    'EP-11': ({ setupHeader }) => setupHeader.way === 'made' && setupHeader.softLimit,
    'EP-69': ({ setupHeader }) => setupHeader.way === 'made' && !setupHeader.softLimit,
    'EP-30': ({ setupHeader }) => setupHeader.way === 'copied' && setupHeader.wipesSetupData,
  },
  commandLine: {
    'EP-13': always,
    'EP-34': ({ commandLine }) => commandLine.into !== 'pool',
  },
  filesAtEntry: {
    'EP-49': ({ filesAtEntry }) => filesAtEntry.into !== 'efi_high_alloc',
    'EP-50': ({ filesAtEntry }) => filesAtEntry.into === 'efi_allocate_pages',
    'EP-51': ({ filesAtEntry }) => filesAtEntry.into === 'efi_high_alloc',
  },
  paging: {
    'ZO-5': data => !levelsByStub(data),
    'EP-53': levelsByStub,
    'EP-54': levelsByStub,
  },
  place: {
    'EP-15': moves(({ when }) => when !== 'not-at-pref_address'),
    'EP-16': moves(),
    'EP-17': moves(({ lowest }) => lowest === 'LOAD_PHYSICAL_ADDR'),
    'EP-27': moves(({ when }) => when === 'not-at-pref_address'),
    'EP-28': moves(({ lowest }) => lowest === 'any'),
    'EP-29': moves(({ copies }) => copies === 'up-to-bss'),
    'EP-20': decompresses(),
    'EP-21': decompresses(({ noSlot }) => noSlot === 'EFI_OUT_OF_RESOURCES'),
    'EP-22': decompresses(),
    'EP-23': decompresses(),
    'EP-25': decompresses(({ noSlot }) => noSlot === 'EFI_SUCCESS'),
    'EP-32': decompresses(({ minimum }) => minimum === 'none'),
    'EP-33': decompresses(({ minimum }) => minimum === 'counted'),
    'EP-35': decompresses(),
    'EP-36': decompresses(),
    'EP-38': decompresses(),
    'EP-40': decompresses(),
    'EP-52': decompresses(),
    'EP-60': decompresses(),
    'EP-68': decompresses(),
  },
  initrd: {
    'EP-14': loadFile2,
    'EP-31': data => !loadFile2(data),
    'EP-37': loadFile2,
    'EP-67': ({ initrd }) => initrd.table,
  },
  exit: {
    'EP-18': always,
    'EP-19': always,
    'EP-41': always,
    'EP-42': always,
    'EP-45': always,
    'EP-61': always,
    'EP-62': always,
    'EP-63': always,
    'EP-66': always,
    'EP-43': knowsUnaccepted,
    'EP-44': ({ exit }) => exit.buffer === 'grown',
    'EP-46': knowsUnaccepted,
    'EP-47': knowsUnaccepted,
    'EP-48': data => !knowsUnaccepted(data),
  },
  run: {
    'EP-24': data => !head64(data),
    'ZO-3': head64,
    'ZO-4': head64,
    'ZO-6': head64,
    'ZO-7': head64,
    'ZO-9': head64,
    'ZO-10': head64,
    'ZO-11': head64,
  },
  asks: {
    'HO-4': asks('init-window'),
    'HO-5': asks('bss-zero'),
    'HO-6': asks('bss-owned'),
    'HO-9': asks('code32-start'),
  },
  startup32: {
    'ZO-21': always,
  },
  pageTables: {
    'ZO-8': ({ pageTables }) => pageTables.when === 'always',
    'ZO-50': ({ pageTables }) => pageTables.when === 'with-kaslr',
  },
  reserveInitrd: {
    'ZO-52': ({ reserveInitrd }) => reserveInitrd.initrdmem,
    'ZO-53': ({ reserveInitrd }) => reserveInitrd.below === 'half-of-memory',
  },
  trampoline: {
    'ZO-5': ({ trampoline }) => trampoline.when === 'always',
    'ZO-35': ({ trampoline }) => trampoline.when === 'levels-change',
  },
}
