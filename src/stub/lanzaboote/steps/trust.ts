/** Slot trust: what follows from the hashes (chapter LZ). */
import { printed } from '../../../messages/texts.ts'
import { toInteger } from '../../../bytes/int.ts'
import { sha256 } from '../../../bytes/sha256.ts'
import type { ByteSource } from '../../../bytes/source.ts'
import type { LanzabooteBehaviour } from '../behaviour.ts'
import type { Configuration, LanzabooteContext, Start, Wanted } from '../model.ts'
import { byFirmware, bySelf } from './start.ts'

type FileName = 'Kernel' | 'Initrd'

/** The files whose hash is another one than the image says; none where nobody is to look. */
function wrong(ctx: LanzabooteContext, { kernel, initrd }: Configuration): FileName[] {
  const { esp, machine } = ctx
  if (!esp.verify)
    machine.assume(
      'LZ-10',
      'kernel and initrd on the ESP are those whose SHA-256 the image holds; --deep computes it',
    )
  const differs = (wanted: Wanted, source: ByteSource | null): boolean => {
    if (!esp.verify || wanted.from !== 'esp' || source === null) return false
    return toInteger(sha256(source), 'big') !== toInteger(wanted.hash, 'big')
  }
  return [
    ...(differs(kernel, esp.kernel) ? ['Kernel' as const] : []),
    ...(differs(initrd, esp.initrd) ? ['Initrd' as const] : []),
  ]
}

function refuse(
  { machine }: LanzabooteContext,
  clause: 'LZ-11' | 'LZ-12',
  [first]: readonly FileName[],
): void {
  if (first !== undefined)
    machine.refuse(
      clause,
      'EFI_SECURITY_VIOLATION',
      `the SHA-256 of the ${first.toLowerCase()} is not the one in the image`,
      printed('lanzaboote/hash', { file: first }),
    )
}

const STEPS: Readonly<
  Record<
    LanzabooteBehaviour['trust']['otherHash'],
    (ctx: LanzabooteContext, configuration: Configuration) => Start
  >
> = {
  LoadImage: elseByFirmware,
  'refused under Secure Boot': elseRefusedUnderSecureBoot,
  refused: elseRefused,
  'not compared': nothingToCompare,
}

/** What follows from the hashes of kernel and initrd: how a release starts the kernel. */
export function compareHashes({
  otherHash,
}: LanzabooteBehaviour['trust']): (ctx: LanzabooteContext, configuration: Configuration) => Start {
  return STEPS[otherHash]
}

/**
 * A kernel that is not the one that was meant is given to the firmware, which refuses it under Secure Boot.
 */
function elseByFirmware(ctx: LanzabooteContext, configuration: Configuration): Start {
  return ctx.machine.step('LZ-10', 'compares the hashes', () =>
    wrong(ctx, configuration).length === 0 ? bySelf : byFirmware,
  )
}

/** Another hash is an error under Secure Boot and a warning without it. */
function elseRefusedUnderSecureBoot(ctx: LanzabooteContext, configuration: Configuration): Start {
  return ctx.machine.step('LZ-11', 'compares the hashes', () => {
    const files = wrong(ctx, configuration)
    if (ctx.machine.settings.secureBoot) refuse(ctx, 'LZ-11', files)
    for (const file of files)
      ctx.machine.assume(
        'LZ-11',
        `that the stub prints "${file} hash does not match! Continuing anyway." changes nothing`,
      )
    return bySelf
  })
}

/** Another hash is an error. */
function elseRefused(ctx: LanzabooteContext, configuration: Configuration): Start {
  return ctx.machine.step('LZ-12', 'compares the hashes', () => {
    refuse(ctx, 'LZ-12', wrong(ctx, configuration))
    return bySelf
  })
}

/** What lies in the image was checked with it. */
function nothingToCompare(ctx: LanzabooteContext): Start {
  return ctx.machine.step('LZ-7', 'has no hash to compare', () => bySelf)
}
