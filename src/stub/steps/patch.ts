/** Writing numbers into boot_params. */
import { add, type Phys } from '../../bytes/units.ts'
import type { StubContext } from '../model.ts'
import { BOOT_PARAMS } from '../setup-header.ts'

/** Writes the low 32 bits of `value` into a field of boot_params. */
export function setField(
  { machine }: StubContext,
  bootParams: Phys,
  field: keyof typeof BOOT_PARAMS,
  value: number,
): void {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value % 2 ** 32, true)
  machine.memory.patch(add(bootParams, BOOT_PARAMS[field]), bytes, 'boot_params', BOOT_PARAMS[field])
}

/** Writes one byte into boot_params. */
export function setByte(
  { machine }: StubContext,
  bootParams: Phys,
  field: keyof typeof BOOT_PARAMS,
  value: number,
): void {
  machine.memory.patch(
    add(bootParams, BOOT_PARAMS[field]),
    Uint8Array.of(value),
    'boot_params',
    BOOT_PARAMS[field],
  )
}

/** The upper half of a 64-bit value. */
export function high32(value: number): number {
  return Math.floor(value / 2 ** 32)
}
