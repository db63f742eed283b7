/**
 * One interface, two machines: the recorder of real boots, and the simulator that is given the same image and
 * the same memory map.
 */
import { factsOf, type Recording } from './recording.ts'
import type { Boot } from './facts.ts'
import { simulate } from './simulate.ts'

/** Boots what a recording names and says what happened. */
export interface BootDriver {
  readonly name: string
  boot(recording: Recording): Boot
}

/** Tells what QEMU and OVMF did. */
export const recorded: BootDriver = {
  name: 'recorded boot',
  boot: recording => ({ facts: factsOf(recording), verdict: null }),
}

const booted = new WeakMap<Recording, Boot>()

/** Tells what the model does. A recording is booted once: to ask again changes nothing. */
export const simulated: BootDriver = {
  name: 'simulator',
  boot: recording => {
    const known = booted.get(recording)
    if (known !== undefined) return known
    const boot = simulate(recording)
    booted.set(recording, boot)
    return boot
  },
}
