/**
 * The kernels that most tests boot, one of each kind of file, and where a test puts them and their initrd.
 */
import { range, type Range } from '../../src/bytes/range.ts'
import { factsOf } from './facts.ts'
import { kernelNamed, type InitrdAt } from './kernel-bench.ts'

/** With `.bss` as zeros in the file. */
export const E0 = kernelNamed('derived-5.6')
/** The first that asks for an initrd through LoadFile2; its EFI stub uses `.bss` as it finds it. */
export const E1 = kernelNamed('derived-5.7-rc1')
/** Moves itself, and is built for four levels of page tables only. */
export const E2 = kernelNamed('debian-5.10.223-cloud')
/** Its EFI stub decompresses, and clears `.bss` at the entry. */
export const E4 = kernelNamed('debian-6.1.170-cloud')
/** Its EFI stub decompresses, and has the zero page in `.bss`. */
export const E5 = kernelNamed('debian-6.12.107-cloud')

/** F of a handover, and of a loaded image: 2 MiB into the image of the UKI in SMALL_MAP. */
export const F = 0x18200000
/** In the image of the UKI as well, after the kernel. */
export const INITRD: InitrdAt = { at: 0x1b000000, size: 0x4a7e00 }

/** LOAD_PHYSICAL_ADDR and pref_address of every kernel here. */
export const LPA = 0x1000000
/** What E2 and E5 say in their headers, and the symbols of their decompressors. */
export const FACTS_2 = factsOf('debian-5.10.223-cloud')
export const FACTS_5 = factsOf('debian-6.12.107-cloud')

/**
 * Where `.bss` begins and ends, counted from the start of the file: symbols count from after the setup block.
 */
export function bssOf(name: string): Range {
  const { hdr, geometry } = factsOf(name)
  const setupSize = (hdr.setup_sects + 1) * 512
  return range(setupSize + geometry._bss, setupSize + geometry._ebss)
}
