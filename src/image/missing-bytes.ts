/**
 * Bytes that a section needs and the file does not have: a loader puts zeros there, and these zeros are not
 * the section's (chapter PE).
 */
import { madeOf } from '../bytes/fixed-source.ts'
import type { ByteSource } from '../bytes/source.ts'
import { PAGE } from '../bytes/units.ts'
import { parsePe } from './pe.ts'
import { readStubIdentity, type StubIdentity } from './sdmagic.ts'
import { STUB_FACTS, type StubFacts } from './stub-facts.ts'
import { viewUki, type UkiSection, type UkiView } from './uki.ts'

/** A half-open span of offsets in a section. */
export interface MissingSpan {
  readonly from: number
  readonly to: number
}

/** IMAGE_SCN_CNT_UNINITIALIZED_DATA */
const UNINITIALISED = 0x80
/** IMAGE_SCN_MEM_WRITE */
const WRITABLE = 0x80000000

function identityIn(source: ByteSource): StubIdentity | null {
  const { pe } = parsePe(source)
  return pe === null ? null : readStubIdentity(viewUki(pe)).identity
}

/** How the stub in the image calls itself; of a file that stays as it is, looked for once. */
export function stubIdentity({ pe: { source } }: UkiView): StubIdentity | null {
  return madeOf(source, identityIn)
}

/** The stub whose identification stands in the file, when its headers were measured. */
export function knownStub(view: UkiView): StubFacts | null {
  const text = stubIdentity(view)?.text
  return Object.values(STUB_FACTS).find(({ identification }) => identification === text) ?? null
}

/**
 * What is missing, by object. `statedLength` says how long a kernel is by its own header; null when it is
 * none.
 */
export function missingBytes(
  view: UkiView,
  statedLength: (kernel: UkiSection['content']) => number | null,
): ReadonlyMap<string, MissingSpan> {
  const missing = new Map<string, MissingSpan>()
  if (view.sections.every(({ section }) => section.VirtualSize <= section.SizeOfRawData)) return missing
  const { FileAlignment, SectionAlignment } = view.pe.optional
  const facts = knownStub(view)
  for (const one of view.sections) {
    const { VirtualSize: end, SizeOfRawData: from } = one.section
    if (end <= from) continue
    const wholeSteps = from > 0 && (FileAlignment === 0 || from % FileAlignment === 0)
    const slack = Math.max(PAGE, SectionAlignment)
    const to = one.payload
      ? (payloadEnd(one, statedLength) ?? (wholeSteps && end <= Math.ceil(from / slack) * slack ? from : end))
      : ownEnd(one, wholeSteps, facts)
    if (to > from) missing.set(one.object, { from, to: Math.min(to, end) })
  }
  return missing
}

/** A kernel ends where its header says; what follows is room to run. Null for anything else. */
function payloadEnd(
  { object, content }: UkiSection,
  statedLength: (kernel: UkiSection['content']) => number | null,
): number | null {
  return object.startsWith('kernel') ? statedLength(content) : null
}

/**
 * Only data that the stub writes may end in zeros that the file leaves out, and data that begin in the file;
 * those of a measured stub begin with as many bytes as it has.
 */
function ownEnd({ section, object }: UkiSection, wholeSteps: boolean, facts: StubFacts | null): number {
  const { Characteristics, VirtualSize, name } = section
  if ((Characteristics & UNINITIALISED) !== 0) return 0
  if (Characteristics < WRITABLE || !wholeSteps) return VirtualSize
  const known = facts?.sections.find(([its]) => its === name && object === `stub:${name}`)
  return known === undefined ? 0 : Math.min(known[2], known[4])
}
