/**
 * The steps of a kernel, made from its behaviour: one function per slot, with the slot's record as its
 * parameters.
 */
import type { KernelBehaviour, Placement } from './behaviour.ts'
import type { Step } from './boot.ts'
import type { KernelSlots } from './model.ts'
import { atEntry } from './steps/bss.ts'
import { commandLine } from './steps/command-line.ts'
import { decompressKernel, jumpToOutput } from './steps/decompress.ts'
import { entryCode } from './steps/entry.ts'
import { exit } from './steps/exit.ts'
import { paging, trampoline } from './steps/five-level.ts'
import { runHead64 } from './steps/head64.ts'
import { pageTables } from './steps/page-tables.ts'
import { reserveInitrd } from './steps/reserve-initrd.ts'
import { filesAtEntry } from './steps/initrd-files.ts'
import { initrd } from './steps/initrd.ts'
import { relocateKernel } from './steps/relocate.ts'
import { startup32 } from './steps/startup32.ts'
import { setupHeader, zeroPage } from './steps/zero-page.ts'

/**
 * The steps of a kernel with this behaviour. Every slot is a separate function and can be replaced: `{
 * ...slots, place: boot => { ... } }`.
 */
export function kernelSteps(behaviour: KernelBehaviour): KernelSlots {
  return {
    entryCode: entryCode(behaviour.entryCode),
    bssAtHandover: atEntry(behaviour.bssAtHandover),
    bssAtPeEntry: atEntry(behaviour.bssAtPeEntry),
    zeroPage: zeroPage(behaviour.zeroPage),
    setupHeader: setupHeader(behaviour.setupHeader),
    commandLine: commandLine(behaviour.commandLine),
    filesAtEntry: filesAtEntry(behaviour.filesAtEntry),
    paging: paging(behaviour.paging),
    place: place(behaviour.place, behaviour.exit.slack),
    initrd: initrd(behaviour.initrd),
    exit: exit(behaviour.exit),
    run: behaviour.run.by === 'efi-stub' ? jumpToOutput : runHead64,
    startup32: startup32(behaviour.startup32),
    trampoline: trampoline(behaviour.trampoline),
    pageTables: pageTables(behaviour.pageTables),
    reserveInitrd: reserveInitrd(behaviour.reserveInitrd),
  }
}

function place(data: Placement, slack: number): Step {
  return data.way === 'efi_relocate_kernel' ? relocateKernel(data) : decompressKernel(data, slack)
}
