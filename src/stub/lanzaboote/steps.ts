/**
 * The steps of a release of lanzaboote's stub: every slot filled with the function that its data asks for.
 */
import type { LanzabooteBehaviour } from './behaviour.ts'
import type { LanzabooteSteps } from './model.ts'
import { chooseCommandLine } from './steps/command-line.ts'
import { readConfiguration } from './steps/configuration.ts'
import { extendInitrd, holdPayload } from './steps/payload.ts'
import { enterKernel } from './steps/start.ts'
import { compareHashes } from './steps/trust.ts'

/** What a release with this behaviour does, slot by slot. */
export function lanzabooteSteps(behaviour: LanzabooteBehaviour): LanzabooteSteps {
  return {
    configuration: readConfiguration(behaviour.configuration),
    payload: holdPayload(behaviour.payload),
    trust: compareHashes(behaviour.trust),
    commandLine: chooseCommandLine(behaviour.commandLine),
    initrd: extendInitrd(behaviour.initrd),
    handOff: enterKernel,
  }
}
