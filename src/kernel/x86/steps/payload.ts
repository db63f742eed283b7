/** What the decompressor makes of the payload, where that is really decompressed. Chapter ZO. */
import { printed, TEXTS } from '../../../messages/texts.ts'
import { hex, rangeAt } from '../../../bytes/range.ts'
import type { Elf } from '../../../image/elf.ts'
import type { EventId } from '../../../memory/event.ts'
import type { KernelBoot, Output } from '../boot.ts'
import type { KernelFile } from '../file.ts'
import type { Extracted, Lead } from '../../payload.ts'

/** Alignment of segments. Source: linux@6.12.107 arch/x86/boot/compressed/misc.c parse_elf. */
const SEGMENT_ALIGN = 0x200000

/** The headers of the extracted kernel; null where the payload was not decompressed. */
export function extractedElf({ payload }: KernelBoot): Elf | null {
  return payload?.kind === 'read' ? payload.elf : null
}

/**
 * Goes through the payload. `giveUp` ends the run in the way of whoever runs the decompressor, with what the
 * decompressor prints.
 */
export function goThroughPayload(boot: KernelBoot, giveUp: (why: string, error: string) => never): void {
  const { machine, payload, file } = boot
  if (payload === null) return
  machine.step('ZO-25', 'the decompressor goes through the payload', () => {
    if (payload.kind === 'not-read') {
      machine.doubt('ZO-25', `the payload was not decompressed: ${payload.why}`)
      return
    }
    const { format, consumed, produced, failure } = payload
    machine.observe({ payload: { format, consumed, produced } })
    if (failure?.error != null)
      giveUp(`the payload is corrupt at ${hex(failure.at)}: ${failure.why}`, failure.error)
    if (failure !== null)
      machine.doubt('ZO-25', `${failure.why}; the kernel does not look at that and starts what came out`)
    else if (produced !== file.outputLength)
      machine.doubt(
        'ZO-25',
        `${hex(produced)} bytes come out, but the payload says ${hex(file.outputLength)}: where its relocations are looked for is not modelled`,
      )
  })
}

/**
 * parse_elf: the end of what it moves, from the output's first byte. `hasConsole`: can it still say what is
 * wrong?
 */
export function parseExtracted(boot: KernelBoot, hasConsole: boolean): number {
  const { machine, payload, file } = boot
  if (payload?.kind !== 'read') {
    machine.assume(
      'ZO-12',
      'the segments of the decompressed kernel lie inside its decompressed length and begin at its first byte',
    )
    return file.outputLength
  }
  return machine.step('ZO-26', 'parse_elf looks at what came out', () => {
    const halt = (why: string, error: string): never =>
      machine.refuse(
        'ZO-26',
        'EFI_LOAD_ERROR',
        why,
        hasConsole ? printed('decompressor/halted', { why: error }) : null,
      )
    const { elf } = payload
    if (elf === null)
      return halt('what came out is no ELF file with its headers', TEXTS['decompressor/no-elf'])
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
      machine.doubt(
        'ZO-26',
        'the segments do not begin at LOAD_PHYSICAL_ADDR or end far behind the decompressed length: where they go is not modelled',
      )
      return file.outputLength
    }
    return end
  })
}

/** From the output's first byte to the first instruction that runs. */
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
    machine.doubt('ZO-27', 'e_entry lies outside the extracted kernel')
    return 0
  })
}

/** Where the decompressor lies when it extracts in place. */
export interface InPlace {
  /** R: the first byte of the output. */
  readonly start: number
  /** X: `startup_32` of the moved decompressor. */
  readonly moved: number
}

/**
 * At the worst moment, the bytes between the end of the output and the lowest byte of input that is still
 * needed; negative when that has been overwritten.
 */
export function inPlaceMargin(
  { payloadOffset }: Pick<KernelFile, 'payloadOffset'>,
  { start, moved }: InPlace,
  lead: Lead,
): number {
  return moved + payloadOffset - start - lead.bytes
}

/**
 * What linux keeps free for this, in bytes, from 5.9 on. Source: linux@5.10.223 arch/x86/boot/header.S
 * ZO_z_extra_bytes.
 */
export function extraBytes(outputLength: number): number {
  return Math.floor(outputLength / 256) + 131072
}

/**
 * In-place extraction: the output must not reach what is still to be read. `reading` is the event of reading
 * the payload.
 */
export function keepMargin(
  { machine, file }: KernelBoot,
  { lead, format, consumed, produced }: Extracted,
  inPlace: InPlace,
  output: Output,
  reading: EventId,
): void {
  if (output.at !== inPlace.start) return
  machine.step('ZO-28', 'the output grows towards the input that is still to be read', () => {
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
    if (!kept) machine.lost(reading, `the decompressor overwrote ${hex(-margin)} bytes of its own input`)
  })
}
