/**
 * head_64.S from startup_64 on: the runtime start, the move to the end of the window, .bss and page tables of
 * the copy. Chapter ZO.
 */
import { printed, TEXTS } from '../../../messages/texts.ts'
import { formatRange, hex, overlaps, rangeAt, rangeOrNull } from '../../../bytes/range.ts'
import { phys, PHYS_END, wrap32 } from '../../../bytes/units.ts'
import { guestAlign, guestRange, isRam, zeroPageOf, type KernelBoot, type Window } from '../boot.ts'
import { codeStop } from '../file.ts'
import { extractTo } from './extract.ts'
import { chooseOutput } from './kaslr.ts'
import { goThroughPayload, keepMargin } from './payload.ts'
import { sanitizeBootParams } from './zero-page.ts'

/** `startup_64` in ZO. */
const STARTUP_64 = 0x200
/**
 * The far return that reloads CS pops what two pushes left. Source: linux@5.10.223
 * arch/x86/boot/compressed/head_64.S startup_64.
 */
const FIRST_PUSHES = 16
/**
 * The kernel mapping's alignment: MIN_KERNEL_ALIGN. Source: linux@5.10.223 arch/x86/boot/compressed/misc.c
 * extract_kernel.
 */
const MIN_KERNEL_ALIGN = 0x200000

/**
 * Highest address of the heap, and size of the kernel mapping. Source: linux@5.10.223
 * arch/x86/boot/compressed/misc.c extract_kernel, arch/x86/include/asm/page_64_types.h.
 */
const HEAP_MAX = 0x3fffffffffff
const KERNEL_IMAGE_SIZE = 2 ** 30

/**
 * The arithmetic of startup_64: alignment and init_size come from boot_params, LOAD_PHYSICAL_ADDR and `_end`
 * are built in.
 */
export function runtimeWindow(
  boot: Pick<KernelBoot, 'zo' | 'imageOffset' | 'file'>,
  kernelAlignment: number,
  initSize: number,
): Window {
  const mask = wrap32(kernelAlignment - 1)
  const aligned = guestAlign(boot.zo - boot.imageOffset, mask + 1)
  const start = phys(
    boot.file.relocatable ? Math.max(aligned, boot.file.loadPhysicalAddress) : boot.file.loadPhysicalAddress,
  )
  return { start, moved: phys(start + wrap32(initSize - boot.file.end)), length: initSize }
}

/** Runs head_64.S and the decompressor in the copy at L. */
export function runHead64(boot: KernelBoot): void {
  const { machine, file, object } = boot
  const code = file.setupSize
  machine.observe({ compressedImage: boot.zo })
  const window = machine.step(
    'ZO-3',
    'startup_64 computes the runtime start and the address it moves to',
    () => {
      machine.enter(
        rangeAt(boot.zo + STARTUP_64, FIRST_PUSHES),
        object,
        code + STARTUP_64,
        'startup_64 was overwritten',
      )
      const { hdr } = zeroPageOf(boot)
      const begins = guestAlign(boot.zo - boot.imageOffset, wrap32(hdr.get('kernel_alignment') - 1) + 1)
      if (!file.relocatable)
        machine.step('ZO-31', 'a kernel that is not relocatable runs at its link address', () => undefined)
      else if (begins >= PHYS_END)
        machine.gap('ZO-3', `the runtime start would be ${hex(begins)}, outside of physical memory`)
      const found = runtimeWindow(boot, hdr.get('kernel_alignment'), hdr.get('init_size'))
      const where = guestRange(found.start, found.length)
      if (where !== null && !isRam(machine, where))
        machine.unmodelled('ZO-3', `the window ${formatRange(where)} is not entirely RAM`)
      return found
    },
  )
  const { moved } = window
  machine.step('ZO-4', 'startup_64 sets up its stack at the address it will move to', () => {
    machine.memory.make(
      rangeAt(moved + file.bootStackEnd - FIRST_PUSHES, FIRST_PUSHES),
      object,
      code + file.bootStackEnd - FIRST_PUSHES,
    )
  })
  boot.trampoline(boot, window)
  machine.step('ZO-6', 'the compressed kernel moves to the end of the window', () => {
    const event = machine.memory.copy(moved, rangeAt(boot.zo, file.bss))
    if (moved < boot.zo && overlaps(rangeAt(moved, file.bss), rangeAt(boot.zo, file.bss)))
      machine.undefinedBehaviour(event, 'the copy goes downwards and overwrites what it has not read yet')
    boot.zo = moved
  })
  machine.step('ZO-7', 'the copy clears its .bss', () => {
    machine.memory.zero(rangeAt(moved + file.bss, file.ebss - file.bss), object, code + file.bss)
  })
  machine.step('ZO-6', 'the copy runs', () => {
    const past = file.payloadOffset + file.payloadLength
    const own = rangeOrNull(moved + past, codeStop(file) - past)
    if (own !== null)
      machine.enter(own, object, code + past, 'the code of the moved decompressor was overwritten')
  })
  boot.pageTables(boot, window, 'head_64.S')
  extractInPlace(boot, window)
}

function extractInPlace(boot: KernelBoot, window: Window): void {
  const { machine, file, object } = boot
  machine.step('ZO-22', 'extract_kernel sanitises boot_params', () => {
    sanitizeBootParams(boot)
  })
  const output = chooseOutput(boot, window)
  machine.step('ZO-10', 'extract_kernel checks its output address', () => {
    if (output.at % MIN_KERNEL_ALIGN !== 0) {
      machine.refuse(
        'ZO-10',
        'EFI_LOAD_ERROR',
        'the runtime start is not a multiple of 2 MiB: kernel_alignment in boot_params is too small',
        printed('decompressor/halted', { why: TEXTS['decompressor/output-alignment'] }),
      )
    }
  })
  machine.step('ZO-30', 'extract_kernel checks its address limits', () => {
    const halt = (why: string, error: string): never =>
      machine.refuse('ZO-30', 'EFI_LOAD_ERROR', why, printed('decompressor/halted', { why: error }))
    if (window.moved + file.bss > HEAP_MAX)
      halt(`the heap of the decompressor lies above ${hex(HEAP_MAX)}`, TEXTS['decompressor/heap-too-high'])
    if (file.loadPhysicalAddress + file.outputLength > KERNEL_IMAGE_SIZE)
      halt('the extracted kernel is longer than the kernel mapping', TEXTS['decompressor/beyond-mapping'])
  })
  machine.step('ZO-11', 'the moved payload is read', () => {
    const at = file.setupSize + file.payloadOffset
    const input = rangeAt(window.moved + file.payloadOffset, file.payloadLength)
    const reading = machine.memory.readAs(input, object, { at })
    if (!reading.whole) machine.undefinedBehaviour(reading.event, 'the compressed kernel was overwritten')
    goThroughPayload(boot, (why, error) =>
      machine.refuse('ZO-25', 'EFI_LOAD_ERROR', why, printed('decompressor/halted', { why: error })),
    )
    if (boot.payload?.kind === 'read') keepMargin(boot, boot.payload, window, output, reading.event)
    else if (window.length < file.initSize)
      machine.unmodelled(
        'ZO-11',
        'init_size in boot_params is less than the kernel was built with: its safety margin is lost',
      )
    else if (output.at === window.start && input.end < window.start + file.outputLength)
      machine.unmodelled(
        'ZO-11',
        'init_size leaves no margin: the output overtakes the input that is still to be read',
      )
  })
  extractTo(boot, output, true)
  boot.output = output
}
