/** The extracted kernel starts and reads its inputs through the addresses in boot_params. Chapter ZO. */
import { decodeText } from '../../../bytes/text.ts'
import { range, rangeAt, sizeOf, union } from '../../../bytes/range.ts'
import { ModelBug } from '../../../bytes/errors.ts'
import { add } from '../../../bytes/units.ts'
import type { Arrival, OffsetSpan } from '../../../machine/model.ts'
import type { Reading } from '../../../memory/memory.ts'
import { guestRange, ZERO_PAGE, type KernelBoot, type Step } from '../boot.ts'
import { COMMAND_LINE_SIZE, commandLinePointer, LACKS } from './command-line.ts'
import { VO } from './extract.ts'
import { ramdisk } from './initrd.ts'
import { MAP } from './map-buffer.ts'
import { entryOffset } from './payload.ts'
import { ignoresInitrd } from './reserve-initrd.ts'
import { readSetupData } from './setup-data.ts'
import { sanitizeBootParams } from './zero-page.ts'

/**
 * Reads everything that VO needs. The run arrives even if these are damaged, unless VO itself was
 * overwritten.
 */
export function arrive(boot: KernelBoot, reserveInitrd: Step): Arrival {
  const { machine, output, file } = boot
  if (output === null) throw new ModelBug('a kernel arrives without having been extracted')
  const entry = machine.step('ZO-13', 'the extracted kernel is entered', () => {
    const offset = entryOffset(boot)
    machine.enter(rangeAt(output.at, file.outputLength), VO, 0, 'the extracted kernel was overwritten')
    if (output.slots === null) machine.observe({ decompressedKernel: output.at })
    return add(output.at, offset)
  })
  machine.step('ZO-14', 'the extracted kernel reads and sanitises boot_params', () => {
    machine.memory.readAs(rangeAt(boot.bootParams, ZERO_PAGE), 'boot_params')
    machine.observe({ bootParams: boot.bootParams })
    sanitizeBootParams(boot)
  })
  readCommandLine(boot)
  reserveInitrd(boot)
  if (!ignoresInitrd(boot)) readInitrd(boot)
  readSetupData(boot)
  readEfiMap(boot)
  const arrival = { entry, kernel: output.at, bootParams: boot.bootParams }
  return output.slots === null ? arrival : { ...arrival, slots: output.slots }
}

function readCommandLine(boot: KernelBoot): void {
  const { machine, commandLine } = boot
  machine.step('ZO-15', 'the extracted kernel reads its command line', () => {
    const at = commandLinePointer(boot)
    if (commandLine === null || at === 0) return
    const where = guestRange(at, commandLine.length)
    if (where !== null) machine.memory.readAs(where, commandLine.object)
    const { bytes, known } =
      where === null ? { bytes: new Uint8Array(0), known: true } : machine.memory.peek(where)
    const nul = bytes.indexOf(0)
    if (boot.from.via !== 'pe-entry' && hasNoEnd(boot, at))
      machine.unmodelled(
        'ZO-15',
        `the kernel reads ${String(COMMAND_LINE_SIZE - 1)} bytes of its command line, which has more${LACKS}`,
      )
    machine.observe({ cmdLinePtr: commandLine.at })
    if (known)
      machine.observe({
        commandLine: decodeText(nul < 0 ? bytes : bytes.subarray(0, nul)),
      })
  })
}

/** Is there no NUL among the bytes that the kernel copies? */
function hasNoEnd({ machine }: KernelBoot, at: number): boolean {
  const where = guestRange(at, COMMAND_LINE_SIZE)
  return where !== null && !machine.memory.readRaw(where).includes(0)
}

function readEfiMap({ machine, efiMap }: KernelBoot): void {
  if (efiMap === null) return
  machine.step('ZO-54', "the extracted kernel reads the EFI stub's copy of the memory map", () => {
    machine.memory.readAs(efiMap.range, MAP, { at: efiMap.at })
  })
}

function readInitrd(boot: KernelBoot): void {
  const { machine, initrdObject: object } = boot
  machine.step('ZO-16', 'the extracted kernel reads its initrd', () => {
    const { at, size } = ramdisk(boot)
    const where = guestRange(at, size)
    if (where !== null) machine.observe({ ramdiskImage: where.start, ramdiskSize: size })
    if (object === null) return
    if (where === null) {
      machine.unmodelled('ZO-16', 'the image has an initrd, but the address in boot_params is impossible')
      return
    }
    const reading = machine.memory.readAs(where, object, { all: true })
    machine.observe({ initrdDamage: spansOf(reading, size, machine.memory.lengthOf(object) ?? size) })
  })
}

/** Deviating offsets, joined, including bytes missing at the end. */
function spansOf(reading: Reading, size: number, length: number): OffsetSpan[] {
  const spans = reading.deviations.map(deviation =>
    range(deviation.at, deviation.at + sizeOf(deviation.range)),
  )
  if (length > size) spans.push(range(size, length))
  return union(spans).map(({ start, end }) => ({ from: start, to: end }))
}
