/**
 * Small laws of placement, each written from the recordings without looking at the model. They are asked of
 * real boots and of simulated ones alike.
 */
import type { BootFacts } from './facts.ts'
import { mapBeforeLoad, parseMap, type Recording } from './recording.ts'
import { rebuild } from './rebuild.ts'
import { PAGE } from '../../src/bytes/units.ts'

interface Free {
  readonly start: number
  readonly end: number
}

export interface Law {
  readonly name: string
  /** Boots to which it must apply, so that it cannot hold by never being asked. */
  readonly atLeast: number
  /** '' when it holds, what is wrong when it does not, null when it does not apply. */
  holds(recording: Recording, facts: BootFacts): string | null
}

const up = (value: number, to: number): number => Math.ceil(value / to) * to
const MIN_KERNEL = 0x1000000
const ALIGN_2M = 0x200000

function freeOf(map: readonly { readonly type: number; readonly range: Free }[]): Free[] {
  const joined: Free[] = []
  for (const { range } of map.filter(entry => entry.type === 7)) {
    const last = joined.at(-1)
    if (last?.end === range.start) joined[joined.length - 1] = { start: last.start, end: range.end }
    else joined.push({ start: range.start, end: range.end })
  }
  return joined
}

/** Lowest aligned address of at least 16 MiB with `need` free bytes. */
function lowestFit(free: readonly Free[], need: number, align: number): number | null {
  for (const { start, end } of free) {
    const at = up(Math.max(start, MIN_KERNEL), align)
    if (at + need <= end) return at
  }
  return null
}

const fits = (free: readonly Free[], at: number, need: number): boolean =>
  free.some(({ start, end }) => start <= at && at + need <= end)

const atKernelEntry = (recording: Recording): Free[] | null => {
  const text = recording.trace.efi_map_at_kernel_entry
  return text === undefined ? null : freeOf(parseMap(text))
}

const same = (what: string, want: number | null, got: number): string =>
  want === got
    ? ''
    : `${what}: law says ${want === null ? 'nothing' : `0x${want.toString(16)}`}, got 0x${got.toString(16)}`

const lastSection = (recording: Recording, name: string): number | null => {
  const row = recording.layout.findLast(([found]) => found === name)
  return row === undefined ? null : Number(row[1])
}

const hasNokaslr = (facts: BootFacts): boolean => (facts.commandLine ?? '').split(' ').includes('nokaslr')

export const LAWS: readonly Law[] = [
  {
    name:
      'the image lies at its preferred base when that is free RAM of at least 1 MiB, ' +
      'else as high as it fits below 4 GiB, under the file buffer',
    atLeast: 60,
    holds: (recording, { imageBase }) => {
      const map = mapBeforeLoad(recording)
      if (map === null || imageBase === undefined) return null
      const need = up(Number(recording.size_of_image), PAGE)
      // The file's length, symbols of the stub after the last section included
      const file = up(rebuild(recording).size + 0x28, PAGE)
      const low = freeOf(map)
        .map(({ start, end }) => ({ start, end: Math.min(end, 2 ** 32) }))
        .filter(({ start, end }) => start < end)
      const holder = low.findLast(({ start, end }) => end - start >= file)
      if (holder === undefined) return 'no room for the file'
      const rest = low.map(range =>
        range === holder ? { start: range.start, end: range.end - file } : range,
      )
      const preferred = Number(recording.pe_image_base)
      const high = rest.findLast(({ start, end }) => end - start >= need)
      const highest = high === undefined ? null : high.end - need
      const atPreferred = preferred >= 0x100000 && fits(freeOf(map), preferred, need)
      return same('image base', atPreferred ? preferred : highest, imageBase)
    },
  },
  {
    name: 'stub 247 enters the kernel in place, at the image base plus the address of the last .linux',
    atLeast: 30,
    holds: (recording, { imageBase, kernelImage }) => {
      const at = lastSection(recording, '.linux')
      if (recording.stub !== '247.3' || at === null || kernelImage === undefined || imageBase === undefined)
        return null
      return same('kernel image', imageBase + at, kernelImage)
    },
  },
  {
    name: 'stub 247 passes the last .initrd where it lies',
    atLeast: 28,
    holds: (recording, { imageBase, ramdiskImage }) => {
      const at = lastSection(recording, '.initrd')
      if (recording.stub !== '247.3' || at === null || ramdiskImage === undefined || imageBase === undefined)
        return null
      return same('initrd', imageBase + at, ramdiskImage)
    },
  },
  {
    name:
      '5.10 entered by handover moves itself to its preferred address, or to the ' +
      'lowest aligned place from 16 MiB on that holds init_size',
    atLeast: 18,
    holds: (recording, { entryMethod, compressedImage }) => {
      const free = atKernelEntry(recording)
      if (
        !recording.kernel.startsWith('5.10') ||
        entryMethod !== 'efi-handover' ||
        compressedImage === undefined ||
        free === null ||
        recording.bzimage === undefined
      )
        return null
      const { init_size, align, pref } = recording.bzimage
      const want = fits(free, Number(pref), Number(init_size))
        ? Number(pref)
        : lowestFit(free, Number(init_size), Number(align))
      return same('compressed kernel', want, compressedImage)
    },
  },
  {
    name:
      '5.10 entered by its PE entry stays in place and extracts to the next 2 MiB ' +
      'boundary above its image base',
    atLeast: 5,
    holds: (recording, { entryMethod, kernelImage, compressedImage, decompressedKernel }) => {
      if (
        !recording.kernel.startsWith('5.10') ||
        entryMethod !== 'pe-entry' ||
        kernelImage === undefined ||
        compressedImage === undefined ||
        decompressedKernel === undefined ||
        recording.bzimage === undefined
      )
        return null
      const wrong = same(
        'compressed kernel',
        kernelImage + Number(recording.bzimage.setup_size),
        compressedImage,
      )
      return wrong === '' ? same('kernel', up(kernelImage, ALIGN_2M), decompressedKernel) : wrong
    },
  },
  {
    name:
      'kernels that extract themselves within their EFI stub lie at the lowest 2 MiB ' +
      'boundary from 16 MiB on where they fit, with nokaslr',
    atLeast: 20,
    holds: (recording, facts) => {
      const free = atKernelEntry(recording)
      const { vmlinux } = recording
      if (
        !/^6\./.test(recording.kernel) ||
        facts.decompressedKernel === undefined ||
        free === null ||
        vmlinux === undefined ||
        !hasNokaslr(facts)
      )
        return null
      const [first] = vmlinux.loads
      const span =
        Math.max(...vmlinux.loads.map(([, at, , size]) => Number(at) + Number(size))) - Number(first?.[1])
      return same(
        'kernel',
        lowestFit(free, up(Math.max(vmlinux.output_len, span), ALIGN_2M), ALIGN_2M),
        facts.decompressedKernel,
      )
    },
  },
]
