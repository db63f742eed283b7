/** GRUB's linuxefi as patched by Debian: through the handover entry, with memory below 1 GiB. Chapter HO. */
import { TEXTS } from '../../messages/texts.ts'
import { hex, range, rangeOrNull } from '../../bytes/range.ts'
import { pagesOf, phys, PHYS_END, physOf, type Phys } from '../../bytes/units.ts'
import { EfiLoaderData } from '../../image/memory-types.ts'
import { PROTOCOL_2_11, SETUP_HEADER_AT } from '../../image/x86/boot-params.ts'
import type { BzImage } from '../../image/x86/bzimage.ts'
import type { Machine } from '../../machine/machine.ts'
import type { HandOff } from '../../machine/model.ts'
import { HEAP_2_06, takeHeap } from './heap.ts'
import { BOOT_PARAMS } from '../../machine/x86/zero-page.ts'
import { KERNEL, pagesBelow, payloadOf, putCommandLine, putFile, type BootLoaderPayload } from '../model.ts'
import { makeZeroPage, setCmdlineAndInitrd, putKernel, readKernel } from './boot-params.ts'

/** Highest byte that it uses. Source: grub@2.06-debian grub-core/loader/i386/efi/linux.c. */
const LIMIT = 0x3fffffff
const ZERO_PAGE_SIZE = 0x4000
/** The end of GRUB's struct linux_i386_kernel_header, and of what is copied from it on. */
const HEADER_END = 0x268
const COPY_END = 0x400
const TYPE_OF_LOADER = 0x21

/** The whole way from the file to the handover entry. */
export function linuxefi(machine: Machine, payload: BootLoaderPayload): HandOff {
  const kernel = readKernel(machine, 'HO-10', payload.kernel)
  const heap = takeHeap(machine, HEAP_2_06)
  if (heap < payload.kernel.size)
    return machine.refuse(
      'HO-16',
      'EFI_OUT_OF_RESOURCES',
      `the kernel file does not fit into the heap of ${hex(heap)} bytes`,
      TEXTS['grub/kernel-buffer'],
    )
  const page = machine.step('HO-35', 'linuxefi makes boot_params from the setup header of the file', () => {
    if (kernel.protocol < PROTOCOL_2_11 || kernel.hdr.handover_offset === 0)
      return machine.refuse(
        'HO-35',
        'EFI_UNSUPPORTED',
        'the kernel has no handover entry',
        TEXTS['grub/no-handover'],
      )
    const at = pagesBelow(machine, 'HO-35', LIMIT, ZERO_PAGE_SIZE, BOOT_PARAMS)
    const made = makeZeroPage(machine, at, kernel, { from: SETUP_HEADER_AT, to: HEADER_END }, ZERO_PAGE_SIZE)
    // What lies on GRUB's stack after its copy of the header
    machine.memory.make(range(at + HEADER_END, at + COPY_END), BOOT_PARAMS, HEADER_END)
    return made
  })
  const line = machine.step('HO-10', 'linuxefi allocates pages for the command line', () => {
    const at = pagesBelow(machine, 'HO-10', LIMIT, kernel.hdr.cmdline_size + 1, 'cmdline')
    putCommandLine(machine, 'HO-10', at, payload.commandLine, kernel.hdr.cmdline_size)
    return at
  })
  const at = machine.step(
    'HO-10',
    'linuxefi allocates init_size bytes for the kernel and reads it there',
    () => {
      const place = placeFor(machine, kernel)
      putKernel(machine, 'HO-10', place, kernel)
      return place
    },
  )
  const initrd = machine.step('HO-10', 'linuxefi allocates pages for the initrd', () => {
    if (payload.initrd === null || payload.initrd.size === 0) return null
    const where = pagesBelow(machine, 'HO-10', LIMIT, payload.initrd.size, 'initrd')
    putFile(machine, where, payload.initrd, 'initrd')
    return rangeOrNull(where, payload.initrd.size)
  })
  machine.step('HO-35', 'linuxefi fills in boot_params', () => {
    page.hdr.set('type_of_loader', TYPE_OF_LOADER)
    page.hdr.set('code32_start', at)
    setCmdlineAndInitrd(page, initrd, line)
  })
  return {
    ...payloadOf(payload),
    via: 'efi-handover',
    image: phys(at - kernel.setupSize),
    entry: phys(at + 0x200 + kernel.hdr.handover_offset),
    bootParams: page.at,
  }
}

function placeFor(machine: Machine, { hdr }: BzImage): Phys {
  const wanted = machine.firmware.allocatePages(
    { kind: 'address', at: physOf(hdr.pref_address) ?? PHYS_END },
    EfiLoaderData,
    pagesOf(hdr.init_size),
    KERNEL,
  )
  return wanted.status === 'EFI_SUCCESS'
    ? wanted.at
    : pagesBelow(machine, 'HO-10', LIMIT, hdr.init_size, KERNEL)
}
