/**
 * The kernel as a PE image: the firmware loads it, its own EFI stub runs, the initrd is offered through
 * LoadFile2. Chapter HO.
 */
import { rangeAt } from '../../bytes/range.ts'
import { byteCount, pagesOf, phys, PHYS_END, type Phys } from '../../bytes/units.ts'
import type { ByteSource } from '../../bytes/source.ts'
import type { Allocation, AllocateType } from '../../firmware/services.ts'
import type { EfiError } from '../../firmware/status.ts'
import { EfiLoaderData } from '../../image/memory-types.ts'
import type { Machine } from '../../machine/machine.ts'
import type { HandOff, LoadedImage, RegisteredInitrd } from '../../machine/model.ts'
import { GRUB_MAX_ADDRESS, HEAP_2_12, takeHeap } from './heap.ts'
import {
  KERNEL,
  pagesBelow,
  payloadOf,
  putFile,
  type BootLoaderModel,
  type BootLoaderPayload,
} from '../model.ts'
import { readKernel } from './boot-params.ts'
import { relocator } from './boot-protocol.ts'

const ANYWHERE = PHYS_END - 1

/**
 * GRUB reads the file into pages of its own and passes them to LoadImage; a kernel without LoadFile2 support
 * is started by the relocator.
 */
export function grubStartImage(machine: Machine, payload: BootLoaderPayload): HandOff {
  const kernel = readKernel(machine, 'HO-12', payload.kernel)
  if ((kernel.pe?.optional.MajorImageVersion ?? 0) < 1) return relocator(machine, payload)
  takeHeap(machine, HEAP_2_12)
  const image = machine.step('HO-12', 'GRUB reads the kernel into pages and calls LoadImage', () => {
    const buffer = pagesBelow(machine, 'HO-12', GRUB_MAX_ADDRESS, payload.kernel.size, KERNEL)
    putFile(machine, buffer, payload.kernel, KERNEL)
    return load(machine, 'HO-12', { kind: 'memory', range: rangeAt(buffer, payload.kernel.size) })
  })
  if (payload.commandLine !== null)
    machine.step('HO-12', 'GRUB allocates pages for LoadOptions', () =>
      pagesBelow(
        machine,
        'HO-12',
        GRUB_MAX_ADDRESS,
        2 * (payload.commandLine ?? '').length + 2,
        'load-options',
      ),
    )
  return startWith(machine, 'HO-12', image, payload, true)
}

/** The firmware, or a boot manager, loads the file. */
export function startImage(machine: Machine, payload: BootLoaderPayload): HandOff {
  readKernel(machine, 'HO-15', payload.kernel)
  const image = machine.step('HO-15', 'LoadImage of the kernel file', () =>
    load(machine, 'HO-15', { kind: 'file', source: payload.kernel }),
  )
  return startWith(machine, 'HO-15', image, payload)
}

const PAGES_ASSERTION =
  "systemd-boot: Assertion 'BS->AllocatePages(type, memory_type, n_pages, &addr) == " +
  "EFI_SUCCESS' failed, halting."
const POOL_ASSERTION =
  "systemd-boot: Assertion 'BS->AllocatePool(EfiLoaderData, size, &p) == EFI_SUCCESS' failed, halting."

/** The differences between releases of systemd-boot. */
export interface SystemdBoot {
  /** Are pages anywhere taken for the initrd when there is no room below 4 GiB? */
  readonly initrdAbove4G: boolean
  /** Is the initrd read before the kernel is loaded, or after? */
  readonly initrd: 'first' | 'after-the-kernel'
  /** Is an initrd of no bytes passed over? */
  readonly skipsEmptyInitrd: boolean
  /** Does it read the kernel file itself, into pool, instead of leaving that to the firmware? */
  readonly ownFileBuffer: boolean
}

/** systemd-boot from 257 on: it takes pages for the initrd, and the firmware loads the kernel. */
export function systemdBoot(release: SystemdBoot): BootLoaderModel['boot'] {
  return (machine, payload) => {
    readKernel(machine, 'HO-19', payload.kernel)
    if (release.initrd === 'first') {
      const initrd = machine.step('HO-19', 'systemd-boot reads the initrd into pages', () =>
        takeInitrd(machine, release, payload.initrd),
      )
      return handOver(payload, loadKernel(machine, release, 'HO-19', payload.kernel), initrd)
    }
    const image = loadKernel(machine, release, 'HO-32', payload.kernel)
    const initrd = machine.step('HO-32', 'systemd-boot reads the initrd into pages', () =>
      takeInitrd(machine, release, payload.initrd),
    )
    return handOver(payload, image, initrd)
  }
}

