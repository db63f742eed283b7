/** A section listing in the place of the file: what is not listed is assumed, and no run on it is clean (HZ-19). */
import type { ByteSource } from '../bytes/source.ts'
import type { Content } from '../image/content.ts'
import { KERNEL_FACTS } from '../image/kernel-facts.ts'
import { peOfListing, type Listing } from '../image/objdump.ts'
import type { Problem } from '../image/problem.ts'
import { buildKernel } from '../image/synthetic.ts'
import type { Assumption, Gap } from '../machine/machine.ts'
import type { StubModel } from '../machine/model.ts'

/** The image that a listing stands for. */
export interface ListedImage {
  readonly source: ByteSource
  readonly assumptions: readonly Assumption[]
  readonly doubts: readonly Gap[]
  /** Takes the stub's place where the kernel's header is unknown: nothing behind the load can be said. */
  readonly stub: StubModel | null
}

/** A recorded kernel whose file has as many bytes as `.linux` takes its place; any other stays unknown, so that the run ends behind the load. */
export function imageOfListing(listing: Listing, problems: readonly Problem[] = []): ListedImage {
  const linux = listing.sections.find(section => section.name === '.linux')
  const known = linux === undefined ? undefined : Object.values(KERNEL_FACTS).find(facts => facts.fileSize === linux.size)
  const kernel = known === undefined ? null : buildKernel(known)
  const source = peOfListing(listing, ({ name, size }): Content | undefined => {
    if (name === '.linux') return kernel ?? undefined
    return name === '.initrd' ? { initrd: size } : undefined
  })
  const told = [
    ...listing.assumptions,
    ...(linux === undefined ? [] : [known === undefined ? 'no recorded kernel has the size of .linux: its setup header is unknown' : `.linux is the recorded kernel ${known.name}: its file has the same size`]),
    ...problems.map(problem => problem.what),
    'the command line is empty and .initrd holds an archive: a listing does not show them',
  ]
  return {
    source,
    assumptions: told.map(what => ({ clause: 'HZ-19', what })),
    stub: kernel === null ? { id: 'x-listing', boot: machine => machine.gap('HZ-19', 'the bytes of .linux are in no listing, and no recorded kernel has its size: what stub and kernel do with it is not known') } : null,
    doubts: [{ clause: 'HZ-19', why: 'the image is a section listing: it tells where things lie, not what they are' }],
  }
}
