/**
 * Does memory after .linux matter, as far as the file shows: may the stub enter the kernel where it lies, and
 * does that kernel take memory past its file there? HZ-11.
 */
import type { ByteSource } from '../bytes/source.ts'
import { parsePe } from '../image/pe.ts'
import type { UkiView } from '../image/uki.ts'
import { kernelCandidates, stubCandidates, type AnyStubEra } from './identify.ts'
import type { Wishes } from './plan.ts'

/** What a kernel asks of the memory past its file (HO-4 to HO-6). */
const ROOM: readonly string[] = ['init-window', 'bss-zero', 'bss-owned']

/** A table can name 65535 kernels; a stub takes one of the first or of the last. */
const LOOKED_AT = 8

/** True as well where stub or kernel are not known, or are the caller's own. */
export function mayNeedRoom(uki: UkiView, { stub, kernel }: Pick<Wishes, 'stub' | 'kernel'> = {}): boolean {
  const eras =
    typeof stub === 'object' && 'boot' in stub ? [null] : stubCandidates(uki, stub).map(({ era }) => era)
  const linux = uki.sections.filter(({ section }) => section.name === '.linux')
  return [...linux.slice(0, LOOKED_AT), ...linux.slice(LOOKED_AT).slice(-LOOKED_AT)].some(
    ({ content, section }) =>
      eras.some(era => era === null || mayEnterInPlace(era, content, section.VirtualSize)) &&
      mayTakeRoom(content, kernel),
  )
}

/** May a stub of this era start these bytes where they lie? */
function mayEnterInPlace(era: AnyStubEra, kernel: ByteSource, length: number): boolean {
  if ('names' in era) return false
  const { entryMethod, placeKernel } = era.behaviour
  if (entryMethod.way === 'handover') return true
  const optional = parsePe(kernel).pe?.optional
  if (optional === undefined || optional.MajorImageVersion >= 1) return false
  return !placeKernel.zeroTail || optional.SizeOfImage <= length
}

function mayTakeRoom(file: ByteSource, kernel: Wishes['kernel']): boolean {
  if (typeof kernel === 'object' && 'start' in kernel) return true
  return kernelCandidates(file, kernel).some(
    ({ era }) => era === null || era.contracts['efi-handover'].some(name => ROOM.includes(name)),
  )
}
