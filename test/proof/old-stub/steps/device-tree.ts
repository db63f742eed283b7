/** Slot deviceTree: what becomes of a device tree in the image (chapter ST). */
import { rangeAt } from '../../../../src/bytes/range.ts'
import { pagesOf } from '../../../../src/bytes/units.ts'
import { EfiACPIReclaimMemory } from '../../../../src/image/memory-types.ts'
import { told } from '../../../../src/machine/told.ts'
import type { Booting, Located } from '../model.ts'
import { sectionOf } from './locate.ts'

/** The stub knows no such section. */
export function ignoresDeviceTree({ machine }: Booting): void {
  machine.step('ST-46', 'looks for no device tree', () => undefined)
}

/** Only over a device tree of the firmware: none is assumed. */
export function needsFirmwareTree({ machine }: Booting, located: Located): void {
  machine.step('ST-97', 'asks for the device tree of the firmware', () => {
    if (sectionOf(located, '.dtb') !== null)
      machine.assume('ST-97', 'the firmware has no device tree, so that .dtb is left alone')
  })
}

/** The stub installs it as a table, from pages of its own; which .dtbauto it takes is not modelled. */
export function installsDeviceTree(names: readonly string[]): (on: Booting, located: Located) => void {
  const install = ({ machine }: Booting, located: Located): void => {
    machine.step('ST-47', 'installs a device tree', () => {
      if (names.includes('.dtbauto') && sectionOf(located, '.dtbauto') !== null) {
        machine.doubt(
          'ST-47',
          'whether a .dtbauto is chosen, and copied to pages of EfiACPIReclaimMemory, is not modelled',
        )
        return
      }
      const tree = sectionOf(located, '.dtb')
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
  return told(install, { names })
}
