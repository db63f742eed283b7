/**
 * The command line: found in boot_params after a handover, converted from LoadOptions after a PE entry.
 * Chapter EP.
 */
import { decodeText, encodeText } from '../../../bytes/text.ts'
import { rangeAt, rangeOrNull } from '../../../bytes/range.ts'
import { PHYS_END, pagesOf, type Phys } from '../../../bytes/units.ts'
import { EfiLoaderData } from '../../../image/memory-types.ts'
import type { Machine } from '../../../machine/machine.ts'
import type { LoadOptions } from '../../../machine/model.ts'
import type { KernelBehaviour } from '../behaviour.ts'
import { guestRange, zeroPageOf, type KernelBoot, type Step } from '../boot.ts'
import { highAlloc } from './low-alloc.ts'

/** COMMAND_LINE_SIZE: bytes with the terminator. Source: linux@5.10.223 arch/x86/include/asm/setup.h. */
export const COMMAND_LINE_SIZE = 2048
/** Object of the converted text, made by the EFI stub. */
export const CONVERTED = 'efi-stub:cmdline'

/** What follows from a command line that the kernel does not get whole. */
export const LACKS = ': what the boot lacks then is not known'

/** Address of the command line in boot_params. */
export function commandLinePointer(boot: KernelBoot): number {
  return zeroPageOf(boot).whole('cmd_line_ptr')
}

/** The command line passed by a handover, up to its NUL. */
export function givenCommandLine(boot: KernelBoot): KernelBoot['commandLine'] {
  const at = commandLinePointer(boot)
  const where = guestRange(at, COMMAND_LINE_SIZE)
  if (at === 0 || where === null) return null
  const bytes = boot.machine.memory.readRaw(where)
  const nul = bytes.indexOf(0)
  const length = nul < 0 ? COMMAND_LINE_SIZE - 1 : nul
  const text = decodeText(bytes.subarray(0, length))
  return { at: where.start, length, object: boot.from.cmdlineObject ?? CONVERTED, text }
}

/** With the NUL that ends it. */
function terminated(text: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(text.length + 1)
  bytes.set(text)
  return bytes
}

type Take = (machine: Machine, size: number) => Phys | null

/** Converts LoadOptions from UTF-16. */
export function commandLine({ into, cut }: KernelBehaviour['commandLine']): Step {
  const take = TAKES[into]
  const toUtf8 = cut ? convert : convertAll
  return boot => {
    const { machine, from } = boot
    machine.step('EP-13', 'the EFI stub converts LoadOptions into a command line', () => {
      const options = from.via === 'pe-entry' ? from.loaded.loadOptions : null
      const { text, known } = options === null ? { text: '', known: true } : readOptions(boot, options)
      const bytes = known
        ? terminated(toUtf8(text))
        : new Uint8Array(Math.ceil((options?.bytes ?? 0) / 2) + 1)
      const at = take(machine, bytes.length)
      if (at === null)
        return machine.refuse('EP-13', 'EFI_OUT_OF_RESOURCES', 'no memory for the command line', null)
      if (known) machine.memory.patch(at, bytes, CONVERTED)
      else machine.memory.make(rangeAt(at, bytes.length), CONVERTED)
      zeroPageOf(boot).setWhole('cmd_line_ptr', at)
      // Bytes past what the kernel reads do not belong to its command line
      const length = Math.min(bytes.length, COMMAND_LINE_SIZE) - 1
      const given = known ? convertAll(text).length : length
      if (given > length)
        machine.unmodelled(
          'EP-13',
          `the command line of ${String(given)} bytes is cut to ${String(length)}${LACKS}`,
        )
      boot.commandLine = { at, length, object: CONVERTED, text: decodeText(bytes.subarray(0, length)) }
    })
  }
}

/**
 * Up to 5.6 a command line has 32 bits for its address. Source: linux@5.6 arch/x86/include/asm/efi.h
 * MAX_CMDLINE_ADDRESS.
 */
const UINT_MAX = 2 ** 32 - 1

/** Pool memory; pages anywhere; or the highest free pages below 4 GiB. */
const TAKES: Readonly<Record<KernelBehaviour['commandLine']['into'], Take>> = {
  pool: (machine, size) => machine.firmware.allocatePool(EfiLoaderData, size, CONVERTED).at,
  efi_allocate_pages: (machine, size) =>
    machine.step(
      'EP-34',
      'the command line gets pages of its own',
      () =>
        machine.firmware.allocatePages(
          { kind: 'max', limit: PHYS_END - 1 },
          EfiLoaderData,
          pagesOf(size),
          CONVERTED,
        ).at,
    ),
  efi_high_alloc: (machine, size) =>
    machine.step('EP-34', 'the command line gets the highest free pages below 4 GiB', () =>
      highAlloc(machine, { size, limit: UINT_MAX, label: CONVERTED }),
    ),
}

/**
 * The text as it is in memory, otherwise as it was passed. `known` is false if the bytes in memory are not
 * modelled.
 */
function readOptions(
  boot: KernelBoot,
  options: LoadOptions,
): { readonly text: string; readonly known: boolean } {
  const where = options.at === null ? null : rangeOrNull(options.at, options.bytes)
  if (where === null) return { text: options.text, known: true }
  boot.machine.memory.readAs(where, options.object)
  const { bytes, known } = boot.machine.memory.peek(where)
  const whole = bytes.subarray(0, bytes.length - (bytes.length % 2))
  return { text: known ? decodeText(whole, 'utf-16le') : options.text, known }
}

/** UTF-8 up to a NUL or newline. */
function convertAll(text: string): Uint8Array {
  return encodeText(text.split(/[\0\n]/, 1)[0] ?? '')
}

/**
 * UTF-8 up to a NUL or newline; a longer line is truncated at the last space outside quotes. At most
 * COMMAND_LINE_SIZE - 1 bytes.
 */
export function convert(text: string): Uint8Array {
  const bytes = convertAll(text)
  if (bytes.length < COMMAND_LINE_SIZE) return bytes
  let quoted = false
  let safe = 0
  bytes.subarray(0, COMMAND_LINE_SIZE).forEach((byte, i) => {
    if (byte === 0x22) quoted = !quoted
    else if (!quoted && (byte === 0x20 || (byte >= 9 && byte <= 13))) safe = i
  })
  return bytes.subarray(0, safe)
}
