/** Slot configuration: reads the stub's own sections (chapter LZ). */
import { decodeText } from '../../../bytes/text.ts'
import { TEXTS } from '../../../messages/texts.ts'
import { hex, rangeAt } from '../../../bytes/range.ts'
import { add, fileOffset } from '../../../bytes/units.ts'
import { THIN_NAMES, type UkiSection, viewUki } from '../../../image/uki.ts'
import type { ClauseId } from '../../../machine/machine.ts'
import type { LanzabooteBehaviour } from '../behaviour.ts'
import type { Configuration, LanzabooteContext, Wanted } from '../model.ts'
import { poolOrPanic } from './pool.ts'

type Names = (typeof THIN_NAMES)[keyof typeof THIN_NAMES]

/** Longest text that is read, in bytes. */
const TEXT_MAX = 2 ** 20
/** SHA-256, in bytes. */
const HASH = 32

/** The bytes of a section as the era gets them; null where they are not modelled. */
type ReadSection = (ctx: LanzabooteContext, section: UkiSection) => Uint8Array | null

/** How sections are read, and the panic message for one that is missing or malformed. */
interface Reading {
  readonly read: ReadSection
  readonly panic: string
}

/** From the file on disk, VirtualSize bytes at its raw data. */
const fromFile: ReadSection = (ctx, { section, content }) =>
  ctx.machine.step('LZ-1', `reads ${section.name} in the file of the image`, () => {
    ctx.machine.assume(
      'LZ-1',
      'the image was started from a file system that the stub can read, and the file there ' +
        'is the one that was loaded',
    )
    refuseLonger(ctx, section, 'LZ-3')
    return content.read(fileOffset(0), Math.min(section.VirtualSize, TEXT_MAX))
  })

/** From memory, VirtualSize bytes. */
const fromImage: ReadSection = (ctx, seen) =>
  ctx.machine.step('LZ-2', `reads ${seen.section.name} in memory`, () => {
    refuseLonger(ctx, seen.section, 'LZ-3')
    return inMemory(ctx, seen, seen.section.VirtualSize)
  })

/** From memory: the bytes present in the file, and zeros up to VirtualSize. */
const fromImageExtended: ReadSection = (ctx, seen) =>
  ctx.machine.step('LZ-4', `reads ${seen.section.name} in memory`, () => {
    const { VirtualSize, SizeOfRawData } = seen.section
    const bytes = inMemory(ctx, seen, Math.min(VirtualSize, SizeOfRawData))
    if (bytes === null) return null
    const all = new Uint8Array(Math.min(VirtualSize, TEXT_MAX))
    all.set(bytes)
    return all
  })

/** An assertion of the stub. */
function refuseLonger(
  { machine }: LanzabooteContext,
  { name, VirtualSize, SizeOfRawData }: UkiSection['section'],
  clause: ClauseId,
): void {
  if (VirtualSize > SizeOfRawData)
    machine.refuse(
      clause,
      'EFI_ABORTED',
      `VirtualSize ${hex(VirtualSize)} of ${name} is more than its SizeOfRawData ` +
        `${hex(SizeOfRawData)}: the stub panics`,
      TEXTS['lanzaboote/assertion'],
    )
}

function inMemory(
  { machine, self }: LanzabooteContext,
  { section, object }: UkiSection,
  length: number,
): Uint8Array | null {
  if (section.VirtualAddress + length > self.size)
    machine.refuse(
      'LZ-2',
      'EFI_ABORTED',
      `${section.name} ends at ${hex(section.VirtualAddress + length)}, past the end of ` +
        `the image of ${hex(self.size)} bytes: the stub panics`,
      TEXTS['lanzaboote/slice'],
    )
  if (length === 0) return new Uint8Array(0)
  const where = rangeAt(add(self.base, section.VirtualAddress), length)
  machine.memory.readAs(where, object)
  const { bytes, known } = machine.memory.peek(rangeAt(where.start, Math.min(length, TEXT_MAX)))
  return known ? bytes : null
}

