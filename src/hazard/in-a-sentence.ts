/** A finding in a sentence for a person, without numbers: what happens to what, and by whom. */
import type { Actor } from '../memory/event.ts'
import type { Finding } from './hazard.ts'

const ACTORS: Readonly<Record<string, string>> = {
  firmware: 'the firmware',
  loader: 'the boot loader',
  stub: 'the stub',
  'efi-stub': "the kernel's EFI stub",
  decompressor: 'the decompressor',
  kernel: 'the extracted kernel',
}

const OBJECTS: Readonly<Record<string, string>> = {
  uki: 'image',
  cmdline: 'command line',
  'cmdline-utf16': 'command line',
  boot_params: 'zero page',
}

/** Whoever acts, as a person would name it. */
export function actorName(actor: Actor | null): string {
  return actor === null ? 'something' : (ACTORS[actor] ?? actor)
}

/** `the initrd`. */
export function objectName(object: string | null): string {
  return object === null ? 'memory' : `the ${OBJECTS[object] ?? object}`
}

function legActor({ legs }: Finding, role: Finding['legs'][number]['role']): Actor | null {
  return legs.findLast(leg => leg.role === role)?.actor ?? null
}

/** `the initrd is overwritten by the decompressor before the extracted kernel reads it`. */
export function inASentence(finding: Finding): string {
  const object = objectName(finding.object)
  const reader = actorName(legActor(finding, 'used'))
  switch (finding.rule) {
    case 'clobbered-object': {
      const writer = legActor(finding, 'overwritten')
      return writer === null
        ? `bytes of ${object} are not in memory when ${reader} reads it`
        : `${object} is overwritten by ${actorName(writer)} before ${reader} reads it`
    }
    case 'uninitialised-read':
      return `${reader} reads memory of ${object} that nobody has written`
    case 'wild-read':
      return `${reader} reads outside of ${object}`
    case 'truncated-object':
      return `${object} is not whole when ${reader} reads it`
    default:
      return finding.title.charAt(0).toLowerCase() + finding.title.slice(1)
  }
}
