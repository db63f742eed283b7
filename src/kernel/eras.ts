/**
 * Which kernels behave how: a row is an era, a column a slot, a cell a step. Chapters EP and ZO; releases as
 * upstream's and the stable trees' logs give them.
 */
import type { ContractName } from '../machine/x86/contracts.ts'
import type { KernelEra, KernelSlots } from './model.ts'
import { clearBss, leaveBss, trustLoaderForBss, useBss } from './steps/bss.ts'
import { convertToHighPages, convertToPages, convertToPool } from './steps/command-line.ts'
import {
  decompressAnywhere,
  decompressHigh,
  decompressLow,
  decompressLowAlsoForFakes,
  decompressLowOrGetLost,
  decompressMiscounted,
  decompressMiscountedOrGetLost,
  decompressOrGetLost,
  jumpToOutput,
} from './steps/decompress.ts'
import { enterHead, skipHead } from './steps/entry.ts'
import {
  exitWithLoaderData,
  exitWithMoreSlack,
  exitWithReclaimable,
  exitWithUnaccepted,
} from './steps/exit.ts'
import {
  borrowAlways,
  borrowAlwaysUnread,
  borrowToChange,
  leavePaging,
  takeTrampoline,
} from './steps/five-level.ts'
import { runHead64 } from './steps/head64.ts'
import { leaveFiles, loadFilesAtEntry, loadFilesHigh } from './steps/initrd-files.ts'
import { leaveInitrd, loadInitrd, loadInitrdOrFiles } from './steps/initrd.ts'
import {
  relocateAfterHandover,
  relocateAnywhere,
  relocateFromCode32Start,
  relocateIfMisaligned,
  relocateUpToBss,
} from './steps/relocate.ts'
import { startup32Signed, startup32Unsigned } from './steps/startup32.ts'
import {
  copySector,
  copySectorAndStart,
  copyStructure,
  copyWithoutSetupData,
  lowZeroPage,
  makeHeader,
  quietZeroPage,
  zeroPageInBss,
  zeroPageOf16KiB,
  zeroPageOf4KiB,
} from './steps/zero-page.ts'

const HANDOVER: readonly ContractName[] = ['setup-header', 'alignment', 'sentinel', 'whole-addresses']

/** 5.3.11 and 5.4 to 5.6. */
const trusting: KernelSlots = {
  entryCode: enterHead,
  bssAtHandover: useBss,
  bssAtPeEntry: useBss,
  zeroPage: lowZeroPage,
  setupHeader: copySectorAndStart,
  commandLine: convertToHighPages,
  filesAtEntry: loadFilesHigh,
  paging: leavePaging,
  place: relocateFromCode32Start,
  initrd: leaveInitrd,
  exit: exitWithLoaderData,
  run: runHead64,
  startup32: startup32Signed,
  trampoline: borrowAlwaysUnread,
}

/** 5.7-rc2 to 5.7. */
const moving: KernelSlots = {
  entryCode: enterHead,
  bssAtHandover: leaveBss,
  bssAtPeEntry: leaveBss,
  zeroPage: zeroPageOf16KiB,
  setupHeader: copySector,
  commandLine: convertToPages,
  filesAtEntry: loadFilesAtEntry,
  paging: leavePaging,
  place: relocateAfterHandover,
  initrd: loadInitrd,
  exit: exitWithLoaderData,
  run: runHead64,
  startup32: startup32Unsigned,
  trampoline: borrowAlways,
}

/** 5.10.146 and later of 5.10.y. */
const movingLate: KernelSlots = {
  ...moving,
  zeroPage: zeroPageOf4KiB,
  setupHeader: copyWithoutSetupData,
  commandLine: convertToPool,
  filesAtEntry: leaveFiles,
  initrd: loadInitrdOrFiles,
}

/** 6.1.103 and later of 6.1.y. */
const decompressing: KernelSlots = {
  entryCode: skipHead,
  bssAtHandover: clearBss,
  bssAtPeEntry: clearBss,
  zeroPage: quietZeroPage,
  setupHeader: makeHeader,
  commandLine: convertToPool,
  filesAtEntry: leaveFiles,
  paging: takeTrampoline,
  place: decompressLowOrGetLost,
  initrd: loadInitrdOrFiles,
  exit: exitWithReclaimable,
  run: jumpToOutput,
  startup32: startup32Unsigned,
  trampoline: borrowToChange,
}

/** 6.6.0 to 6.6.16. */
const decompressingEarly: KernelSlots = {
  ...decompressing,
  zeroPage: zeroPageOf4KiB,
  bssAtPeEntry: trustLoaderForBss,
  setupHeader: copyWithoutSetupData,
  place: decompressAnywhere,
  exit: exitWithUnaccepted,
}
/** 6.9. */
const decompressingFromBss: KernelSlots = {
  ...decompressing,
  zeroPage: zeroPageInBss,
  place: decompressHigh,
  exit: exitWithUnaccepted,
}
/** 6.12.25 and later of 6.12.y, 6.14 and later. */
const decompressingUnchecked: KernelSlots = {
  ...decompressing,
  bssAtPeEntry: trustLoaderForBss,
  place: decompressLow,
  exit: exitWithMoreSlack,
}