/** The first section of that name. */
function sectionNamed(ctx: LanzabooteContext, name: string, panic: string): UkiSection {
  const found = viewUki(ctx.self.pe).sections.find(({ section }) => section.name === name)
  return (
    found ??
    ctx.machine.refuse(
      'LZ-5',
      'EFI_INVALID_PARAMETER',
      `the image has no section ${name}: the stub panics`,
      panic,
    )
  )
}

/** A section as UTF-8 text that UCS-2 can represent, and the buffer that holds it from then on. */
function text(ctx: LanzabooteContext, name: string, { read, panic }: Reading): string {
  const bytes = read(ctx, sectionNamed(ctx, name, panic))
  if (bytes === null)
    return ctx.machine.gap(
      'LZ-5',
      `the text of ${name} is unknown: the section contains bytes that are not modelled`,
    )
  const said = decodeText(bytes)
  if (/[\0\uFFFD\u{10000}-\u{10FFFF}]/u.test(said))
    return ctx.machine.refuse(
      'LZ-5',
      'EFI_INVALID_PARAMETER',
      `${name} is not UTF-8 text without NUL that UCS-2 can represent: the stub panics`,
      panic,
    )
  poolOrPanic(ctx, 'LZ-5', 2 * (said.length + 1), `stub:config${name}`)
  return said
}

function hash(ctx: LanzabooteContext, name: string, { read, panic }: Reading): Uint8Array {
  const section = sectionNamed(ctx, name, panic)
  const bytes = read(ctx, section)
  if (section.section.VirtualSize !== HASH)
    return ctx.machine.refuse(
      'LZ-5',
      'EFI_INVALID_PARAMETER',
      `${name} has ${String(section.section.VirtualSize)} bytes, a hash has ${String(HASH)}: the stub panics`,
      panic,
    )
  return (
    bytes ??
    ctx.machine.gap(
      'LZ-5',
      `the text of ${name} is unknown: the section contains bytes that are not modelled`,
    )
  )
}

/** What a release reads in its own sections. */
export function readConfiguration({
  names,
  source,
  longer,
  panic,
}: LanzabooteBehaviour['configuration']): (ctx: LanzabooteContext) => Configuration {
  const inMemory = longer === 'filled' ? fromImageExtended : fromImage
  const reading = { read: source === 'file' ? fromFile : inMemory, panic }
  if (names === 'embedded') return ctx => embedded(ctx, reading)
  return ctx => paths(ctx, THIN_NAMES[names], reading)
}

/** Paths and hashes of kernel and initrd, and the command line. */
function paths(ctx: LanzabooteContext, names: Names, reading: Reading): Configuration {
  return ctx.machine.step('LZ-5', 'reads which files to start', () => {
    const file = (path: string, itsHash: string): Wanted => ({
      from: 'esp',
      path: text(ctx, path, reading),
      hash: hash(ctx, itsHash, reading),
    })
    return {
      kernel: file(names.kernel, names.kernelHash),
      initrd: file(names.initrd, names.initrdHash),
      commandLine: text(ctx, '.cmdline', reading),
    }
  })
}

/** Kernel and initrd in the image itself. */
function embedded(ctx: LanzabooteContext, reading: Reading): Configuration {
  return ctx.machine.step('LZ-7', 'finds kernel and initrd in its image', () => {
    const part = (name: string): Wanted => {
      const { section, object, content } = sectionNamed(ctx, name, reading.panic)
      refuseLonger(ctx, section, 'LZ-3')
      return {
        from: 'image',
        at: add(ctx.self.base, section.VirtualAddress),
        size: section.VirtualSize,
        object,
        source: content,
      }
    }
    return { kernel: part('.linux'), initrd: part('.initrd'), commandLine: text(ctx, '.cmdline', reading) }
  })
}
