/** An image described by a text: a section table, or an objcopy recipe. */
import { imageOfListing, type ListedImage } from '../boot/listing.ts'
import { UsageError } from '../bytes/errors.ts'
import type { ByteSource } from '../bytes/source.ts'
import { fileOffset } from '../bytes/units.ts'
import { isListing, LISTING_HEAD, readListing } from '../image/objdump.ts'
import { isText, textOf } from '../image/paste/letters.ts'
import { readRecipe } from '../image/tables/recipe.ts'
import type { Call } from './command.ts'
import { imageOfRecipe } from './recipe.ts'

/** Remarks about the stub and the kernel if the text shows neither. */
export interface Chosen {
  readonly stub?: unknown
  readonly kernel?: string | undefined
}

/** null if the file is not a text. Throws UsageError for a text that does not describe an image. */
export function imageOfText(
  call: Call,
  path: string,
  source: ByteSource,
  chosen: Chosen,
): (ListedImage & { readonly name: string }) | null {
  const head = source.read(fileOffset(0), LISTING_HEAD)
  if (!isText(head)) return null
  if (textOf(head).includes('--add-section')) {
    const recipe = readRecipe(textOf(call.files.bytes(path)))
    if (recipe !== null) return { name: `${path} (objcopy)`, ...imageOfRecipe(call, recipe, path, chosen) }
  }
  if (!isListing(head))
    throw new UsageError(
      `${path}: a text without a section table: no image, and no sizes and places of sections in it`,
    )
  const { listing, problems } = readListing(call.files.bytes(path))
  if (listing === null) throw new UsageError(`${path}: ${problems.at(-1)?.what ?? 'no section listing'}`)
  return {
    name: `${path} (section listing${listing.fileName === null ? '' : ` of ${listing.fileName}`})`,
    ...imageOfListing(listing, problems, chosen.kernel),
  }
}
