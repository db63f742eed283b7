/** Userspace is not modelled; obstacles that are visible at arrival are reported as gaps (chapter ZO). */
import { rangeAt } from '../bytes/range.ts'
import type { Machine } from '../machine/machine.ts'
import type { Facts } from '../machine/model.ts'
import type { ObjectId } from '../memory/extent.ts'

/**
 * Magic bytes of initrd formats: cpio newc with and without checksums, gzip (two kinds), bzip2, lzma, xz,
 * lzo, lz4, zstd. Source: linux@6.12.107 lib/decompress.c.
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
/** Leading zeros are skipped up to this limit, in bytes. */
const PADDING = 4096
/** Bytes of the first read. */
const FIRST_LOOK = 64
/** Archives that a stub makes from other sections do not contain a root file system. */
const NOT_OF_THE_IMAGE = /^(cpio:|uki:|initrd:joined)/

/** Reports what prevents the kernel from starting its first process. */
export function lookAhead(machine: Machine, initrd: ObjectId | null, facts: Facts): void {
  machine.step('ZO-18', 'looks for a root file system', () => {
    const parts = initrd === null ? [] : (machine.memory.partsOf(initrd) ?? [{ object: initrd }])
    const brings = parts.some(part => !NOT_OF_THE_IMAGE.test(part.object))
    const words = (facts.commandLine ?? '').split(/\s+/)
    if (!brings && !words.some(word => word.startsWith('root=')))
      machine.doubt(
        'ZO-18',
        'there is no initrd and no root= on the command line: there is no root file system',
      )
  })
  machine.step('ZO-19', 'checks the first bytes of the initrd', () => {
    const { ramdiskImage, ramdiskSize = 0, initrdDamage = [] } = facts
    if (ramdiskImage === undefined || ramdiskSize < MAGIC_LENGTH || initrdDamage.length > 0) return
    const begin = firstByteSet(machine, ramdiskImage, Math.min(ramdiskSize, PADDING))
    if (begin === null || begin + MAGIC_LENGTH > ramdiskSize) return
    const { bytes, known } = machine.memory.peek(rangeAt(ramdiskImage + begin, MAGIC_LENGTH))
    const first = Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
    if (known && !MAGICS.some(magic => first.startsWith(magic)))
      machine.doubt(
        'ZO-19',
        `the initrd begins with the bytes ${first}, which is not the magic number of any archive or compression format that the kernel supports`,
      )
  })
}

/** Offset of the first non-zero byte; null if there is none or a byte is unknown. */
function firstByteSet(machine: Machine, at: number, length: number): number | null {
  if (!machine.memory.knows(rangeAt(at, length))) return null
  for (const count of [Math.min(length, FIRST_LOOK), length]) {
    const begin = machine.memory.readRaw(rangeAt(at, count)).findIndex(byte => byte !== 0)
    if (begin >= 0) return begin
  }
  return null
}
