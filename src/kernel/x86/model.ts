/** The slots of a kernel era and the one procedure that calls them in order. Chapters EP and ZO. */
import { phys, wrap32 } from '../../bytes/units.ts'
import { evaluateContracts, type ContractName } from '../../machine/x86/contracts.ts'
import type { Machine } from '../../machine/machine.ts'
import type { Arrival, HandOff, KernelModel } from '../../machine/model.ts'
import type { Era } from '../../releases/history.ts'
import type { KernelBehaviour, KernelShape } from './behaviour.ts'
import {
  guestAlign,
  zeroPageOf,
  type KernelBoot,
  type PageTablesStep,
  type Step,
  type TrampolineStep,
} from './boot.ts'
import { readKernelFile, type KernelFile } from './file.ts'
import type { PayloadRead, PayloadReader } from '../payload.ts'
import { arrive } from './steps/arrive.ts'
import { enterHead, enterKernel } from './steps/entry.ts'
import { runHead64 } from './steps/head64.ts'
import { followSetupData, noteSetupData } from './steps/setup-data.ts'
import { useLoadersCopy } from './steps/startup32.ts'

/** The differences between kernels: one step per slot. */
export interface KernelSlots {
  /** Is the code in front of the payload (.head.text) run on an EFI boot? */
  readonly entryCode: Step
  /** .bss after a handover: cleared, used uncleared, or not used. */
  readonly bssAtHandover: Step
  /** .bss after a PE entry. */
  readonly bssAtPeEntry: Step
  /** PE entry: where the zero page comes from. */
  readonly zeroPage: Step
  /** PE entry: what goes into its setup header. */
  readonly setupHeader: Step
  /** PE entry: where the converted command line goes. */
  readonly commandLine: Step
  /** PE entry: are files of initrd= loaded before anything else? */
  readonly filesAtEntry: Step
  /** What the EFI stub allocates to change the number of paging levels. */
  readonly paging: Step
  /** Either the compressed kernel moves, or the EFI stub decompresses it. */
  readonly place: Step
  /** The initrd that is offered through LoadFile2. */
  readonly initrd: Step
  /** Memory map, e820, ExitBootServices. */
  readonly exit: Step
  /** From the end of boot services to the extracted kernel's first instruction. */
  readonly run: Step
  /** The 32-bit entry of the boot protocol, up to `startup_64`. */
  readonly startup32: Step
  /** What head_64.S borrows to change the number of paging levels. */
  readonly trampoline: TrampolineStep
  /** When the moved decompressor builds page tables. */
  readonly pageTables: PageTablesStep
  /** The extracted kernel: is its initrd too large for it? */
  readonly reserveInitrd: Step
}

/** Releases of linux that behave alike. */
export interface X86Era extends Era<KernelBehaviour> {
  /**
   * Shapes of this era's files; empty if only the version string can tell (a release candidate that looks
   * like its successors).
   */
  readonly shapes: readonly KernelShape[]
  /** The steps made from `behaviour`; callers may replace any of them. */
  readonly slots: KernelSlots
  /**
   * The contracts it requires, by EFI entry method; the boot protocol's own entries require the same of all.
   */
  readonly contracts: Readonly<Record<'efi-handover' | 'pe-entry', readonly ContractName[]>>
}

/**
 * A kernel that behaves as this era does. With a reader its payload is decompressed; without, only headers
 * are read.
 */
export function x86Model(era: X86Era, read: PayloadReader | null = null): KernelModel {
  return {
    id: era.id,
    start: (machine, from) =>
      startKernel(
        era,
        machine,
        from,
        readKernelFile(machine, from.payload),
        read?.(from.payload.source) ?? null,
      ),
  }
}

