/**
 * An objcopy recipe in place of an image: with the files that exist, and the stated sizes of those that do
 * not.
 */
import { basename, dirname, isAbsolute, join } from 'node:path'
import { imageOfListing, type ListedImage } from '../boot/listing.ts'
import { UsageError } from '../bytes/errors.ts'
import { hex } from '../bytes/range.ts'
import { sliceSource, type ByteSource } from '../bytes/source.ts'
import { alignUp } from '../bytes/units.ts'
import { parsePe, type PeFile } from '../image/pe.ts'
import { STUB_FACTS } from '../image/stub-facts.ts'
import type { ListedSection, Listing } from '../image/tables/model.ts'
import type { ObjcopyRecipe, RecipeSection } from '../image/tables/recipe.ts'
import type { Call } from './command.ts'

/** A section, and its bytes if its file exists. */
interface Part {
  readonly section: ListedSection
  readonly bytes: ByteSource | null
}

/** The stub's own headers and sections. */
interface Stub {
  readonly headers: Listing['headers']
  readonly parts: readonly Part[]
}

/** A path in the recipe is relative to the working directory, or to the recipe's folder. */
function found(call: Call, path: string, beside: string): string | null {
  const paths = isAbsolute(path) ? [path] : [path, join(dirname(beside), path)]
  return paths.find(one => call.files.has(one)) ?? null
}

const listed = (
  name: string,
  size: number,
  VirtualAddress: number,
  SizeOfRawData: number,
  Characteristics: number,
): ListedSection => ({
  name,
  size,
  SizeOfRawData,
  VirtualAddress,
  PointerToRawData: 0,
  hasContents: SizeOfRawData > 0,
  Characteristics,
})

function stubOfFile(pe: PeFile, source: ByteSource): Stub {
  const { ImageBase, SectionAlignment, FileAlignment, SizeOfImage, SizeOfHeaders, AddressOfEntryPoint } =
    pe.optional
  return {
    headers: { ImageBase, SectionAlignment, FileAlignment, SizeOfImage, SizeOfHeaders, AddressOfEntryPoint },
    parts: pe.sections.map(
      ({ name, VirtualSize, VirtualAddress, PointerToRawData, SizeOfRawData, Characteristics }) => ({
        section: listed(name, VirtualSize, VirtualAddress, SizeOfRawData, Characteristics),
        bytes:
          SizeOfRawData === 0
            ? null
            : sliceSource(source, PointerToRawData, Math.min(SizeOfRawData, VirtualSize)),
      }),
    ),
  }
}

/** The stub that the recipe names, or the recorded one that --stub names. */
function stubOf(call: Call, recipe: ObjcopyRecipe, path: string, version: unknown): Stub {
  const file = recipe.stub === null ? null : found(call, recipe.stub, path)
  if (file !== null) {
    const source = call.files.source(file)
    const { pe, problems } = parsePe(source)
    if (pe === null) throw new UsageError(`${file}: ${problems.at(-1)?.what ?? 'no PE file'}`)
    return stubOfFile(pe, source)
  }
  const facts = Object.values(STUB_FACTS).find(one => one.version === version)
  if (facts === undefined)
    throw new UsageError(
      `${path}: the stub ${recipe.stub ?? ''} is not there: run this where it is, or name ` +
        `one of ${Object.keys(STUB_FACTS).join(', ')} with --stub`,
    )
  const { ImageBase, ...optional } = facts.optional
  return {
    headers: { ...optional, ImageBase: BigInt(ImageBase) },
    parts: facts.sections.map(([name, VirtualAddress, VirtualSize, , SizeOfRawData, Characteristics]) => ({
      section: listed(name, VirtualSize, VirtualAddress, SizeOfRawData, Characteristics),
      bytes: null,
    })),
  }
}

function partOf(
  call: Call,
  recipe: ObjcopyRecipe,
  path: string,
  base: bigint,
  added: RecipeSection,
): Part | string {
  if (added.address === null) return `the address of ${added.name} as a number`
  const rva = added.address >= base ? added.address - base : added.address
  if (rva >= 2n ** 32n)
    throw new UsageError(`${path}: ${added.name} at ${hex(added.address)} does not fit a PE file`)
  const file = found(call, added.file, path)
  const bytes = file === null ? null : call.files.source(file)
  const size = bytes?.size ?? recipe.sizes.get(basename(added.file))
  return size === undefined
    ? `the size of ${added.file}`
    : { section: listed(added.name, size, Number(rva), alignUp<number>(size, 0x200), 0x40000040), bytes }
}

/**
 * The image that the recipe would make. Throws UsageError, in one line, for missing information.
 */
export function imageOfRecipe(
  call: Call,
  recipe: ObjcopyRecipe,
  path: string,
  { stub: version, kernel }: { readonly stub?: unknown; readonly kernel?: string | undefined },
): ListedImage {
  const stub = stubOf(call, recipe, path, version)
  const added = recipe.sections.map(one => partOf(call, recipe, path, stub.headers.ImageBase, one))
  const unknown = added.filter(one => typeof one === 'string')
  if (unknown.length > 0)
    throw new UsageError(
      `${path}: wanted: ${unknown.join(', ')}; add the lines of ls -l below the recipe, ` +
        'and write numbers instead of variables',
    )
  const parts = [...stub.parts, ...added.filter(one => typeof one !== 'string')]
  let at = stub.headers.SizeOfHeaders
  const sections = parts.map(({ section }) => {
    const PointerToRawData = at
    at = alignUp<number>(at + (section.SizeOfRawData ?? 0), stub.headers.FileAlignment)
    return { ...section, PointerToRawData }
  })
  const end = Math.max(...sections.map(({ VirtualAddress, size }) => VirtualAddress + size))
  const whole = parts.every(({ bytes, section }) => bytes !== null || section.SizeOfRawData === 0)
  const listing: Listing = {
    fileName: null,
    form: 'objcopy',
    sections,
    headers: { ...stub.headers, SizeOfImage: alignUp<number>(end, stub.headers.SectionAlignment) },
    fileSize: at,
    assumptions: ['the image is what objcopy makes of this recipe: each section as long as its file'],
    missing: [],
  }
  return imageOfListing(listing, [], kernel, { bytes: parts.map(({ bytes }) => bytes), whole })
}
