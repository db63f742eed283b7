/** Which kernels behave how: a row is an era, a column a slot, a cell a step. Chapters EP and ZO; releases as upstream's and the stable trees' logs give them. */
import type { ContractName } from '../machine/contracts.ts'
import type { KernelEra, KernelSlots } from './model.ts'
import { clearBss, leaveBss, trustLoaderForBss, useBss } from './steps/bss.ts'
import { decompressLow, decompressLowOrGetLost, decompressOrGetLost, jumpToOutput } from './steps/decompress.ts'
import { enterHead, skipHead } from './steps/entry.ts'
import { exitWithLoaderData, exitWithMoreSlack, exitWithReclaimable } from './steps/exit.ts'
import { runHead64 } from './steps/head64.ts'
import { loadInitrd } from './steps/initrd.ts'
import { relocateAfterHandover, relocateIfMisaligned } from './steps/relocate.ts'
import { copySector, copyStructure, makeHeader, zeroPageInBss, zeroPageOf16KiB, zeroPageOf4KiB } from './steps/zero-page.ts'

const HANDOVER: readonly ContractName[] = ['setup-header', 'alignment', 'sentinel', 'whole-addresses']

/** 5.7-rc2 to 5.8-rc6. */
const moving: KernelSlots = {
  entryCode: enterHead,
  bssAtHandover: leaveBss,
  bssAtPeEntry: leaveBss,
  zeroPage: zeroPageOf16KiB,
  setupHeader: copySector,
  place: relocateAfterHandover,
  initrd: loadInitrd,
  exit: exitWithLoaderData,
  run: runHead64,
}

/** 6.1.103 and later of 6.1.y. */
const decompressing: KernelSlots = {
  entryCode: skipHead,
  bssAtHandover: clearBss,
  bssAtPeEntry: clearBss,
  zeroPage: zeroPageOf4KiB,
  setupHeader: makeHeader,
  place: decompressLowOrGetLost,
  initrd: loadInitrd,
  exit: exitWithReclaimable,
  run: jumpToOutput,
}

const MOVES = { 'efi-handover': HANDOVER, 'pe-entry': ['init-window'] } as const
const DECOMPRESSES = { 'efi-handover': [...HANDOVER, 'bss-owned'], 'pe-entry': [] } as const

export const kernelEras: readonly KernelEra[] = [
  {
    id: 'linux/E1',
    title: 'bss no longer in the file and not cleared; moves itself only when misaligned',
    spans: [{ from: '5.7-rc1', to: '5.7-rc2' }],
    commits: ['3ee372ccce4d', '1887c9b653f9', 'd5cdf4cfeac9'],
    seen: ['5.7-rc1'],
    slots: { ...moving, bssAtHandover: useBss, bssAtPeEntry: trustLoaderForBss, place: relocateIfMisaligned },
    contracts: { 'efi-handover': [...HANDOVER, 'init-window', 'bss-zero'], 'pe-entry': ['init-window', 'bss-zero'] },
  },
  {
    id: 'linux/E2a',
    title: 'stub globals in .data; always moves itself after a handover; zero page of 16 KiB, header copy of a sector',
    spans: [{ from: '5.7-rc2', to: '5.8-rc7' }],
    commits: ['105cb9544b16', '21cb9b414301'],
    seen: [],
    slots: moving,
    contracts: MOVES,
  },
  {
    id: 'linux/E2',
    title: 'always moves itself after a handover; decompresses in place after a PE entry',
    spans: [{ from: '5.8-rc7', to: '5.11-rc1' }],
    commits: [],
    seen: ['5.10.13', '5.10.223'],
    slots: { ...moving, zeroPage: zeroPageOf4KiB, setupHeader: copyStructure },
    contracts: MOVES,
  },
  {
    id: 'linux/E4a',
    title: 'the EFI stub decompresses; clears .bss at every entry; zero page in .bss; memory options do not matter to KASLR',
    spans: [{ from: '6.1.88', to: '6.1.93' }],
    commits: ['8eace5b35556', '7e50262229fa', 'd7156b986d4c'],
    seen: [],
    slots: { ...decompressing, zeroPage: zeroPageInBss, place: decompressOrGetLost },
    contracts: DECOMPRESSES,
  },
  {
    id: 'linux/E4b',
    title: 'the EFI stub decompresses; clears .bss at every entry; zero page in .bss',
    spans: [{ from: '6.1.93', to: '6.1.103' }],
    commits: ['15aa8fb852f9'],
    seen: [],
    slots: { ...decompressing, zeroPage: zeroPageInBss },
    contracts: DECOMPRESSES,
  },
  {
    id: 'linux/E4',
    title: 'the EFI stub decompresses; clears .bss at every entry; gets lost when no memory fits',
    spans: [{ from: '6.1.103', to: '6.2-rc1' }],
    commits: ['ae835a96d72c'],
    seen: ['6.1.170', '6.1.176'],
    slots: decompressing,
    contracts: DECOMPRESSES,
  },
  {
    id: 'linux/E5',
    title: 'the EFI stub decompresses; clears .bss only after a handover',
    spans: [{ from: '6.11-rc1', to: '6.15-rc1' }],
    commits: ['ebf5a79acf9a'],
    seen: ['6.12.107'],
    slots: { ...decompressing, bssAtPeEntry: trustLoaderForBss, place: decompressLow, exit: exitWithMoreSlack },
    contracts: DECOMPRESSES,
  },
]