/** The procedure, for a kernel whose link-time facts are known. */
export function startKernel(
  era: X86Era,
  machine: Machine,
  from: HandOff,
  file: KernelFile,
  payload: PayloadRead | null = null,
): Arrival {
  const boot = beginBoot(era, machine, from, file, payload)
  const { slots } = era
  judge(era, boot)
  if (from.via === 'legacy-32' || from.via === 'legacy-64') return startWithoutStub(era, boot)
  machine.as('efi-stub', () => {
    enterKernel(boot)
    slots.entryCode(boot)
    if (from.via === 'efi-handover') slots.bssAtHandover(boot)
    else {
      slots.bssAtPeEntry(boot)
      slots.zeroPage(boot)
      slots.setupHeader(boot)
      slots.commandLine(boot)
      slots.filesAtEntry(boot)
    }
    noteSetupData(boot)
    slots.paging(boot)
    slots.place(boot)
    slots.initrd(boot)
    slots.exit(boot)
  })
  machine.as('decompressor', () => {
    slots.run(boot)
  })
  return machine.as('kernel', () => arrive(boot, slots.reserveInitrd))
}

/** Boot protocol, 32 or 64 bits: the decompressor is entered directly, in the copy that the loader made. */
function startWithoutStub({ slots }: X86Era, boot: KernelBoot): Arrival {
  const { machine, from } = boot
  machine.as('decompressor', () => {
    enterKernel(boot)
    enterHead(boot)
    noteSetupData(boot)
    useLoadersCopy(boot)
    if (from.via === 'legacy-32') slots.startup32(boot)
    runHead64(boot)
  })
  return machine.as('kernel', () => arrive(boot, slots.reserveInitrd))
}

function beginBoot(
  { slots }: X86Era,
  machine: Machine,
  from: HandOff,
  file: KernelFile,
  payload: PayloadRead | null,
): KernelBoot {
  const fileAt = from.via === 'pe-entry' ? from.loaded.base : from.image
  const imageBase = from.via === 'pe-entry' ? (from.imageBase ?? fileAt) : fileAt
  return {
    machine,
    from,
    file,
    payload,
    object: from.payload.object,
    fileAt,
    zo: phys(fileAt + file.setupSize),
    imageOffset: from.via === 'pe-entry' ? wrap32(fileAt + file.setupSize - imageBase) : 0,
    imageBase,
    bootParams: from.via === 'pe-entry' ? phys(0) : from.bootParams,
    commandLine: null,
    output: null,
    finalMap: [],
    efiMap: null,
    initrdObject: from.initrdObject,
    setupData: [],
    takesUnaccepted: false,
    bitmapAt: null,
    trampoline: slots.trampoline,
    pageTables: slots.pageTables,
    trampolineAt: null,
  }
}

/** Requirements of the boot protocol's own entries: the code runs where it was loaded, in the init window. */
const WITHOUT_STUB: readonly ContractName[] = [
  'setup-header',
  'alignment',
  'sentinel',
  'init-window',
  'setup-data',
  'bss-owned',
  'whole-addresses',
]

/** Evaluates the contracts of this era on the memory at the hand-off. */
function judge(era: X86Era, boot: KernelBoot): void {
  const { file, from, zo } = boot
  const handover = from.via !== 'pe-entry'
  const names = from.via === 'legacy-32' || from.via === 'legacy-64' ? WITHOUT_STUB : era.contracts[from.via]
  const start = guestAlign(
    zo - boot.imageOffset,
    handover ? zeroPageOf(boot).hdr.get('kernel_alignment') : file.physicalAlign,
  )
  evaluateContracts(boot.machine, names, {
    kernel: boot.object,
    bootParams: from.via === 'pe-entry' ? null : from.bootParams,
    window: {
      start: Math.max(start, file.loadPhysicalAddress),
      length: handover ? zeroPageOf(boot).hdr.get('init_size') : file.initSize,
    },
    bss: { start: zo + file.bss, length: file.ebss - file.bss },
    startup32: zo,
    setupData: handover ? followSetupData(boot).nodes.map(node => node.range) : [],
    initrd: from.initrdObject,
    commandLine: from.cmdlineObject,
  })
}
