/** Relocation by the directory of the file; the headers are not changed (chapter PE). */
import { wrap64 } from '../../bytes/units.ts'
import { DIRECTORY_BASERELOC } from '../../image/pe.ts'
import { refusal, type LoadStep, type Loading } from './image-loader.ts'
import type { LoadRefusal } from './ports.ts'
import { applyBlocks } from './relocate.ts'

/** Applies the fixups of the file's directory; the headers are not changed (PE-51). */
export const relocateInPlace: LoadStep = loading => relocateBy(loading, false)

/** The same, but a block of size 0 ends the directory (PE-51). */
export const relocateUBoot: LoadStep = loading => relocateBy(loading, true)

function relocateBy({ ports, request, checked, place }: Loading, zeroBlockEnds: boolean): LoadRefusal | null {
  const { pe, imageSize } = checked
  const directory = pe.dataDirectories[DIRECTORY_BASERELOC]
  const adjust = wrap64(BigInt(place.base) - pe.optional.ImageBase)
  if (directory === undefined || directory.Size === 0 || adjust === 0n) return null
  if (directory.VirtualAddress + directory.Size > imageSize) {
    ports.assume('PE-51', `${request.name}: a relocation directory outside the image is not applied`)
    return null
  }
  const failed = ports.step('PE-51', `relocation of ${request.name}`, () =>
    applyBlocks(
      {
        memory: ports.memory,
        base: place.base,
        size: imageSize,
        adjust,
        name: request.name,
        zeroBlockEnds,
      },
      { start: directory.VirtualAddress, size: directory.Size },
    ),
  )
  return failed === null ? null : refusal('EFI_LOAD_ERROR', 'PE-51', failed.why)
}