/** What rows of one shape of file are held to. */
type Form = Pick<KernelEra, 'shapes' | 'contracts'>
const TRUSTS: Form = {
  shapes: ['bss-section'],
  contracts: { 'efi-handover': [...HANDOVER, 'code32-start'], 'pe-entry': [] },
}
const MOVES: Form = {
  shapes: ['window-fixed-entry'],
  contracts: { 'efi-handover': HANDOVER, 'pe-entry': ['init-window'] },
}
const CLEARS: Form = {
  shapes: ['window'],
  contracts: { 'efi-handover': [...HANDOVER, 'bss-owned'], 'pe-entry': [] },
}
const TIGHT: Form = { ...CLEARS, shapes: ['tight'] }

/** The table of kernels, oldest first. */
export const kernelEras: readonly KernelEra[] = [
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
    slots: { ...trusting, place: relocateAnywhere },
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
    slots: { ...moving, bssAtHandover: useBss, bssAtPeEntry: trustLoaderForBss, place: relocateIfMisaligned },
    shapes: [],
    contracts: {
      'efi-handover': [...HANDOVER, 'init-window', 'bss-zero'],
      'pe-entry': ['init-window', 'bss-zero'],
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
    slots: { ...movingLate, setupHeader: copySector },
    ...MOVES,
  },
  {
    id: 'linux/E2c',
    title:
      'always moves itself after a handover; decompresses in place after a PE entry; takes over setup_data of the image',
    spans: [{ from: '5.8-rc7', to: '5.10.146' }],
    commits: ['59476f80d878'],
    seen: ['5.10.13'],
    slots: { ...movingLate, setupHeader: copyStructure },
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
    slots: { ...movingLate, setupHeader: copyStructure, place: relocateUpToBss },
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
    slots: { ...movingLate, place: relocateUpToBss },
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
    slots: { ...movingLate, place: relocateUpToBss, exit: exitWithReclaimable },
    ...MOVES,
  },
  {
    id: 'linux/E2g',
    title: 'moves only what lies in front of .bss; knows unaccepted memory',
    spans: [{ from: '6.5-rc1', to: '6.6-rc1' }],
    commits: ['745e3ed85f71'],
    seen: [],
    slots: { ...movingLate, place: relocateUpToBss, exit: exitWithUnaccepted },
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
    slots: { ...decompressingEarly, place: decompressMiscounted },
    ...CLEARS,
  },
  {
    id: 'linux/E3b',
    title:
      'the EFI stub decompresses; clears .bss only after a handover; copies the header; miscounts slots; gets lost when no memory fits',
    spans: [{ from: '6.1.81', to: '6.1.83' }],
    commits: ['a1b87d54f4e4', '2f77465b05b1'],
    seen: [],
    slots: { ...decompressingEarly, place: decompressMiscountedOrGetLost, exit: exitWithReclaimable },
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
      bssAtPeEntry: clearBss,
      place: decompressMiscountedOrGetLost,
      exit: exitWithReclaimable,
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
      bssAtPeEntry: clearBss,
      place: decompressOrGetLost,
      exit: exitWithReclaimable,
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
    slots: { ...decompressing, zeroPage: zeroPageInBss, place: decompressOrGetLost },
    ...TIGHT,
  },
  {
    id: 'linux/E4b',
    title: 'the EFI stub decompresses; clears .bss at every entry; zero page in .bss',
    spans: [{ from: '6.1.93', to: '6.1.103' }],
    commits: ['15aa8fb852f9'],
    seen: [],
    slots: { ...decompressing, zeroPage: zeroPageInBss },
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
    slots: { ...decompressingFromBss, bssAtPeEntry: trustLoaderForBss, place: decompressAnywhere },
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
    slots: { ...decompressingFromBss, bssAtPeEntry: trustLoaderForBss, place: decompressMiscounted },
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
    slots: { ...decompressingFromBss, place: decompressMiscounted },
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
    slots: { ...decompressingFromBss, place: decompressLowAlsoForFakes },
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
    slots: { ...decompressing, place: decompressLowAlsoForFakes, exit: exitWithUnaccepted },
    ...TIGHT,
  },
  {
    id: 'linux/E4i',
    title:
      'the EFI stub decompresses; clears .bss at every entry; room for 32 more descriptors of the memory map',
    spans: [{ from: '6.6.88', to: '6.7-rc1' }],
    commits: ['ec4696925da6'],
    seen: [],
    slots: { ...decompressing, place: decompressLowAlsoForFakes, exit: exitWithMoreSlack },
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
    slots: { ...decompressingUnchecked, exit: exitWithUnaccepted },
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
