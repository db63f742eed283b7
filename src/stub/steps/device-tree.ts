/** Slot deviceTree: a device tree in the image (chapter ST). */
import { rangeAt } from '../../bytes/range.ts'
import { pagesOf } from '../../bytes/units.ts'
import { EfiACPIReclaimMemory } from '../../image/memory-types.ts'
import type { StubBehaviour } from '../behaviour.ts'
import type { Sections, StubContext } from '../model.ts'
import { sectionOf } from './locate.ts'

/** What a release does with the device trees of the image. */
export function installDeviceTree({
  sections: names,
  replacesOnly,
}: StubBehaviour['deviceTree']): (ctx: StubContext, sections: Sections) => void {
  if (names.length === 0) return ignoreDeviceTree
  if (replacesOnly) return needFirmwareTree
  return (ctx, sections) => {
    install(ctx, sections, names.includes('.dtbauto'))
  }
}

/** The stub does not know the section. */
function ignoreDeviceTree({ machine }: StubContext): void {
  machine.step('ST-46', 'does not look for a device tree', () => undefined)
}

/** Only over a device tree of the firmware: none is assumed. */
function needFirmwareTree({ machine }: StubContext, sections: Sections): void {
  machine.step('ST-97', 'devicetree_install_from_memory asks for the device tree of the firmware', () => {
    if (sectionOf(sections, '.dtb') !== null)
      machine.assume('ST-97', 'the firmware has no device tree, so .dtb is not installed')
  })
}

/** The stub installs it as a table, from pages of its own; which .dtbauto it takes is not modelled. */
function install({ machine }: StubContext, sections: Sections, chooses: boolean): void {
  machine.step('ST-47', 'devicetree_install_from_memory installs a device tree', () => {
    if (chooses && sectionOf(sections, '.dtbauto') !== null) {
      machine.unmodelled(
        'ST-47',
        'whether a .dtbauto is chosen, and copied to pages of EfiACPIReclaimMemory, is not modelled',
      )
      return
    }
    const tree = sectionOf(sections, '.dtb')
    if (tree === null) return
    const got = machine.firmware.allocatePages(
      { kind: 'any' },
      EfiACPIReclaimMemory,
      pagesOf(tree.size),
      tree.object,
    )
    if (got.status === 'EFI_SUCCESS') machine.memory.copy(got.at, rangeAt(tree.at, tree.size))
  })
}
