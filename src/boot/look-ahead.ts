/**
 * Whether userspace comes up is not modelled; what can be seen at arrival to stand in its way is said as a
 * doubt (chapter ZO).
 */
import { rangeAt } from '../bytes/range.ts'
import type { Machine } from '../machine/machine.ts'
import type { Facts } from '../machine/model.ts'
import type { ObjectId } from '../memory/extent.ts'

/**
 * First bytes of what the kernel unpacks: cpio newc with and without checksums, gzip (two kinds), bzip2,
 * lzma, xz, lzo, lz4, zstd. Source: linux@6.12.107 lib/decompress.c.
 */
const MAGICS = [
  '303730373031',
  '303730373032',
  '1f8b',
  '1f9e',
  '425a',
  '5d00',
  'fd37',
  '894c',
  '0221',
  '28b5',
] as const
const MAGIC_LENGTH = 6
/** Zeros in front are passed over, as far as this is looked. */
const PADDING = 4096
/** So many bytes are read first. */
const FIRST_LOOK = 64
/** What a stub makes of other sections is no root file system. */
const NOT_OF_THE_IMAGE = /^(cpio:|uki:|initrd:joined)/

/** Says what the kernel will miss when it looks for its first process. */
export function lookAhead(machine: Machine, initrd: ObjectId | null, facts: Facts): void {
  machine.step('ZO-18', 'is there something to boot into', () => {
    const parts = initrd === null ? [] : (machine.memory.partsOf(initrd) ?? [{ object: initrd }])
    const brings = parts.some(part => !NOT_OF_THE_IMAGE.test(part.object))
    const words = (facts.commandLine ?? '').split(/\s+/)
    if (!brings && !words.some(word => word.startsWith('root=')))
      machine.doubt(
        'ZO-18',
        'the image brings no initrd and its command line no root=: there is nothing to boot into',
      )
  })
  machine.step('ZO-19', 'does the initrd begin as an archive', () => {
    const { ramdiskImage, ramdiskSize = 0, initrdDamage = [] } = facts
    if (ramdiskImage === undefined || ramdiskSize < MAGIC_LENGTH || initrdDamage.length > 0) return
    const begin = firstByteSet(machine, ramdiskImage, Math.min(ramdiskSize, PADDING))
    if (begin === null || begin + MAGIC_LENGTH > ramdiskSize) return
    const { bytes, known } = machine.memory.peek(rangeAt(ramdiskImage + begin, MAGIC_LENGTH))
    const first = Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
    if (known && !MAGICS.some(magic => first.startsWith(magic)))
      machine.doubt(
        'ZO-19',
        `the initrd begins with the bytes ${first}, which no archive or compression that the kernel knows begins with`,
      )
  })
}

/** Offset of the first byte that is not zero; null where there is none, or a byte that is not known. */
function firstByteSet(machine: Machine, at: number, length: number): number | null {
  if (!machine.memory.knows(rangeAt(at, length))) return null
  for (const count of [Math.min(length, FIRST_LOOK), length]) {
    const begin = machine.memory.readRaw(rangeAt(at, count)).findIndex(byte => byte !== 0)
    if (begin >= 0) return begin
  }
  return null
}
