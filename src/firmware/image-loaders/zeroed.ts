/** An image that is zeroed as a whole before anything is copied (chapter PE). */
import { bringHeaders, ownerOf, zero } from './bring.ts'
import type { LoadStep } from './image-loader.ts'

/** Zeroes the whole image, then copies the headers (PE-45). Zeros inside a section belong to it. */
export const headersZeroed =
  (clause: 'PE-45' | 'PE-49'): LoadStep =>
  loading => {
    const { imageSize, pe } = loading.checked
    loading.ports.step(clause, `zeroes the image of ${loading.request.name} and copies its headers`, () => {
      zero(loading, 0, imageSize, null)
      for (const section of pe.sections)
        zero(
          loading,
          section.VirtualAddress,
          Math.min(section.VirtualSize, imageSize - section.VirtualAddress),
          ownerOf(loading, section),
        )
      if (clause === 'PE-45' || pe.sections[0]?.VirtualAddress !== 0)
        bringHeaders(loading, Math.min(pe.optional.SizeOfHeaders, imageSize))
    })
    return null
  }
