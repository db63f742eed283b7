/**
 * Does the memory after .linux matter? Judged by the file alone: may the stub enter the kernel in place, and
 * does that kernel use memory past the end of its file? HZ-11.
 */
import type { ByteSource } from '../bytes/source.ts'
import { parsePe } from '../image/pe.ts'
import type { UkiView } from '../image/uki.ts'
import { kernelCandidates, stubCandidates, type AnyStubEra } from './identify.ts'
import type { Wishes } from './plan.ts'

/** Contracts about the memory past the end of the kernel's file (HO-4 to HO-6). */
const ROOM: readonly string[] = ['init-window', 'bss-zero', 'bss-owned']

/** Kernels examined at each end of the table, which can have 65535; a stub takes the first or the last. */
const LOOKED_AT = 8

/** Also true if the stub or the kernel is unknown, or is the caller's own model. */
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

/** May a stub of this era enter this kernel in place? `length` is VirtualSize of its section, in bytes. */
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
