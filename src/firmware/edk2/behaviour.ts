/** The behaviour of a release of EDK2, apart from the changes that it is made of. */
import { EDK2_BEHAVIOURS, type Edk2Behaviour, type Edk2Release } from './releases.ts'

/** How a release behaves. */
export function edk2Behaviour(release: Edk2Release): Edk2Behaviour {
  return EDK2_BEHAVIOURS[release]
}
