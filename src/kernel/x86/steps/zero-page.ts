/**
 * The zero page and the setup header that the EFI stub makes for itself at the PE entry, and
 * sanitize_boot_params. Chapters EP and ZO.
 */
import { formatRange, rangeAt } from '../../../bytes/range.ts'
import { alignDown, PAGE, PHYS_END, pagesOf, phys } from '../../../bytes/units.ts'
import {
  BOOT_FLAG,
  boot_params,
  SECTOR,
  SETUP_HEADER_AT,
  setup_header,
  setupHeaderAt,
} from '../../../image/x86/boot-params.ts'
import { EfiLoaderData } from '../../../image/memory-types.ts'
import type { SetupHeaderSource, ZeroPage } from '../behaviour.ts'
import { ZERO_PAGE, zeroPageOf, type KernelBoot, type Step } from '../boot.ts'
import { ABOVE_NULL, lowAlloc } from './low-alloc.ts'

/**
 * Loader id of the EFI stub: 2 with version 1. Source: linux@5.10.223 drivers/firmware/efi/libstub/x86-stub.c
 * efi_pe_entry.
 */
const TYPE_OF_LOADER = 0x21
const VID_MODE = 0xffff
/** Source: linux@6.12.107 drivers/firmware/efi/libstub/x86-stub.c efi_pe_entry. */
const INITRD_ADDR_MAX = 0x7fffffff
/** The header in the loaded image: offset of hdr.jump. */
const JUMP = setupHeaderAt('jump')
/** The first header ended with the sector that holds it; the later copy ends with the structure. */
const STRUCTURE = SETUP_HEADER_AT + setup_header.size - JUMP

type Pages = Exclude<ZeroPage, { way: '.bss' }>

/** Where the zero page comes from. */
export function zeroPage(data: ZeroPage): Step {
  if (data.way === '.bss') return zeroPageInBss
  return data.way === 'efi_low_alloc' ? lowestPages(data) : anyPages(data)
}

/** Allocates pages anywhere for the zero page and clears them. */
function anyPages({ bytes, message }: Pages): Step {
  return boot => {
    const { machine } = boot
    machine.step('EP-8', 'the EFI stub allocates pages for the zero page and clears them', () => {
      const got = machine.firmware.allocatePages(
        { kind: 'max', limit: PHYS_END - 1 },
        EfiLoaderData,
        pagesOf(bytes),
        'boot_params',
      )
      if (got.status !== 'EFI_SUCCESS')
        return machine.refuse('EP-8', got.status, 'no pages for boot_params', message)
      machine.memory.zero(rangeAt(got.at, bytes), 'boot_params')
      boot.bootParams = got.at
    })
  }
}

/** Allocates the lowest free pages. */
function lowestPages({ bytes, message }: Pages): Step {
  return boot => {
    const { machine } = boot
    machine.step(
      'EP-26',
      'the EFI stub allocates the lowest free pages for the zero page and clears them',
      () => {
        const at = lowAlloc(machine, {
          size: bytes,
          align: PAGE,
          minimum: ABOVE_NULL,
          label: 'boot_params',
        })
        if (at === null) return machine.refuse('EP-26', 'EFI_NOT_FOUND', 'no pages for boot_params', message)
        machine.memory.zero(rangeAt(at, bytes), 'boot_params')
        boot.bootParams = at
      },
    )
  }
}

/** The zero page is a variable of a whole page after everything else in .bss, and ends with it. */
function zeroPageInBss(boot: KernelBoot): void {
  const { machine, zo, file, fileAt } = boot
  machine.step('EP-9', 'the zero page is a variable of the EFI stub', () => {
    const end = zo + file.ebss
    const isLast = end % PAGE === 0
    if (!isLast)
      machine.assume(
        'EP-9',
        'the zero page, somewhere in .bss of the kernel image at ' +
          `${formatRange(rangeAt(fileAt, file.setupSize + file.ebss))}, is assumed to be its ` +
          'last whole page',
      )
    boot.bootParams = phys(alignDown(end, PAGE) - ZERO_PAGE)
    machine.memory.zero(rangeAt(boot.bootParams, ZERO_PAGE), 'boot_params')
  })
}

/** What goes into the setup header. */
export function setupHeader(data: SetupHeaderSource): Step {
  if (data.way === 'copied') return copyHeader(data)
  return data.softLimit ? makeHeader : makeUnlimitedHeader
}

/** Copies the setup header from the loaded image, as it is in memory. */
function copyHeader({
  to,
  code32Start,
  wipesSetupData,
}: Extract<SetupHeaderSource, { way: 'copied' }>): Step {
  // A sector's end is 404 bytes after the header's
  const length = to === 'end-of-sector' ? SECTOR : STRUCTURE
  return boot => {
    const { machine } = boot
    machine.step('EP-10', 'the EFI stub copies the setup header from its loaded image', () => {
      const page = zeroPageOf(boot)
      const from = rangeAt(boot.imageBase + JUMP, length)
      machine.memory.readAs(from, boot.object, { at: JUMP })
      page.patch(JUMP, machine.memory.readRaw(from))
      page.hdr.set('boot_flag', BOOT_FLAG)
      page.hdr.set('ramdisk_image', 0)
      page.hdr.set('ramdisk_size', 0)
      if (wipesSetupData) wipeSetupData(boot)
      if (code32Start) nameStart(boot)
    })
    fillIn(boot)
  }
}

const wipeSetupData: Step = boot => {
  boot.machine.step('EP-30', 'setup_data of the image is not copied', () => {
    zeroPageOf(boot).hdr.set('setup_data', 0)
  })
}
const nameStart: Step = boot => {
  boot.machine.step('EP-27', 'code32_start becomes the address of startup_32', () => {
    zeroPageOf(boot).hdr.set('code32_start', boot.zo)
  })
}

/** Copies nothing; sets the few fields that VO reads. */
function makeHeader(boot: KernelBoot): void {
  boot.machine.step('EP-11', 'the EFI stub sets the few header fields that are read later', () => {
    zeroPageOf(boot).hdr.set('initrd_addr_max', INITRD_ADDR_MAX)
  })
  fillIn(boot)
}

/** The same, without a limit for the initrd. */
function makeUnlimitedHeader(boot: KernelBoot): void {
  boot.machine.step('EP-69', 'the EFI stub leaves initrd_addr_max at 0', () => undefined)
  fillIn(boot)
}

function fillIn(boot: KernelBoot): void {
  boot.machine.step('EP-12', 'the EFI stub sets type_of_loader to itself', () => {
    const { hdr } = zeroPageOf(boot)
    hdr.set('root_flags', 1)
    hdr.set('vid_mode', VID_MODE)
    hdr.set('type_of_loader', TYPE_OF_LOADER)
  })
}

/**
 * sanitize_boot_params: a non-zero sentinel shows that a loader copied too much, and the high halves are
 * cleared.
 */
export function sanitizeBootParams(boot: KernelBoot): void {
  const page = zeroPageOf(boot)
  if (page.get('sentinel') === 0) return
  page.patch(boot_params.fields.ext_ramdisk_image[0], new Uint8Array(12))
}