function takeInitrd(
  machine: Machine,
  release: SystemdBoot,
  initrd: ByteSource | null,
): RegisteredInitrd | null {
  if (initrd === null) return null
  if (initrd.size === 0 && release.skipsEmptyInitrd)
    return machine.step('HO-33', 'systemd-boot passes over an empty initrd', () => null)
  const at = initrdPages(machine, release, initrd.size)
  putFile(machine, at, initrd, 'initrd')
  return { at, size: initrd.size, object: 'initrd' }
}

/** xmalloc_initrd_pages: pages below 4 GiB; what it does without them. */
function initrdPages(machine: Machine, { initrdAbove4G, initrd }: SystemdBoot, size: number): Phys {
  const pages = pagesOf(size)
  const take = (where: AllocateType): Allocation =>
    machine.firmware.allocatePages(where, EfiLoaderData, pages, 'initrd')
  const halt = (clause: Clause, status: EfiError, where: string): never =>
    machine.refuse(
      clause,
      status,
      `no ${String(pages)} pages${where} for the initrd; systemd-boot halts`,
      PAGES_ASSERTION,
    )
  const low = take({ kind: 'max', limit: GRUB_MAX_ADDRESS })
  if (low.status === 'EFI_SUCCESS') return low.at
  if (pages === 0) halt(initrd === 'first' ? 'HO-19' : 'HO-33', low.status, '')
  if (!initrdAbove4G)
    return machine.step('HO-30', 'systemd-boot needs pages below 4 GiB', () =>
      halt('HO-30', low.status, ' below 4 GiB'),
    )
  return machine.step('HO-31', 'systemd-boot takes pages anywhere', () => {
    const any = take({ kind: 'any' })
    return any.status === 'EFI_SUCCESS' ? any.at : halt('HO-31', any.status, '')
  })
}

function loadKernel(
  machine: Machine,
  { ownFileBuffer }: SystemdBoot,
  clause: 'HO-19' | 'HO-32',
  kernel: ByteSource,
): LoadedImage {
  if (!ownFileBuffer)
    return machine.step(clause, 'systemd-boot calls LoadImage with the path of the kernel', () =>
      load(machine, clause, { kind: 'file', source: kernel }),
    )
  return machine.step('HO-34', 'systemd-boot reads the kernel file into pool and calls LoadImage', () => {
    const buffer = machine.firmware.allocatePool(EfiLoaderData, kernel.size + 2 + (kernel.size % 2), KERNEL)
    if (buffer.at === null)
      return machine.refuse(
        'HO-34',
        buffer.status,
        'no pool for the kernel file; systemd-boot halts',
        POOL_ASSERTION,
      )
    putFile(machine, buffer.at, kernel, KERNEL)
    const image = load(machine, 'HO-34', { kind: 'memory', range: rangeAt(buffer.at, kernel.size) })
    machine.firmware.freePool(buffer.at)
    return image
  })
}

type Clause = `HO-${12 | 15 | 19 | 30 | 31 | 32 | 33 | 34}`
type From = Parameters<Machine['firmware']['loadImage']>[0]['from']

function load(machine: Machine, clause: Clause, from: From): LoadedImage {
  const result = machine.firmware.loadImage({
    from,
    name: KERNEL,
    ownerOf: section => ({ object: KERNEL, at: section.VirtualAddress }),
    headers: { object: KERNEL, at: 0 },
  })
  return result.status === 'EFI_SUCCESS'
    ? result.image
    : machine.refuse(clause, result.status, `the firmware refuses the kernel: ${result.why}`, result.message)
}

function startWith(
  machine: Machine,
  clause: Clause,
  image: LoadedImage,
  payload: BootLoaderPayload,
  fromFile = false,
): HandOff {
  const { initrd } = payload
  const offer = machine.step(
    clause,
    fromFile
      ? 'the initrd is registered for LoadFile2 and stays in its file'
      : 'the initrd is read into pages and registered for LoadFile2',
    (): RegisteredInitrd | null => {
      if (initrd === null || initrd.size === 0) return null
      if (fromFile) return { at: phys(0), file: initrd, size: initrd.size, object: 'initrd' }
      const at: Phys = pagesBelow(machine, clause, ANYWHERE, initrd.size, 'initrd')
      putFile(machine, at, initrd, 'initrd')
      return { at, size: initrd.size, object: 'initrd' }
    },
  )
  return handOver(payload, image, offer)
}

function handOver(payload: BootLoaderPayload, image: LoadedImage, initrd: RegisteredInitrd | null): HandOff {
  const { commandLine } = payload
  const loadOptions =
    commandLine === null
      ? null
      : {
          at: null,
          bytes: byteCount(2 * (commandLine.length + 1)),
          text: commandLine,
          object: 'load-options',
        }
  return {
    ...payloadOf(payload),
    via: 'pe-entry',
    entry: image.entry,
    loaded: { ...image, loadOptions },
    initrd,
  }
}
