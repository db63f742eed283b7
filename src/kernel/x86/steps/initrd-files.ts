/**
 * initrd= on the command line: files that the EFI stub reads from the volume that it was loaded from. Chapter
 * EP.
 */
import { TEXTS } from '../../../messages/texts.ts'
import { rangeAt } from '../../../bytes/range.ts'
import type { ByteSource } from '../../../bytes/source.ts'
import { alignDown, PAGE, PHYS_END, pagesOf, phys, type Phys } from '../../../bytes/units.ts'
import { EfiLoaderData } from '../../../image/memory-types.ts'
import { volumePath } from '../../../machine/volume.ts'
import type { KernelBehaviour } from '../behaviour.ts'
import { zeroPageOf, type KernelBoot, type Step } from '../boot.ts'
import { highAlloc } from './low-alloc.ts'
import { stubOptions } from './cmdline-parser.ts'

/** The object that the extracted kernel must find: the files, one after the other. */
export const INITRD_FILES = 'initrd:files'
const OPTION = 'initrd='
/** MAX_FILENAME_SIZE with its terminator. Source: linux@5.10.223 drivers/firmware/efi/libstub/file.c. */
const NAME_MAX = 255

/** find_file_option: every name, wherever `initrd=` occurs, without leading slashes. */
export function namesIn(options: string): string[] {
  const names: string[] = []
  for (let at = options.indexOf(OPTION); at >= 0; at = options.indexOf(OPTION, at)) {
    at += OPTION.length
    while (options[at] === '/' || options[at] === '\\') at++
    const start = at
    while (at < options.length && at - start < NAME_MAX && !' \n\0'.includes(options.charAt(at))) at++
    names.push(options.slice(start, at).replaceAll('/', '\\'))
  }
  return names
}

interface InitrdFile {
  readonly name: string
  readonly source: ByteSource
}

/** The files named on the command line, if they are used, present and given. */
function filesOf(boot: KernelBoot): InitrdFile[] {
  const { machine, from } = boot
  if (from.via !== 'pe-entry' || stubOptions(boot.commandLine?.text ?? '').noinitrd) return []
  const names = namesIn(from.loaded.loadOptions?.text ?? '')
  if (names.length === 0) return []
  if (from.loaded.device === null)
    return machine.refuse(
      'EP-49',
      'EFI_INVALID_PARAMETER',
      `the kernel was loaded from memory, so there is no volume with ${names[0] ?? ''}`,
      TEXTS['kernel/initrd-volume'],
    )
  const found = names.map(name => ({ name, source: machine.settings.files?.get(volumePath(name)) }))
  const missing = found.find(({ source }) => source === undefined)
  if (missing !== undefined) {
    machine.unmodelled(
      'EP-49',
      `initrd= names ${missing.name}, which was not given: no initrd is loaded here`,
    )
    return []
  }
  return found.flatMap(({ name, source }) => (source === undefined ? [] : [{ name, source }]))
}

type Take = (size: number) => Phys

const objectOf = ({ name }: InitrdFile): string => `initrd=${name}`
const putFile = ({ machine }: KernelBoot, at: number, file: InitrdFile): void => {
  if (file.source.size > 0)
    machine.memory.put(phys(at), { source: file.source, at: 0, length: file.source.size }, objectOf(file))
}

/**
 * One allocation that grows with every file that does not fit its last page: the files read before are
 * copied.
 */
function loadGrowing(boot: KernelBoot, files: readonly InitrdFile[], take: Take): void {
  const { machine } = boot
  let [at, size] = [phys(0), 0]
  for (const file of files) {
    const { source } = file
    if (pagesOf(size + source.size) > pagesOf(size)) {
      const old = at
      at = take(size + source.size)
      if (size > 0) {
        machine.memory.copy(at, rangeAt(old, size))
        machine.firmware.freePages(old, pagesOf(size))
      }
    }
    putFile(boot, at + size, file)
    size += source.size
  }
  if (size > 0) nameInitrd(boot, files, at, size)
}

/** One allocation for all of them. */
function placeAt(boot: KernelBoot, files: readonly InitrdFile[], at: Phys): void {
  let size = 0
  for (const file of files) {
    putFile(boot, at + size, file)
    size += file.source.size
  }
  nameInitrd(boot, files, at, size)
}

function nameInitrd(boot: KernelBoot, files: readonly InitrdFile[], at: Phys, size: number): void {
  boot.machine.memory.compose(
    INITRD_FILES,
    files.map(file => ({ object: objectOf(file), at: 0, length: file.source.size })),
  )
  boot.initrdObject = INITRD_FILES
  const page = zeroPageOf(boot)
  page.setWhole('ramdisk_image', at)
  page.setWhole('ramdisk_size', size)
}

const NO_MEMORY = TEXTS['kernel/initrd-files']

/** Pages at or below initrd_addr_max, then anywhere. */
function takePages(boot: KernelBoot): Take {
  const { machine } = boot
  return size => {
    // A limit of 0 wraps to none
    const soft = alignDown(zeroPageOf(boot).hdr.get('initrd_addr_max') + 1, PAGE) - 1
    const pages = (limit: number): Phys | null =>
      machine.firmware.allocatePages(
        { kind: 'max', limit: limit < 0 ? PHYS_END - 1 : limit },
        EfiLoaderData,
        pagesOf(size),
        INITRD_FILES,
      ).at
    return (
      pages(soft) ??
      pages(PHYS_END - 1) ??
      machine.refuse(
        'EP-49',
        'EFI_OUT_OF_RESOURCES',
        `no pages for ${String(size)} bytes of files`,
        NO_MEMORY,
      )
    )
  }
}

/** handle_cmdline_files, if LoadFile2 has no initrd. */
export function loadFiles(boot: KernelBoot): void {
  boot.machine.step('EP-49', 'the EFI stub looks for initrd= on the command line', () => {
    loadGrowing(boot, filesOf(boot), takePages(boot))
  })
}

/** Files of initrd= at the PE entry. */
export function filesAtEntry({ into }: KernelBehaviour['filesAtEntry']): Step {
  if (into === null) return leaveFiles
  return into === 'efi_high_alloc' ? loadFilesHigh : loadFilesAtEntry
}

/** The PE entry loads files at once, before the kernel moves. */
function loadFilesAtEntry(boot: KernelBoot): void {
  boot.machine.step('EP-50', 'the PE entry loads the files of initrd= before anything moves', () => {
    loadFiles(boot)
  })
}

/** The same for kernels that search for memory themselves, top-down. */
function loadFilesHigh(boot: KernelBoot): void {
  const { machine } = boot
  machine.step('EP-51', 'the PE entry loads the files of initrd= as high as initrd_addr_max allows', () => {
    const files = filesOf(boot)
    const total = files.reduce((sum, { source }) => sum + source.size, 0)
    const { hdr } = zeroPageOf(boot)
    const take: Take = size =>
      highAlloc(machine, { size, limit: hdr.get('initrd_addr_max'), label: INITRD_FILES }) ??
      highAlloc(machine, { size, limit: PHYS_END - 1, label: INITRD_FILES }) ??
      machine.refuse(
        'EP-51',
        'EFI_NOT_FOUND',
        `no pages for ${String(size)} bytes of files`,
        TEXTS['kernel/initrd-files-high'],
      )
    if (total > 0) placeAt(boot, files, take(total))
  })
}

/** Later kernels try LoadFile2 first. */
function leaveFiles(boot: KernelBoot): void {
  boot.machine.step('EP-49', 'initrd= is read after LoadFile2 was tried', () => undefined)
}
