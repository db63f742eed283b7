/** Slot trust: the hashes of kernel and initrd (chapter LZ). */
import { printed } from '../../../messages/texts.ts'
import { toInteger } from '../../../bytes/int.ts'
import { sha256 } from '../../../bytes/sha256.ts'
import type { ByteSource } from '../../../bytes/source.ts'
import type { LanzabooteBehaviour } from '../behaviour.ts'
import type { Configuration, LanzabooteContext, Start, Wanted } from '../model.ts'
import { byFirmware, bySelf } from './start.ts'

type FileName = 'Kernel' | 'Initrd'

/** The files whose hash differs from the one in the image; none where hashes are not compared. */
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
      `the SHA-256 of the ${first.toLowerCase()} differs from the one in the image`,
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

/** Decides from the hashes of kernel and initrd how the kernel is started. */
export function compareHashes({
  otherHash,
}: LanzabooteBehaviour['trust']): (ctx: LanzabooteContext, configuration: Configuration) => Start {
  return STEPS[otherHash]
}

/** A kernel whose hash differs is loaded through the firmware, which refuses it under Secure Boot. */
function elseByFirmware(ctx: LanzabooteContext, configuration: Configuration): Start {
  return ctx.machine.step('LZ-10', 'compares the hashes', () =>
    wrong(ctx, configuration).length === 0 ? bySelf : byFirmware,
  )
}

/** A hash mismatch is an error under Secure Boot and a warning without it. */
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

/** A hash mismatch is an error. */
function elseRefused(ctx: LanzabooteContext, configuration: Configuration): Start {
  return ctx.machine.step('LZ-12', 'compares the hashes', () => {
    refuse(ctx, 'LZ-12', wrong(ctx, configuration))
    return bySelf
  })
}

/** Embedded files were verified together with the image. */
function nothingToCompare(ctx: LanzabooteContext): Start {
  return ctx.machine.step('LZ-7', 'has no hash to compare', () => bySelf)
}
