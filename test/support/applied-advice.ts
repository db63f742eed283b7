/** Does what an advice says to the headers of a file, as a person who reads it would. */
import { expect } from 'vitest'
import { sparseSource, type ByteSource } from '../../src/bytes/source.ts'
import { alignUp, fileOffset, PAGE } from '../../src/bytes/units.ts'
import { parsePe, type PeFile } from '../../src/image/pe.ts'
import { le32 } from './bytes.ts'

/** Length of a section header, and where its fields are. */
const HEADER = 40
const FIELDS = { VirtualSize: 8, VirtualAddress: 12, SizeOfRawData: 16 } as const
/** Offsets in the optional header. */
const SECTION_ALIGNMENT_AT = 32
const SIZE_OF_IMAGE_AT = 56

export const peOf = (source: ByteSource): PeFile => parsePe(source).pe ?? expect.fail('no PE file')

/** A file whose headers are edited piece by piece. */
class Edited {
  readonly #table: Uint8Array
  readonly #optional: Uint8Array
  readonly #optionalAt: number

  readonly source: ByteSource
  readonly pe: PeFile

  constructor(source: ByteSource, pe: PeFile) {
    this.source = source
    this.pe = pe
    this.#optionalAt = pe.e_lfanew + 24
    this.#table = source.read(pe.sectionTable, HEADER * pe.sections.length).slice()
    this.#optional = source.read(fileOffset(this.#optionalAt), pe.coff.SizeOfOptionalHeader).slice()
  }

  set(index: number, field: keyof typeof FIELDS, value: number): void {
    this.#table.set(le32(value), HEADER * index + FIELDS[field])
  }

  get(index: number, field: keyof typeof FIELDS): number {
    return new DataView(this.#table.buffer).getUint32(HEADER * index + FIELDS[field], true)
  }

  setSizeOfImage(size: number): void {
    this.#optional.set(le32(size), SIZE_OF_IMAGE_AT)
  }

  setSectionAlignment(step: number): void {
    this.#optional.set(le32(step), SECTION_ALIGNMENT_AT)
  }

  /** A section that no stub looks for. */
  remove(index: number): void {
    this.#table.set(new TextEncoder().encode('.gone\0\0\0'), HEADER * index)
  }

  sort(): void {
    const order = this.pe.sections
      .map((_, i) => i)
      .sort((a, b) => this.get(a, 'VirtualAddress') - this.get(b, 'VirtualAddress'))
    this.#table.set(
      Uint8Array.from(order.flatMap(i => [...this.#table.subarray(HEADER * i, HEADER * (i + 1))])),
    )
  }

  /** What a tool that builds the file anew makes SizeOfImage. */
  highestEnd(): number {
    const ends = this.pe.sections.map((_, i) => this.get(i, 'VirtualAddress') + this.get(i, 'VirtualSize'))
    return alignUp<number>(Math.max(...ends), PAGE)
  }

  done(): ByteSource {
    return sparseSource(this.source.size, [
      { at: 0, source: this.source },
      { at: this.#optionalAt, source: bytes(this.#optional) },
      { at: this.pe.sectionTable, source: bytes(this.#table) },
    ])
  }
}

const bytes = (of: Uint8Array): ByteSource => ({
  size: of.length as never,
  read: (at, length) => of.slice(at, at + length),
})

/** The index of `.osrel`, or of `.osrel (number 2)`. */
function indexOf({ sections }: PeFile, name: string, number = '1'): number {
  const all = sections.flatMap((section, i) => (section.name === name ? [i] : []))
  return all[Number(number) - 1] ?? expect.fail(`no ${name} (number ${number})`)
}

/** The file with the edits that this text proposes; null if it proposes none. */
export function applied(source: ByteSource, fix: string): ByteSource | null {
  const pe = peOf(source)
  const file = new Edited(source, pe)
  let edits = 0
  const each = (pattern: RegExp, edit: (...groups: (string | undefined)[]) => void): void => {
    for (const [, ...groups] of fix.matchAll(pattern)) {
      edits++
      edit(...groups)
    }
  }
  each(/(\.\w+)(?: \(number (\d+)\))? to RVA (0x[0-9a-f]+)/g, (name = '', number, at) => {
    file.set(indexOf(pe, name, number), 'VirtualAddress', Number(at))
  })
  each(/SizeOfImage (?:is then|to) (0x[0-9a-f]+) or more/g, size => {
    file.setSizeOfImage(Number(size))
  })
  each(/VirtualSize of (\.\w+) to the length of its content, (0x[0-9a-f]+) or less/g, (name = '', size) => {
    file.set(indexOf(pe, name), 'VirtualSize', Number(size))
  })
  each(
    /if all of (\.\w+) is content.*?if not, set its SizeOfRawData to (0x[0-9a-f]+)/g,
    (name = '', size) => {
      file.set(indexOf(pe, name), 'SizeOfRawData', Number(size))
    },
  )
  each(/keeps \.sbat within (0x[0-9a-f]+) bytes/g, size => {
    file.set(indexOf(pe, '.sbat'), 'VirtualSize', Number(size))
  })
  each(/give the file a SectionAlignment of (0x[0-9a-f]+)/g, step => {
    file.setSectionAlignment(Number(step))
  })
  each(/^remove (.*)/g, list => {
    for (const [, count, name = ''] of list?.matchAll(/(one|\d+) (\.\w+)/g) ?? [])
      for (let i = 0; i < (count === 'one' ? 1 : Number(count)); i++)
        file.remove(indexOf(pe, name, String(i + 2)))
  })
  each(/(\.\w+)=(0x[0-9a-f]+)/g, (name = '', at) => {
    file.set(indexOf(pe, name), 'VirtualAddress', Number(BigInt(at ?? 0) - pe.optional.ImageBase))
  })
  // objcopy sorts by address, and computes SizeOfImage
  if (fix.startsWith('add ImageBase')) file.setSizeOfImage(file.highestEnd())
  if (fix.startsWith('add ImageBase') || fix.includes('sort the section table')) {
    edits++
    file.sort()
  }
  each(
    /(\.\w+) must start at or beyond (\.\w+) \+ (0x[0-9a-f]+), and what follows it after that/g,
    (name = '', base = '', by) => {
      follow(file, pe, indexOf(pe, name), file.get(indexOf(pe, base), 'VirtualAddress') + Number(by))
    },
  )
  each(
    /let (\.\w+) start at or beyond (\.\w+) \+ (0x[0-9a-f]+), and what follows it after that/g,
    (name = '', base = '', by) => {
      follow(file, pe, indexOf(pe, name), file.get(indexOf(pe, base), 'VirtualAddress') + Number(by))
    },
  )
  return edits === 0 ? null : file.done()
}

/** A section there, and what follows it as far after it as it was. */
function follow(file: Edited, pe: PeFile, index: number, at: number): void {
  const from = file.get(index, 'VirtualAddress')
  if (from >= at) return
  pe.sections.forEach(({ VirtualAddress }, i) => {
    if (VirtualAddress >= from) file.set(i, 'VirtualAddress', VirtualAddress + at - from)
  })
  file.setSizeOfImage(file.highestEnd())
}
