/**
 * The kernel as a PE image: the firmware loads it, its own EFI stub runs, the initrd is offered through
 * LoadFile2. Chapter HO.
 */
import { rangeAt } from '../../bytes/range.ts'
import { byteCount, pagesOf, phys, PHYS_END, type Phys } from '../../bytes/units.ts'
import type { AllocateType } from '../../firmware/services.ts'
import { EfiLoaderData } from '../../image/memory-types.ts'
import type { Machine } from '../../machine/machine.ts'
import type { HandOff, LoadedImage, RegisteredInitrd } from '../../machine/model.ts'
import { GRUB_MAX_ADDRESS, HEAP_2_12, takeHeap } from './heap.ts'
import { KERNEL, pagesBelow, payloadOf, putFile, type BootLoaderPayload } from '../model.ts'
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

/** systemd-boot 257: the initrd's pages are allocated before the kernel is loaded. */
export function bootManager(machine: Machine, payload: BootLoaderPayload): HandOff {
  const { initrd } = payload
  if (initrd === null) return startImage(machine, payload)
  readKernel(machine, 'HO-19', payload.kernel)
  const offer = machine.step(
    'HO-19',
    'systemd-boot reads the initrd into pages',
    (): RegisteredInitrd | null => {
      const take = (where: AllocateType) =>
        machine.firmware.allocatePages(where, EfiLoaderData, pagesOf(initrd.size), 'initrd')
      const low = take({ kind: 'max', limit: GRUB_MAX_ADDRESS })
      const got = low.status === 'EFI_SUCCESS' ? low : take({ kind: 'any' })
      if (got.status !== 'EFI_SUCCESS')
        return machine.refuse(
          'HO-19',
          got.status,
          `no ${String(pagesOf(initrd.size))} pages for the initrd; systemd-boot halts`,
          PAGES_ASSERTION,
        )
      putFile(machine, got.at, initrd, 'initrd')
      return { at: got.at, size: initrd.size, object: 'initrd' }
    },
  )
  const image = machine.step('HO-19', 'systemd-boot calls LoadImage with the kernel file', () =>
    load(machine, 'HO-19', { kind: 'file', source: payload.kernel }),
  )
  return handOver(payload, image, offer)
}

type Clause = 'HO-12' | 'HO-15' | 'HO-19'
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
