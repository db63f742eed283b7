/** How the decompressor handles the payload, if it is really decompressed. Chapter ZO. */
import { printed, TEXTS } from '../../../messages/texts.ts'
import { hex, rangeAt } from '../../../bytes/range.ts'
import type { Elf } from '../../../image/elf.ts'
import type { EventId } from '../../../memory/event.ts'
import type { KernelBoot, Output } from '../boot.ts'
import type { KernelFile } from '../file.ts'
import type { Extracted, Lead } from '../../payload.ts'

/** Alignment of segments. Source: linux@6.12.107 arch/x86/boot/compressed/misc.c parse_elf. */
const SEGMENT_ALIGN = 0x200000

/** The headers of the extracted kernel; null if the payload was not decompressed. */
export function extractedElf({ payload }: KernelBoot): Elf | null {
  return payload?.kind === 'read' ? payload.elf : null
}

/**
 * Decompresses the payload. `giveUp` ends the run as the caller of the decompressor does, with the
 * decompressor's message.
 */
export function goThroughPayload(boot: KernelBoot, giveUp: (why: string, error: string) => never): void {
  const { machine, payload, file } = boot
  if (payload === null) return
  machine.step('ZO-25', 'the decompressor decompresses the payload', () => {
    if (payload.kind === 'not-read') {
      machine.unmodelled('ZO-25', `the payload was not decompressed: ${payload.why}`)
      return
    }
    const { format, consumed, produced, failure } = payload
    machine.observe({ payload: { format, consumed, produced } })
    if (failure?.error != null)
      giveUp(`the payload is corrupt at ${hex(failure.at)}: ${failure.why}`, failure.error)
    if (failure !== null)
      machine.unmodelled('ZO-25', `${failure.why}; the kernel does not check this and starts the output`)
    else if (produced !== file.outputLength)
      machine.unmodelled(
        'ZO-25',
        `the output has ${hex(produced)} bytes, but the payload states ` +
          `${hex(file.outputLength)}: where relocations are read in that case is not modelled`,
      )
  })
}

/**
 * parse_elf: the end of the segments it moves, from the output's first byte. `hasConsole`: can it still print
 * errors?
 */
export function parseExtracted(boot: KernelBoot, hasConsole: boolean): number {
  const { machine, payload, file } = boot
  if (payload?.kind !== 'read') {
    machine.assume(
      'ZO-12',
      'the segments of the decompressed kernel lie inside its decompressed length and ' +
        'begin at its first byte',
    )
    return file.outputLength
  }
  return machine.step('ZO-26', 'parse_elf checks the output', () => {
    const halt = (why: string, error: string): never =>
      machine.refuse(
        'ZO-26',
        'EFI_LOAD_ERROR',
        why,
        hasConsole ? printed('decompressor/halted', { why: error }) : null,
      )
    const { elf } = payload
    if (elf === null) return halt('the output is not an ELF file with headers', TEXTS['decompressor/no-elf'])
    if (elf.segments.some(({ p_align }) => p_align % SEGMENT_ALIGN !== 0))
      return halt('a segment is not aligned to 2 MiB', TEXTS['decompressor/segment-alignment'])
    const starts = elf.segments.map(({ p_paddr }) => p_paddr - file.loadPhysicalAddress)
    const end = Math.max(
      file.outputLength,
      ...elf.segments.map(({ p_paddr, p_filesz }) => p_paddr - file.loadPhysicalAddress + p_filesz),
    )
    if (
      !starts.some(start => start === 0) ||
      starts.some(start => start < 0) ||
      end > 2 * file.outputLength
    ) {
      machine.unmodelled(
        'ZO-26',
        'the segments do not begin at LOAD_PHYSICAL_ADDR or end far beyond the decompressed ' +
          'length: their destination is not modelled',
      )
      return file.outputLength
    }
    return end
  })
}

/** Offset of the first instruction that runs, from the output's first byte. */
export function entryOffset(boot: KernelBoot): number {
  const { machine, file } = boot
  const elf = extractedElf(boot)
  if (elf === null) {
    machine.assume('ZO-13', 'the extracted kernel is entered at its first byte')
    return 0
  }
  return machine.step('ZO-27', 'the entry point is e_entry, from LOAD_PHYSICAL_ADDR on', () => {
    const offset = elf.e_entry - file.loadPhysicalAddress
    if (offset >= 0 && offset < file.outputLength) return offset
    machine.unmodelled('ZO-27', 'e_entry lies outside the extracted kernel')
    return 0
  })
}

/** Addresses of an in-place extraction. */
export interface InPlace {
  /** R: the first byte of the output. */
  readonly start: number
  /** X: `startup_32` of the moved decompressor. */
  readonly moved: number
}

/**
 * Minimum distance in bytes from the end of the output to the lowest byte of input still needed; negative if
 * that has been overwritten.
 */
export function inPlaceMargin(
  { payloadOffset }: Pick<KernelFile, 'payloadOffset'>,
  { start, moved }: InPlace,
  lead: Lead,
): number {
  return moved + payloadOffset - start - lead.bytes
}

/**
 * The margin that linux reserves for this, in bytes, from 5.9 on. Source: linux@5.10.223
 * arch/x86/boot/header.S ZO_z_extra_bytes.
 */
export function extraBytes(outputLength: number): number {
  return Math.floor(outputLength / 256) + 131072
}

/**
 * In-place extraction: the output must not reach input that is still to be read. `reading` is the event of
 * reading the payload.
 */
export function keepMargin(
  { machine, file }: KernelBoot,
  { lead, format, consumed, produced }: Extracted,
  inPlace: InPlace,
  output: Output,
  reading: EventId,
): void {
  if (output.at !== inPlace.start) return
  machine.step('ZO-28', 'the output grows towards input that is still to be read', () => {
    const margin = inPlaceMargin(file, inPlace, lead)
    const kept = margin >= 0
    const range = kept ? null : rangeAt(inPlace.moved + file.payloadOffset + lead.input, -margin)
    machine.observe({ payload: { format, consumed, produced, margin } })
    machine.contract({
      clause: 'ZO-28',
      kept,
      what: 'the output never reaches input that is still to be read',
      range,
    })
    if (!kept)
      machine.undefinedBehaviour(reading, `the decompressor overwrote ${hex(-margin)} bytes of its own input`)
  })
}
