/** Section headers of an image, changed where they lie in the file. */
import type { ByteSource } from '../../src/bytes/source.ts'
import { bytesSource, sparseSource } from '../../src/bytes/source.ts'
import { check, type CheckInput } from '../../src/check.ts'
import { buildMachine } from '../../src/boot/machine.ts'
import type { Report } from '../../src/report/model.ts'
import { fileOffset } from '../../src/bytes/units.ts'

/** Fields of a section header, by their offset in it. */
export const FIELDS = { VS: 8, VA: 12, RS: 16, RP: 20 } as const
export type Field = keyof typeof FIELDS

const HEADERS = 0x800

/** Fields of the optional header of a PE32+, by their offset in it. */
const OPTIONAL: Readonly<Record<string, number>> = {
  entry: 16,
  ImageBase: 24,
  'relocations VA': 112 + 8 * 5,
  'relocations Size': 116 + 8 * 5,
}

/**
 * The image with other 32-bit numbers: `.text RS`, or a field of OPTIONAL; a function is told what is there.
 */
export function patched(
  source: ByteSource,
  changes: Readonly<Record<string, number | ((now: number) => number)>>,
): ByteSource {
  const head = new Uint8Array(source.read(fileOffset(0), HEADERS))
  const view = new DataView(head.buffer)
  const pe = view.getUint32(0x3c, true)
  const table = pe + 24 + view.getUint16(pe + 20, true)
  const nameAt = (at: number): string =>
    String.fromCharCode(...head.subarray(at, at + 8)).replace(/\0.*/s, '')
  for (const [where, change] of Object.entries(changes)) {
    const [name = '', field = ''] = where.split(' ')
    const row = Array.from({ length: view.getUint16(pe + 6, true) }, (_, i) => table + 40 * i).find(
      at => nameAt(at) === name,
    )
    const optional = OPTIONAL[where]
    const at = optional === undefined ? (row ?? Number.NaN) + FIELDS[field as Field] : pe + 24 + optional
    view.setUint32(at, typeof change === 'number' ? change : change(view.getUint32(at, true)), true)
  }
  return sparseSource(source.size, [
    { at: 0, source },
    { at: 0, source: bytesSource(head) },
  ])
}

const MACHINE = buildMachine({ profile: 'ovmf-2022.11-q35-4M', ram: 512 * 2 ** 20 })

/** What `check` says of it on an ordinary machine, without KASLR. */
export function reportOn(source: ByteSource, more: Partial<CheckInput> = {}): Report {
  return check({ image: { name: 'test.efi', source }, machine: MACHINE, kaslr: 'off', ...more }).report
}

/** The image for another machine. */
export function patchedMachine(source: ByteSource, machine: number): ByteSource {
  const pe = new DataView(source.read(fileOffset(0), 0x40).slice().buffer).getUint32(0x3c, true)
  return sparseSource(source.size, [
    { at: 0, source },
    { at: pe + 4, source: bytesSource(Uint8Array.of(machine & 0xff, machine >> 8)) },
  ])
}

/** The image with a certificate table of 16 bytes at its end: whose signature it is nobody looks at. */
export function signed(source: ByteSource): ByteSource {
  const at = Math.ceil(source.size / 8) * 8
  const pe = new DataView(source.read(fileOffset(0), 0x40).slice().buffer).getUint32(0x3c, true)
  const words = (...values: number[]): ByteSource =>
    bytesSource(new Uint8Array(Uint32Array.from(values).buffer))
  return sparseSource(at + 16, [
    { at: 0, source },
    { at: pe + 24 + 112 + 8 * 4, source: words(at, 16) },
    { at, source: words(16, 0x00020200, 0, 0) },
  ])
}
