/**
 * setup_data: the linked list that starts in boot_params.hdr, as passed by a loader and as used by the EFI
 * stub and the extracted kernel. Chapters EP and ZO.
 */
import { hex, rangeAt } from '../../../bytes/range.ts'
import { phys, PHYS_END, type Phys } from '../../../bytes/units.ts'
import { setup_data } from '../../../image/x86/boot-params.ts'
import { EfiLoaderData } from '../../../image/memory-types.ts'
import type { ObjectId } from '../../../memory/extent.ts'
import { GuestStruct, guestBytes, guestValues } from '../../../memory/guest-struct.ts'
import { guestRange, isRam, zeroPageOf, type KernelBoot, type SetupNode } from '../boot.ts'

/** Types of nodes. Source: linux@6.12.107 arch/x86/include/uapi/asm/setup_data.h. */
export const SETUP_E820_EXT = 1
const SETUP_PCI = 3
const SETUP_INDIRECT = 2 ** 31
/** sizeof(struct pci_setup_rom) without its ROM. Source: linux@5.10.223 arch/x86/include/asm/pci.h. */
const PCI_SETUP_ROM = 64
/** Longest sensible list; a longer one is taken to be circular. */
const LONGEST = 1024
/** Object of a node that was never written. */
const NODE = 'setup_data'

/** The nodes in memory, in list order; `astray`: why the list cannot be followed to its end. */
export function followSetupData(boot: KernelBoot): {
  readonly nodes: readonly SetupNode[]
  readonly astray: string | null
} {
  const { memory } = boot.machine
  const nodes: SetupNode[] = []
  let astray: string | null = null
  let at = zeroPageOf(boot).hdr.get('setup_data')
  while (at !== 0) {
    if (nodes.length === LONGEST) return { nodes, astray: 'the list of setup_data does not end' }
    const head = guestRange(at, setup_data.size)
    const { bytes, known } =
      head === null || !isRam(boot.machine, head)
        ? { bytes: new Uint8Array(0), known: true }
        : memory.peek(head)
    if (!known) astray = `setup_data points to ${hex(at)}, whose content is unknown`
    const node = guestValues(setup_data, bytes)
    const where = node === null ? null : guestRange(at, setup_data.size + node.len)
    if (node === null || where === null || !isRam(boot.machine, where))
      return { nodes, astray: `setup_data points to ${hex(at)}, where there can be no node` }
    const [first] = memory.extents(where)
    const { object, at: offset } = first?.whose ?? { object: NODE, at: 0 }
    nodes.push({ range: where, type: node.type, object, offset })
    at = Math.min(node.next, PHYS_END)
  }
  return { nodes, astray }
}

/** Reads the loader's list before anything can overwrite it. */
export function noteSetupData(boot: KernelBoot): void {
  const { machine } = boot
  machine.step('ZO-17', 'setup_data as passed by the loader', () => {
    const { nodes, astray } = followSetupData(boot)
    boot.setupData = nodes
    if (astray !== null) machine.unmodelled('ZO-17', astray)
    if (nodes.some(({ type }) => type === SETUP_INDIRECT))
      machine.unmodelled('ZO-17', 'a node of setup_data names data elsewhere, which is not followed')
  })
}

/** Appends a node of the EFI stub, `length` bytes at `at`, to the last node or to boot_params. */
export function appendNode(
  boot: KernelBoot,
  at: Phys,
  { type, length, object }: { readonly type: number; readonly length: number; readonly object: ObjectId },
): void {
  const { machine, setupData } = boot
  const where = rangeAt(at, length)
  machine.memory.make(where, object)
  machine.memory.patch(at, guestBytes(setup_data, { type, len: length - setup_data.size }), object)
  const last = setupData.at(-1)
  if (last === undefined) zeroPageOf(boot).hdr.set('setup_data', at)
  else new GuestStruct(machine.memory, setup_data, last.range.start, last.object, last.offset).set('next', at)
  boot.setupData = [...setupData, { range: where, type, object, offset: 0 }]
}

/** setup_efi_pci: the option ROM of a device is copied to a node of its own. */
export function keepRoms(boot: KernelBoot): void {
  const { machine } = boot
  machine.step('EP-45', 'the EFI stub copies the option ROMs of PCI devices', () => {
    const { pciRoms: roms } = machine.settings
    if (roms === undefined)
      machine.assume('EP-45', 'no PCI device has an option ROM reported by the firmware')
    for (const [i, size] of (roms ?? []).entries()) {
      const length = PCI_SETUP_ROM + size
      const object = `efi-stub:rom#${String(i + 1)}`
      const { at } = machine.firmware.allocatePool(EfiLoaderData, length, object)
      if (at !== null) appendNode(boot, phys(at), { type: SETUP_PCI, length, object })
    }
  })
}

/** The extracted kernel reads every node through the list. */
export function readSetupData(boot: KernelBoot): void {
  const { machine, setupData } = boot
  machine.step('ZO-17', 'the extracted kernel follows setup_data', () => {
    for (const { range, object, offset } of setupData) machine.memory.readAs(range, object, { at: offset })
  })
}
