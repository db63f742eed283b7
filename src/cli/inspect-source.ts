/** Reads a file, or its pasted section table, for `inspect`. */
import { imageOfListing } from '../boot/listing.ts'
import { UsageError } from '../bytes/errors.ts'
import { hex } from '../bytes/range.ts'
import type { ByteSource } from '../bytes/source.ts'
import { parseBzImage, type BzImage } from '../image/x86/bzimage.ts'
import { recogniseLayout, type LayoutFound } from '../image/layouts/recognise.ts'
import { readListing } from '../image/objdump.ts'
import { parsePe, type PeFile } from '../image/pe.ts'
import type { Problem } from '../image/problem.ts'
import { readStubVersion, type StubVersion } from '../image/sdmagic.ts'
import { viewUki, type UkiView } from '../image/uki.ts'
import type { Finding } from '../hazard/hazard.ts'
import { profilesOf, sectionContents, type Profile, type SectionContent } from './inspect-contents.ts'
import { mayNeedRoom } from '../boot/room-in-place.ts'
import { advise, withoutInPlace } from '../hazard/registry.ts'

/**
 * Advice about the file; advice for kernels entered in place is omitted if its stub enters none so (HZ-11).
 */
function adviceOn(pe: PeFile, uki: UkiView): readonly Finding[] {
  const advice = advise({ pe, uki })
  const rest = withoutInPlace(advice)
  return rest.length === advice.length || mayNeedRoom(uki) ? advice : rest
}

/** A kernel in the file, and its object name in memory. */
export interface KernelInside {
  readonly object: string
  readonly bzimage: BzImage | null
  readonly problems: readonly Problem[]
}

/** Everything known about a file without running it. */
export interface Inspection {
  readonly name: string
  readonly size: number
  readonly pe: PeFile | null
  readonly uki: UkiView | null
  readonly stub: StubVersion | null
  /** The tools that may have built it; null if it is not a unified kernel image. */
  readonly layout: LayoutFound | null
  readonly kernels: readonly KernelInside[]
  /** Sections with text. */
  readonly contents: readonly SectionContent[]
  readonly profiles: readonly Profile[]
  readonly problems: readonly Problem[]
  readonly advice: readonly Finding[]
  /** Assumptions, if the file is a section listing and not an image. */
  readonly assumptions: readonly string[]
}

/** Maximum of kernels shown; a table can name 65535. */
const KERNELS_MAX = 16

/** Reads headers only. Throws UsageError when the file is neither a PE file nor a kernel. */
export function inspectSource(name: string, source: ByteSource): Inspection {
  const { pe, problems } = parsePe(source)
  const uki = pe === null ? null : viewUki(pe)
  const linux = (uki?.sections ?? []).filter(({ section }) => section.name === '.linux')
  const inside = linux
    .slice(0, KERNELS_MAX)
    .map(({ object, content }) => ({ object, ...parseBzImage(content) }))
  const itself = inside.length > 0 ? null : parseBzImage(source)
  if (pe === null && (itself?.bzimage ?? null) === null) {
    const fatal = problems.at(-1)
    const where = fatal?.at == null ? '' : `at ${hex(fatal.at)}: `
    throw new UsageError(`${name}: ${where}${fatal?.what ?? 'neither a PE file nor a kernel'}`)
  }
  const kernels = itself?.bzimage == null ? inside : [{ object: 'kernel', ...itself }]
  const stub = uki === null ? null : readStubVersion(uki)
  const advice = pe === null || uki === null ? [] : adviceOn(pe, uki)
  const hidden = linux.length - inside.length
  const unseen: Problem[] =
    hidden > 0
      ? [
          {
            id: 'kernels-not-shown',
            at: null,
            what: `${String(hidden)} more .linux sections are not shown as kernels`,
            fatal: false,
          },
        ]
      : []
  const layout = pe === null || uki === null ? null : recogniseLayout(pe, uki)
  return {
    name,
    size: source.size,
    pe,
    uki,
    stub,
    layout,
    kernels,
    contents: uki === null ? [] : sectionContents(uki),
    profiles: uki === null ? [] : profilesOf(uki),
    problems: pe === null ? [] : [...problems, ...unseen],
    advice,
    assumptions: [],
  }
}

/** Facts about a file from its pasted section listing. Throws UsageError if it contains no table. */
export function inspectListing(name: string, bytes: Uint8Array): Inspection {
  const { listing, problems } = readListing(bytes)
  if (listing === null) throw new UsageError(`${name}: ${problems.at(-1)?.what ?? 'no section listing'}`)
  const { source, assumptions } = imageOfListing(listing, problems)
  const found = inspectSource(
    `${name} (section listing${listing.fileName === null ? '' : ` of ${listing.fileName}`})`,
    source,
  )
  return {
    ...found,
    stub: null,
    kernels: found.kernels.filter(({ bzimage }) => bzimage !== null),
    // The bytes of a listing are invented
    contents: [],
    profiles: [],
    problems: [...found.problems, ...problems],
    assumptions: assumptions.map(({ what }) => what),
  }
}
