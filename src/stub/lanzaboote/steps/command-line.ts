/**
 * Slot commandLine: which one is used, and the UTF-16 buffer that the kernel's LoadOptions point to (chapter
 * LZ).
 */
import type { ClauseId } from '../../../machine/machine.ts'
import type { CommandLine } from '../../model.ts'
import { UTF16_LINE } from '../../steps/command-line.ts'
import type { LanzabooteBehaviour } from '../behaviour.ts'
import type { Configuration, LanzabooteContext } from '../model.ts'
import { poolOrPanic } from './pool.ts'

/** `bytes`: of the buffer, the string may be shorter or lack its NUL. */
function inPool(
  ctx: LanzabooteContext,
  clause: ClauseId,
  text: string,
  bytes: number,
  object: string,
): CommandLine {
  const at = poolOrPanic(ctx, clause, bytes, UTF16_LINE)
  const units = Uint16Array.from({ length: bytes / 2 }, (_, i) => (i < text.length ? text.charCodeAt(i) : 0))
  ctx.machine.memory.patch(at, bytesOf(units), UTF16_LINE)
  return { at, bytes, text, object }
}

function bytesOf(units: Uint16Array): Uint8Array {
  return Uint8Array.from(
    { length: 2 * units.length },
    (_, i) => ((units[i >> 1] ?? 0) >> (8 * (i & 1))) & 0xff,
  )
}

function ofImage(ctx: LanzabooteContext, clause: ClauseId, { commandLine }: Configuration): CommandLine {
  return inPool(ctx, clause, commandLine, 2 * (commandLine.length + 1), 'cmdline')
}

/** The embedded line, or LoadOptions where a release takes them. */
export function chooseCommandLine({
  loadOptions,
}: LanzabooteBehaviour['commandLine']): (
  ctx: LanzabooteContext,
  configuration: Configuration,
) => CommandLine {
  return loadOptions ? optionsElseEmbedded : embeddedLine
}

/** The embedded one. */
function embeddedLine(ctx: LanzabooteContext, configuration: Configuration): CommandLine {
  return ctx.machine.step('LZ-13', 'takes its own command line', () => ofImage(ctx, 'LZ-13', configuration))
}

/** LoadOptions unchanged, unless Secure Boot is on or there are none. */
function optionsElseEmbedded(ctx: LanzabooteContext, configuration: Configuration): CommandLine {
  return ctx.machine.step('LZ-14', 'chooses the command line', () => {
    const { loadOptions } = ctx.self
    if (ctx.machine.settings.secureBoot || loadOptions === null) return ofImage(ctx, 'LZ-14', configuration)
    return inPool(ctx, 'LZ-14', loadOptions.text, 2 * Math.ceil(loadOptions.bytes / 2), loadOptions.object)
  })
}
