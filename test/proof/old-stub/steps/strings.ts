/**
 * Slot strings: paths and texts that the stub makes in pool between the command line and the initrd (chapter
 * ST).
 */
import { EfiLoaderData } from '../../../../src/image/memory-types.ts'
import type { Booting } from '../model.ts'
import { poolOrHalt } from './patch.ts'

/** `\EFI\BOOT\BOOTX64.EFI.extra.d` and its NUL, in UTF-16. */
const EXTRA_DIR = 60
/** Vendor and revision of the firmware in UTF-16: any text of up to 43 characters takes the same block. */
const FIRMWARE_INFO = 72

function assumeUsual({ machine }: Booting): void {
  machine.assume(
    'ST-48',
    'the image was started as \\EFI\\BOOT\\BOOTX64.EFI, by no boot loader, on a firmware whose vendor string is short',
  )
}

/** All such buffers are freed, and their pages go back. */
export function keepsNoString({ machine }: Booting): void {
  machine.step('ST-49', 'makes strings for variables', () => undefined)
}

/** The path of the folder beside the image is kept. */
export function keepsExtraDir(on: Booting): void {
  on.machine.step('ST-48', 'makes the path of the folder beside the image', () => {
    assumeUsual(on)
    poolOrHalt(on, 'ST-48', EXTRA_DIR, 'stub:extra.d')
    on.machine.firmware.freePool(poolOrHalt(on, 'ST-48', FIRMWARE_INFO, 'stub:LoaderFirmwareInfo'))
  })
}

/** The path of the folder beside the image is freed before the strings for variables are made. */
export function freesExtraDir(on: Booting): void {
  on.machine.step('ST-50', 'makes the path of the folder beside the image', () => {
    assumeUsual(on)
    on.machine.firmware.freePool(poolOrHalt(on, 'ST-50', EXTRA_DIR, 'stub:extra.d'))
    on.machine.firmware.freePool(poolOrHalt(on, 'ST-50', FIRMWARE_INFO, 'stub:LoaderFirmwareInfo'))
  })
}

/** Both are freed. */
export function freesStrings(on: Booting): void {
  on.machine.step('ST-89', 'makes strings in buffers of their size', () => {
    assumeUsual(on)
    on.machine.firmware.freePool(poolOrHalt(on, 'ST-89', FIRMWARE_INFO, 'stub:LoaderFirmwareInfo'))
    on.machine.firmware.freePool(poolOrHalt(on, 'ST-89', EXTRA_DIR, 'stub:extra.d'))
  })
}

/** Room that the printing routine adds behind a string: PRINT_STRING_LEN of gnu-efi, in UTF-16. */
const PRINT_ROOM = 400

/** Strings are printed into large buffers, one after the other, and each is freed. */
export function freesLargeStrings(on: Booting): void {
  on.machine.step('ST-84', 'makes strings in large buffers', () => {
    assumeUsual(on)
    const printing = { ...on, poolType: EfiLoaderData }
    on.machine.firmware.freePool(
      poolOrHalt(printing, 'ST-84', FIRMWARE_INFO + PRINT_ROOM, 'stub:LoaderFirmwareInfo'),
    )
    on.machine.firmware.freePool(poolOrHalt(printing, 'ST-84', EXTRA_DIR + PRINT_ROOM, 'stub:extra.d'))
  })
}
