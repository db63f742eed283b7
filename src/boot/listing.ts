/**
 * A section listing instead of the file: what is not listed is assumed, and no run on it is clean (HZ-19).
 */
import { hex } from '../bytes/range.ts'
import type { ByteSource } from '../bytes/source.ts'
import type { Content } from '../image/content.ts'
import { KERNEL_FACTS, type KernelFacts } from '../image/x86/kernel-facts.ts'
import { peOfListing, type Listing } from '../image/objdump.ts'
import type { Problem } from '../image/problem.ts'
import { buildKernel } from '../image/synthetic.ts'
import type { Assumption, Gap } from '../machine/machine.ts'
import type { StubModel } from '../machine/model.ts'

/** The image that a listing describes. */
export interface ListedImage {
  readonly source: ByteSource
  readonly assumptions: readonly Assumption[]
  readonly doubts: readonly Gap[]
  /** Its sections have no places: nothing that is said of their places is said of the file. */
  readonly unplaced: boolean
  /** Takes the stub's place where the kernel's header is unknown: nothing past the load can be said. */
  readonly stub: StubModel | null
}

/** The recorded kernel of that name, version or branch; undefined if none was recorded. */
export function recordedKernel(choice: string): KernelFacts | undefined {
  const all = Object.values(KERNEL_FACTS)
  const release = ({ version }: KernelFacts): string => /^[\d.]+/.exec(version)?.[0] ?? ''
  const branch = choice.split('.').slice(0, 2).join('.')
  return (
    all.find(({ name }) => name === choice) ??
    all.find(facts => release(facts) === choice) ??
    all.find(facts => release(facts).split('.').slice(0, 2).join('.') === branch)
  )
}

/** What is known of the bytes. */
interface Known {
  /** Of each section; null where they are not there. */
  readonly bytes?: readonly (ByteSource | null)[]
  /** Nothing of the image is unknown. Default false. */
  readonly whole?: boolean
}

/**
 * Replaces `.linux` with the recorded kernel of the same file size, or with the one named by `kernel` (name,
 * version or branch). Without one the kernel is unknown and the run ends after the load.
 */
export function imageOfListing(
  listing: Listing,
  problems: readonly Problem[] = [],
  kernelNamed?: string,
  { bytes = [], whole = false }: Known = {},
): ListedImage {
  const own = bytes[listing.sections.findIndex(section => section.name === '.linux')] ?? null
  const linux = listing.sections.find(section => section.name === '.linux')
  const same =
    linux === undefined ? undefined : Object.values(KERNEL_FACTS).find(facts => facts.fileSize === linux.size)
  const named =
    same !== undefined || linux === undefined || kernelNamed === undefined
      ? undefined
      : recordedKernel(kernelNamed)
  const fits = named !== undefined && linux !== undefined && named.fileSize <= linux.size
  const known = same ?? (fits ? named : undefined)
  const kernel = known === undefined ? null : buildKernel(known)
  const source = peOfListing(listing, (section): Content | undefined => {
    const given = bytes[listing.sections.indexOf(section)]
    if (given != null) return given
    const { name, size } = section
    if (name === '.linux') return kernel ?? undefined
    return name === '.initrd' ? { initrd: size } : undefined
  })
  const larger = named === undefined ? '' : `, and ${named.name} is larger (${hex(named.fileSize)} bytes)`
  const likeness = (name: string): string =>
    same === undefined
      ? `.linux is similar to the recorded kernel ${name}, as named: the run uses its ` +
        'setup header, and its bytes end before the section does'
      : `.linux is the recorded kernel ${name}: its file has the same size`
  const told = [
    ...listing.missing.map(({ what }) => what),
    ...listing.assumptions,
    ...(linux === undefined || own !== null
      ? []
      : [
          known === undefined
            ? `no recorded kernel has the size of .linux${larger}: its setup header is unknown`
            : likeness(known.name),
        ]),
    ...problems.map(problem => problem.what),
    ...(whole
      ? []
      : ['the command line is empty and .initrd holds an archive: a listing does not show them']),
  ]
  const unplaced = listing.missing.some(({ column }) => column === 'VirtualAddress')
  return {
    source,
    unplaced,
    assumptions: told.map(what => ({ clause: 'HZ-19', what })),
    stub:
      (kernel === null && own === null) || unplaced
        ? {
            id: 'x-listing',
            boot: machine =>
              machine.gap(
                'HZ-19',
                unplaced
                  ? 'the text has no addresses (VirtualAddress): what lies where in memory is not known'
                  : 'a listing does not contain the bytes of .linux, and no recorded kernel has its size ' +
                      'or was named and fits: what stub and kernel do with it is unknown',
              ),
          }
        : null,
    doubts: whole
      ? []
      : [
          {
            clause: 'HZ-19',
            why: 'the image is a section listing: it has the addresses of the sections, not their bytes',
          },
        ],
  }
}
