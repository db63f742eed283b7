/** Small files on a small machine, loaded by any loader, and what came of it as text. */
import {
  compareImageLoaders,
  type Holds,
  type ImageLoaderOutcome,
} from '../../../src/boot/compare-image-loaders.ts'
import { firmwareNamed } from '../../../src/firmware/firmwares.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { viewUki } from '../../../src/image/uki.ts'
import type { MemoryDescriptor } from '../../../src/image/memory-types.ts'
import { SMALL_MAP } from './small-machine.ts'
import { smallPe, type SmallPe, type SmallSection } from './small-pe.ts'

/** Code that can be read and run. */
export const CODE = 0x60000020

/** A file whose sections can be read, with alignments that every loader takes. */
export function goodPe(sections: readonly SmallSection[], pe: SmallPe = {}): SmallPe {
  return {
    AddressOfEntryPoint: 0x1000,
    SizeOfImage: 0x8000,
    ...pe,
    sections: sections.map(section => ({ Characteristics: CODE, ...section })),
  }
}

export function outcomeOf(
  loader: string,
  pe: SmallPe,
  map: readonly MemoryDescriptor[] = SMALL_MAP,
): ImageLoaderOutcome {
  const source = smallPe(pe)
  const parsed = parsePe(source).pe
  if (parsed === null) throw new Error('the test wants a PE file')
  const [outcome] = compareImageLoaders(source, viewUki(parsed), map, [firmwareNamed(loader)]).outcomes
  if (outcome === undefined) throw new Error(loader)
  return outcome
}

function holdsText(holds: Holds): string {
  return holds.kind === 'data'
    ? `${holds.object.replace(/^.*:/u, '')}${holds.at === 0 ? '' : `+${holds.at.toString(16)}`}`
    : holds.kind
}

/** `0 headers, 400 stale, 1000 .s0`: offset and contents of each run, hexadecimal; or status and clause. */
export function loadedBy(loader: string, pe: SmallPe, map?: readonly MemoryDescriptor[]): string {
  const { refused, runs } = outcomeOf(loader, pe, map)
  return refused === null
    ? runs.map(run => `${run.from.toString(16)} ${holdsText(run.holds)}`).join(', ')
    : `${refused.status} ${refused.clause}`
}
