/**
 * The recipe of a unified kernel image in a scenario: a measured stub, measured kernels, and sections at
 * given addresses.
 */
import * as v from 'valibot'
import type { ByteSource } from '../bytes/source.ts'
import { contentSource } from '../image/content.ts'
import { KERNEL_FACTS, type KernelFacts } from '../image/x86/kernel-facts.ts'
import { IMAGE_FILE_HEADER, IMAGE_OPTIONAL_HEADER64 } from '../image/pe.ts'
import { STUB_FACTS, type StubName } from '../image/stub-facts.ts'
import { buildKernel, buildUki, type UkiRecipe } from '../image/synthetic.ts'
import { quantity } from './quantity-schema.ts'

const STUB_NAMES = Object.keys(STUB_FACTS) as StubName[]
const KERNEL_NAMES = Object.keys(KERNEL_FACTS)

const byte = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(255))
const plainContents = [
  v.strictObject({ kernel: v.picklist(KERNEL_NAMES, `is not one of ${KERNEL_NAMES.join(', ')}`) }),
  v.strictObject({ text: v.string() }),
  v.strictObject({
    hex: v.pipe(v.string(), v.regex(/^(?:[0-9a-fA-F]{2})*$/, 'is not pairs of hexadecimal digits')),
  }),
  v.strictObject({ initrd: quantity }),
  v.strictObject({ zero: quantity }),
  v.strictObject({ pattern: quantity, seed: v.optional(byte) }),
] as const
const plainContent = v.union(
  plainContents,
  'is not one of { kernel }, { text }, { hex }, { initrd }, { zero } and { pattern }',
)
const content = v.union(
  [
    ...plainContents,
    v.strictObject({
      size: quantity,
      parts: v.array(v.strictObject({ at: quantity, content: plainContent })),
      seed: v.optional(byte),
    }),
  ],
  'is not one of { kernel }, { text }, { hex }, { initrd }, { zero }, { pattern } and { size, parts }',
)

const wide = v.union(
  [
    v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    v.pipe(v.string(), v.regex(/^(?:0x[0-9a-fA-F]{1,16}|[0-9]{1,20})$/)),
  ],
  'is neither a whole number nor a text such as "0x14df90000"',
)
const narrow = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(0xffffffff))

function fieldsOf<N extends string, S extends typeof wide | typeof narrow>(
  fields: Readonly<Record<N, unknown>>,
  schema: S,
): v.StrictObjectSchema<Record<N, v.OptionalSchema<S, undefined>>, undefined> {
  return v.strictObject(
    Object.fromEntries(Object.keys(fields).map(name => [name, v.optional(schema)])) as Record<
      N,
      v.OptionalSchema<S, undefined>
    >,
  )
}

/** The schema of `image.uki`. */
export const ukiSchema = v.strictObject({
  /** Version of a measured stub. */
  stub: v.picklist(STUB_NAMES, `is not one of ${STUB_NAMES.join(', ')}`),
  /** Appended to the stub's section table in this order. */
  sections: v.array(
    v.strictObject({
      name: v.pipe(
        v.string(),
        v.minLength(1, 'is empty'),
        v.maxLength(8, 'is longer than the 8 bytes of a section name'),
      ),
      VirtualAddress: quantity,
      content,
      VirtualSize: v.optional(quantity),
      SizeOfRawData: v.optional(quantity),
      PointerToRawData: v.optional(quantity),
      Characteristics: v.optional(quantity),
    }),
  ),
  optional: v.optional(fieldsOf(IMAGE_OPTIONAL_HEADER64.fields, wide)),
  coff: v.optional(fieldsOf(IMAGE_FILE_HEADER.fields, narrow)),
  size: v.optional(quantity),
})

/** `image.uki` of a scenario, validated. */
export type ScenarioUki = v.InferOutput<typeof ukiSchema>
type PlainContent = v.InferOutput<typeof plainContent>
type ScenarioContent = v.InferOutput<typeof content>

function plainSource(of: PlainContent): ByteSource {
  if (!('kernel' in of)) return contentSource(of as Parameters<typeof contentSource>[0])
  return buildKernel(KERNEL_FACTS[of.kernel] as KernelFacts)
}

function sourceOf(of: ScenarioContent): ByteSource {
  if (!('parts' in of)) return plainSource(of)
  const parts = of.parts.map(part => ({ at: part.at, content: plainSource(part.content) }))
  return contentSource({ size: of.size, parts, ...(of.seed === undefined ? {} : { seed: of.seed }) })
}

function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}

/** The image that the recipe describes, as a sparse source. */
export function ukiSource({ stub, sections, optional, coff, size }: ScenarioUki): ByteSource {
  const recipe: UkiRecipe = {
    stub: STUB_FACTS[stub],
    sections: sections.map(section => ({ ...defined(section), content: sourceOf(section.content) })),
    ...(optional === undefined ? {} : { optional: defined(optional) }),
    ...(coff === undefined ? {} : { coff: defined(coff) }),
    ...(size === undefined ? {} : { size }),
  }
  return buildUki(recipe)
}
