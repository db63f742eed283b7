/** Userspace is not modelled; obstacles that are visible at arrival are reported as gaps (chapter ZO). */
import { formatSize, hex } from '../bytes/range.ts'
import type { Machine } from '../machine/machine.ts'
import type { Facts } from '../machine/model.ts'
import type { ObjectId } from '../memory/extent.ts'
import { archiveFault, ZEROS_MAX } from './initrd-archives.ts'

/** Archives that a stub makes from other sections do not contain a root file system. */
const NOT_OF_THE_IMAGE = /^(cpio:|uki:|initrd:joined)/

/** Headers and padding of the stub. */
const STUBS_OWN = /^(cpio:|initrd:joined)/
/** Zeros that a loader puts behind a piece. */
const PADDING = /:zeros$/

/** `efi=disable_early_pci_dma`, alone or among others. */
const DISABLES_DMA = /(?:^|\s)efi=(?:\S*,)?disable_(?:early_)?pci_dma(?:,|\s|$)/

/** Reports what prevents the kernel from starting its first process. */
export function lookAhead(machine: Machine, initrd: ObjectId | null, facts: Facts): void {
  machine.step('ZO-18', 'looks for a root file system', () => {
    const parts = initrd === null ? [] : (machine.memory.partsOf(initrd) ?? [{ object: initrd }])
    const brings = parts.some(part => !NOT_OF_THE_IMAGE.test(part.object))
    machine.observe({ initrdOfImage: brings })
    const words = brings ? [] : (facts.commandLine ?? '').split(/\s+/)
    if (!brings && (facts.sections ?? []).some(({ name, size }) => name === '.initrd' && size > 0))
      machine.unmodelled('ZO-18', 'the image has a section .initrd, and nothing of it reaches the kernel')
    if (!brings && !words.some(word => word.startsWith('root=')))
      machine.unmodelled(
        'ZO-18',
        'there is no initrd and no root= on the command line: there is no root file system',
      )
  })
  if (DISABLES_DMA.test(facts.commandLine ?? ''))
    machine.step('EP-55', 'the EFI stub disables PCI bridges', () => {
      machine.assume(
        'EP-55',
        'disabling DMA of PCI bridges, as the command line asks, makes no driver change memory that ' +
          'matters: the first ExitBootServices succeeds, with the memory map that was read before it',
      )
    })
  machine.step('ZO-19', 'checks the first bytes of the initrd', () => {
    const { ramdiskImage, ramdiskSize = 0, initrdDamage = [] } = facts
    if (ramdiskImage === undefined || ramdiskSize === 0 || initrdDamage.length > 0) return
    for (const { object, at, length } of archivesIn(machine, initrd, ramdiskSize))
      doubtArchives(machine, object, ramdiskImage + at, length)
  })
}

/** The parts of the initrd that the stub did not generate itself. */
function archivesIn(
  machine: Machine,
  initrd: ObjectId | null,
  size: number,
): { readonly object: ObjectId; readonly at: number; readonly length: number }[] {
  const parts = initrd === null ? [] : (machine.memory.partsOf(initrd) ?? [])
  let end = 0
  let packed = false
  const pieces = parts.flatMap(({ object, at: from, length }) => {
    const at = end
    end += length
    const inside = packed
    packed = object.startsWith('cpio:') && from === 0
    return inside || PADDING.test(object) || STUBS_OWN.test(object) ? [] : [{ object, at, length }]
  })
  return end === size ? pieces : [{ object: initrd ?? 'initrd', at: 0, length: size }]
}

/** Says what the kernel does not find in a piece of the initrd. */
function doubtArchives(machine: Machine, object: ObjectId, at: number, length: number): void {
  const fault = archiveFault(machine.memory, at, length)
  if (fault === null) return
  if (fault.kind === 'compressed') {
    machine.step('ZO-38', 'the archives of the initrd', () => {
      machine.assume(
        'ZO-38',
        `the compressed archive ${fault.at === 0 ? '' : `at ${hex(fault.at)} `}in ${object}, ` +
          'and what follows it, is whole',
      )
    })
    return
  }
  if (fault.kind === 'junk')
    machine.unmodelled(
      'ZO-19',
      (fault.at === 0 ? `the ${object} begins` : `at ${hex(fault.at)} of ${object} there begins something`) +
        ` with the bytes ${fault.bytes}, which no archive or compression that the kernel ` +
        'knows begins with',
    )
  else
    machine.step('ZO-38', 'the archives of the initrd', () => {
      machine.unmodelled('ZO-38', `${object} ${WITHOUT[fault.kind]}`)
    })
}

const WITHOUT = {
  'no archive': 'holds zeros and no archive: there is nothing to unpack',
  'too many zeros': `begins with more than ${formatSize(ZEROS_MAX)} of zeros, after which nobody looked`,
  cut: 'ends inside of an archive',
  unaligned: 'has an archive whose offset is not a multiple of 4: the kernel does not unpack it',
} as const
