/** Slot deviceTree: what becomes of a device tree in the image (chapter ST). */
import { told } from '../../machine/told.ts'
import type { Booting, Located } from '../model.ts'
import { sectionOf } from './locate.ts'

/** The stub knows no such section. */
export function ignoresDeviceTree({ machine }: Booting): void {
  machine.step('ST-46', 'looks for no device tree', () => undefined)
}

/** The stub installs it as a table, from pages that are not modelled. */
export function installsDeviceTree(names: readonly string[]): (on: Booting, located: Located) => void {
  const install = ({ machine }: Booting, located: Located): void => {
    machine.step('ST-47', 'installs a device tree', () => {
      for (const name of names) if (sectionOf(located, name) !== null) machine.doubt('ST-47', `${name} is copied to pages of EfiACPIReclaimMemory, which are not modelled`)
    })
  }
  return told(install, { names })
}
