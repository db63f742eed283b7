/** What the headers say of the stub itself, against the build that it calls itself (chapter ST). */
import { hex } from '../../bytes/range.ts'
import { knownStub, stubIdentity } from '../../image/missing-bytes.ts'
import { DIRECTORY_BASERELOC, type PeFile } from '../../image/pe.ts'
import type { StubFacts } from '../../image/stub-facts.ts'
import { viewUki, type UkiView } from '../../image/uki.ts'
import type { StubContext } from '../model.ts'

/** Functions of a stub begin at multiples of this. */
const FUNCTION_ALIGNMENT = 16

/** An entry of a relocation block that changes nothing. */
const ABSOLUTE = 0

/** Doubts an entry point, a place or a length that the stub's build does not have. */
export function compareWithBuild({ machine, self }: StubContext): void {
  const view = viewUki(self.pe)
  const facts = knownStub(view)
  machine.step('ST-98', 'the headers of the stub, and those of its build', () => {
    const differs = facts === null ? [...crookedEntry(view)] : [...deviations(view, facts)]
    if (differs.length > 0) machine.unmodelled('ST-98', differs.join('; '))
  })
  machine.step('ST-99', 'raw data of sections, and of others', () => {
    const shared = sharedRawData(view)
    if (shared !== null) machine.unmodelled('ST-99', shared)
  })
}

function* crookedEntry(view: UkiView): Generator<string> {
  const { AddressOfEntryPoint } = view.pe.optional
  const its = AddressOfEntryPoint % FUNCTION_ALIGNMENT
  if (its !== 0 && stubIdentity(view)?.product === 'systemd-stub')
    yield (
      `the entry point ${hex(AddressOfEntryPoint)} is not a multiple of ${String(FUNCTION_ALIGNMENT)}: ` +
      'no function of a stub is known to begin there'
    )
}

function* deviations({ pe, sections }: UkiView, facts: StubFacts): Generator<string> {
  const [entry, own] = [pe.optional.AddressOfEntryPoint, facts.optional.AddressOfEntryPoint]
  const build = `the build ${facts.identification.slice('#### LoaderInfo: '.length, -' ####'.length)}`
  if (entry !== own) yield `the entry point is ${hex(entry)}, ${build} has ${hex(own)}`
  for (const [name, VirtualAddress, VirtualSize] of facts.sections) {
    const found = sections.find(({ object }) => object === `stub:${name}`)?.section
    const differs =
      found !== undefined && (found.VirtualAddress !== VirtualAddress || found.VirtualSize !== VirtualSize)
    if (differs)
      yield (
        `${name} of the stub has ${hex(found.VirtualSize)} bytes at ${hex(found.VirtualAddress)}, ` +
        `${build} ${hex(VirtualSize)} at ${hex(VirtualAddress)}`
      )
  }
  if (facts.relocations.entries.some(entry => entry !== ABSOLUTE)) yield* wrongPointers(pe, facts, build)
}

/** What makes a loader give the stub's pointers other values, or leave them as they are in the file. */
function* wrongPointers(
  { optional, dataDirectories }: PeFile,
  facts: StubFacts,
  build: string,
): Generator<string> {
  const linkedFor = BigInt(facts.optional.ImageBase)
  if (optional.ImageBase !== linkedFor)
    yield (
      `ImageBase is ${hex(optional.ImageBase)}, and the pointers in ${build} are linked for ` +
      `${hex(linkedFor)}: relocation makes them wrong`
    )
  const fixups = facts.sections.find(([name]) => name === '.reloc')
  const { VirtualAddress: at = 0, Size: size = 0 } = dataDirectories[DIRECTORY_BASERELOC] ?? {}
  if (fixups !== undefined && (at !== fixups[1] || size !== fixups[2]))
    yield (
      `the relocation directory has ${hex(size)} bytes at ${hex(at)}, ${build} ${hex(fixups[2])} at ` +
      `${hex(fixups[1])}: pointers are left as they are in the file, or changed by something else`
    )
}

/** Bytes of the file that two sections claim, or a section and the headers; null when there are none. */
function sharedRawData({ pe, sections }: UkiView): string | null {
  const raw = sections
    .filter(({ section }) => section.SizeOfRawData > 0)
    .map(({ section: { name, PointerToRawData: at, SizeOfRawData } }) => ({
      name,
      at,
      end: at + SizeOfRawData,
    }))
    .sort((a, b) => a.at - b.at)
  let before = { name: 'the headers', at: 0, end: pe.sectionTable + 40 * pe.coff.NumberOfSections }
  for (const next of raw) {
    if (next.at < before.end)
      return (
        `the raw data of ${next.name} begin at ${hex(next.at)} of the file, inside those of ` +
        `${before.name}: whose bytes they are is not known`
      )
    before = next
  }
  return null
}
