/** What Secure Boot and shim ask of an image and of the stub in it, as far as it is modelled (chapter PE). */
import { DIRECTORY_SECURITY, type PeFile } from '../image/pe.ts'
import type { Machine } from '../machine/machine.ts'
import type { HandOff } from '../machine/model.ts'

/** What is taken for granted, or doubted, of the signature of the image that is started. */
export function assumeSigned(machine: Machine, pe: PeFile): void {
  if (!machine.settings.secureBoot) return
  machine.step('PE-58', 'the signature of the image', () => {
    if ((pe.dataDirectories[DIRECTORY_SECURITY]?.Size ?? 0) === 0)
      machine.unmodelled(
        'PE-58',
        'the image has no signature: under Secure Boot it is refused with Access Denied ' +
          'unless its hash is enrolled',
      )
    else
      machine.assume('PE-58', 'the signature of the image is by a key that is enrolled, and is not revoked')
  })
}

/** What shim does about the kernel that the stub starts. `loader`: id of the image loader. */
export function judgeShim(machine: Machine, loader: string, handOff: HandOff): void {
  const { secureBoot, shim } = machine.settings
  if (!secureBoot || !(shim || loader.startsWith('shim'))) return
  const asked = handOff.via === 'pe-entry' && handOff.loaded.device === null
  if (asked)
    machine.step('PE-59', 'shim is asked about the kernel', () => {
      machine.assume(
        'PE-59',
        'shim trusts the kernel: it is signed by a key that shim knows, or its hash is ' +
          'that of a section that shim 16 loaded',
      )
    })
  else if (!loader.startsWith('shim-16'))
    machine.step('PE-60', 'shim was not asked about the kernel', () => {
      machine.unmodelled(
        'PE-60',
        'the stub starts the kernel without asking shim: shim 0.9 to 15.8 then says ' +
          '"Bootloader has not verified loaded image." and shuts the machine down when the ' +
          'kernel ends boot services',
      )
    })
}
