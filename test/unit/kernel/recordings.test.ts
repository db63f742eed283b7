import { describe, expect, test } from 'vitest'
import { endingOf, parseMap, readRecordings, type Recording } from '../../oracle/recording.ts'
import { EfiLoaderData, EfiRuntimeServicesData } from '../../../src/image/memory-types.ts'
import { alignUp } from '../../../src/bytes/units.ts'
import type { Notes } from '../../../src/machine/machine.ts'
import type { Facts } from '../../../src/machine/model.ts'
import { bench, descriptor, handover, kernelNamed, peEntry, start } from '../../support/kernel-bench.ts'

const KERNELS: Readonly<Record<string, readonly [era: string, facts: string]>> = {
  '5.10': ['linux/E2', 'debian-5.10.223-cloud'],
  '5.10-full': ['linux/E2', 'debian-5.10.223'],
  '6.1': ['linux/E4', 'debian-6.1.170-cloud'],
  '6.1-full': ['linux/E4', 'debian-6.1.170'],
  '6.12': ['linux/E5', 'debian-6.12.107-cloud'],
  '6.12-full': ['linux/E5', 'debian-6.12.107'],
}
/** Pool memory, where no recorded machine has RAM: the pool's pages are not the point here. */
const ARENA = 0xa0000000

const usable = readRecordings().filter(
  ({ kernel, trace }) =>
    kernel in KERNELS &&
    trace.kernel_entry !== undefined &&
    typeof trace.efi_map_at_kernel_entry === 'string',
)

/** Runs the kernel from the recorded map and the recorded hand-off. */
function replay(recording: Recording): { outcome: ReturnType<typeof start>; facts: Facts; notes: Notes } {
  const { trace, layout } = recording
  const [era = '', name = ''] = KERNELS[recording.kernel] ?? []
  const kernel = kernelNamed(name)
  const map = [...parseMap(trace.efi_map_at_kernel_entry ?? ''), descriptor(EfiLoaderData, ARENA, 0x10000)]
  // edk2 takes ordinary pages from below its bins, of which runtime data is the lowest in these maps
  const ceiling = Math.min(
    ...map.filter(entry => entry.type === EfiRuntimeServicesData).map(entry => entry.range.start),
  )
  const stage = bench({ map, arena: ARENA, kaslr: 'command-line', ceiling })
  const image = Number(trace.kernel_entry?.image_at)
  const section = layout.find(([sectionName]) => sectionName === '.initrd')
  const final = trace.boot_params_final ?? trace.boot_params_from_stub
  const commandLine = final?.cmdline ?? null
  const size = Number(final?.ramdisk_size ?? section?.[2] ?? 0)
  if (trace.kernel_entry?.kind === 'handover64') {
    const given = trace.boot_params_from_stub
    const initrd = Number(given?.ramdisk_size ?? 0) === 0 ? null : { at: Number(given?.ramdisk_image), size }
    const from = handover(stage, {
      kernel,
      image,
      initrd,
      commandLine,
      bootParams: Number(given?.at),
      ...(given === undefined || Number(given.cmd_line_ptr) === 0
        ? {}
        : { commandLineAt: Number(given.cmd_line_ptr) }),
    })
    return { outcome: start(stage, era, from), facts: stage.notes.facts, notes: stage.notes }
  }
  const source = Number(trace.image_base) + Number(section?.[1] ?? 0)
  const from = peEntry(stage, {
    kernel,
    image,
    commandLine: commandLine ?? 'quiet',
    textOnly: true,
    initrd: size === 0 ? null : { at: source, size },
  })
  return { outcome: start(stage, era, from), facts: stage.notes.facts, notes: stage.notes }
}

/** Is the place of the kernel a matter of chance? */
function random({ trace }: Recording): boolean {
  const final = trace.boot_params_final
  return (
    final !== undefined && Number(final.cmd_line_ptr) !== 0 && final.cmdline?.includes('nokaslr') !== true
  )
}

/** A byte of the payload that was flipped in the file: whether a decompressor notices is not modelled. */
const FLIPPED = 'i8-linux-one-payload-byte-flipped/257.13/6.12'

describe('a kernel that starts from a recorded hand-off ends where the real one did', () => {
  test('there are recordings to judge by', () => {
    expect(usable.length).toBeGreaterThan(70)
  })

  test.each(usable.map(recording => [recording.id, recording] as const))('%s', (id, recording) => {
    const { trace } = recording
    const { facts, outcome, notes } = replay(recording)
    if (id !== FLIPPED) expect(outcome).toMatchObject({ kind: endingOf(recording) })
    expect(notes.doubts).toEqual([])
    const final = trace.boot_params_final
    expect(facts.compressedImage).toBe(addressOf(trace.compressed_image_at))
    if (!random(recording) && id !== FLIPPED && outcome.kind === 'arrived')
      expect(facts.decompressedKernel).toBe(
        addressOf(trace.decompressed_at ?? recording.serial.kernel_code?.[0]),
      )
    if (final === undefined) return
    expect(facts.bootParams).toBe(addressOf(final.at))
    expect(facts.ramdiskImage ?? 0).toBe(addressOf(final.ramdisk_image))
    expect(facts.ramdiskSize ?? 0).toBe(Number(final.ramdisk_size))
    if (trace.kernel_entry?.kind !== 'handover64') return
    const seen = trace.initrd_at_decompressed_entry?.differing ?? []
    const damage = facts.initrdDamage ?? []
    for (const [from, to] of seen)
      expect(damage.some(span => span.from <= Number(from) && Number(to) <= alignUp(span.to, 512))).toBe(true)
    if (trace.initrd_at_decompressed_entry !== undefined) expect(damage.length > 0).toBe(seen.length > 0)
  })
})

function addressOf(text: string | null | undefined): number | undefined {
  return text === undefined || text === null ? undefined : Number(text)
}
