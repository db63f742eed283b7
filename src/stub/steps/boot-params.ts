/**
 * Slots bootParams, placeCommandLine, passInitrd and entry: the zero page, and the address that is jumped to
 * (chapter ST).
 */
import { printed } from '../../messages/texts.ts'
import { rangeAt } from '../../bytes/range.ts'
import { add, PAGE, pagesOf, phys, type Phys, wrap32 } from '../../bytes/units.ts'
import type { AllocateType } from '../../firmware/services.ts'
import { EfiLoaderData } from '../../image/memory-types.ts'
import { SECTOR, SETUP_HEADER_AT, setupHeaderEnd, setupSectors } from '../../image/x86/boot-params.ts'
import type { ClauseId } from '../../machine/machine.ts'
import type { RegisteredInitrd } from '../../machine/model.ts'
import { zeroPage, type ZeroPage } from '../../machine/x86/zero-page.ts'
import type { BootParamsBehaviour, CommandLineBehaviour, StubBehaviour } from '../behaviour.ts'
import type { StubContext, BootParams, CommandLine, Initrd, Kernel } from '../model.ts'
import { canLieAbove4G, KNOWN_HEADER_END, type SetupHeader } from '../setup-header.ts'
import { registerInitrd } from './load-image.ts'
import { statusTitle } from './status.ts'
import { xmallocPages } from './xmalloc.ts'

/** CMDLINE_PTR_MAX */
const CMDLINE_PTR_MAX = 0xa0000
/** type_of_loader: none of the registered ones. */
const UNKNOWN_LOADER = 0xff

function pagesOrFail(
  { machine }: StubContext,
  clause: ClauseId,
  limit: number,
  pages: number,
  label: string,
): Phys {
  const got = machine.firmware.allocatePages({ kind: 'max', limit }, EfiLoaderData, pages, label)
  if (got.status === 'EFI_SUCCESS') return got.at
  return machine.refuse(
    clause,
    got.status,
    `no ${String(pages)} pages for ${label} below its limit`,
    printed('stub/exec-failed', { status: statusTitle(got.status) }),
  )
}

/** A zero page of `size` bytes with `length` bytes of the kernel file from `from` on, at the same offset. */
function fill(
  { machine: { memory } }: StubContext,
  at: Phys,
  size: number,
  kernel: Kernel,
  from: number,
  length: number,
): ZeroPage {
  const page = zeroPage(memory, at)
  page.clear(size)
  page.patch(from, memory.readRaw(rangeAt(kernel.at + from, length)))
  page.hdr.set('type_of_loader', UNKNOWN_LOADER)
  return page
}

/** secure_boot: enabled. Source: linux@5.10.223 include/linux/efi.h efi_secureboot_mode_enabled. */
const SECURE_BOOT_ENABLED = 3

/** The zero page of a release. */
export function makeBootParams(
  behaviour: BootParamsBehaviour,
): (ctx: StubContext, kernel: Kernel, header: SetupHeader, image: Phys) => BootParams {
  const clause = clauseOf(behaviour)
  const by = behaviour.above4G ? 'linux_exec_efi_handover' : 'linux_exec'
  return (ctx, kernel, header, image) =>
    ctx.machine.step(clause, `${by} makes boot_params`, () => {
      const above4G = behaviour.above4G && canLieAbove4G(header)
      const at = allocate(ctx, clause, behaviour, above4G)
      const size = behaviour.pages * PAGE
      const from = behaviour.copied === 'file' ? 0 : SETUP_HEADER_AT
      const page = fill(ctx, at, size, kernel, from, headerBytes(header, behaviour))
      if (behaviour.secureBoot && ctx.machine.settings.secureBoot)
        ctx.machine.step('ST-78', 'sets secure_boot', () => {
          page.set('secure_boot', SECURE_BOOT_ENABLED)
        })
      const setup_sects = behaviour.setupSects === 'as stated' ? header.setup_sects : setupSectors(header)
      if (behaviour.setupSects === '0 becomes 4') page.hdr.set('setup_sects', setup_sects)
      page.hdr.set('code32_start', wrap32(image + (setup_sects + 1) * SECTOR))
      return { at, above4G, setup_sects }
    })
}

function clauseOf({ copied }: BootParamsBehaviour): ClauseId {
  if (copied === 'file') return 'ST-77'
  if (copied === 'known header') return 'ST-37'
  return copied === 'stated header' ? 'ST-38' : 'ST-83'
}

function allocate(
  ctx: StubContext,
  clause: ClauseId,
  { above4G: mayLieHigh, limit, pages }: BootParamsBehaviour,
  above4G: boolean,
): Phys {
  if (!mayLieHigh) return pagesOrFail(ctx, clause, limit, pages, 'boot_params')
  return xmallocPages(ctx, clause, {
    where: whereverIt(above4G, limit),
    type: EfiLoaderData,
    pages,
    label: 'boot_params',
  })
}

/** Bytes that are copied: of the file, or of the setup header. */
function headerBytes(header: SetupHeader, { copied }: BootParamsBehaviour): number {
  const known = KNOWN_HEADER_END - SETUP_HEADER_AT
  if (copied === 'file') return KNOWN_HEADER_END
  if (copied === 'known header') return known
  const stated = setupHeaderEnd(header) - SETUP_HEADER_AT
  return copied === 'stated header' ? stated : Math.min(stated, known)
}

/** Anywhere for a kernel that can be loaded above 4 GiB, below a limit for others. */
function whereverIt(above4G: boolean, limit: number): AllocateType {
  return above4G ? { kind: 'any' } : { kind: 'max', limit }
}

/** Where a release puts the command line that is passed through boot_params. */
export function placeCommandLine(
  { above4G }: StubBehaviour['placeCommandLine'],
  { encoding }: CommandLineBehaviour,
): (ctx: StubContext, header: SetupHeader, bootParams: BootParams, line: CommandLine) => void {
  if (encoding === 'UTF-16') return convertedToAscii
  return above4G ? copiedAnywhere : copiedLow
}

/** The stub takes the bytes for the command line, up to the NUL that the file has in it. */
function readLine({ machine }: StubContext, { at, bytes, object, ends = bytes }: CommandLine): void {
  if (ends > 0)
    machine.step('ST-100', 'the stub takes the bytes of the command line', () =>
      machine.memory.readAs(rangeAt(at, ends), object),
    )
}

/** The bytes of the string and a NUL, in pages below 640 KiB. */
function copiedLow(ctx: StubContext, _: SetupHeader, bootParams: BootParams, line: CommandLine): void {
  const { memory } = ctx.machine
  ctx.machine.step('ST-39', 'linux_exec places the command line', () => {
    readLine(ctx, line)
    const at = pagesOrFail(ctx, 'ST-39', CMDLINE_PTR_MAX, pagesOf(line.bytes + 1), line.object)
    if (line.bytes > 0) memory.copy(at, rangeAt(line.at, line.bytes))
    memory.patch(add(at, line.bytes), Uint8Array.of(0), line.object, line.bytes)
    zeroPage(memory, bootParams.at).hdr.set('cmd_line_ptr', at)
    ctx.machine.observe({ cmdLinePtr: at, commandLine: line.text.replace(/\0.*$/s, '') })
  })
}

/**
 * The bytes of the string, of any length, and a NUL, anywhere for a kernel that can be loaded above 4 GiB.
 */
function copiedAnywhere(ctx: StubContext, _: SetupHeader, bootParams: BootParams, line: CommandLine): void {
  const { memory } = ctx.machine
  ctx.machine.step('ST-76', 'linux_exec_efi_handover places the command line', () => {
    readLine(ctx, line)
    const at = xmallocPages(ctx, 'ST-76', {
      where: whereverIt(bootParams.above4G, CMDLINE_PTR_MAX),
      type: EfiLoaderData,
      pages: pagesOf(line.bytes + 1),
      label: line.object,
    })
    if (line.bytes > 0) memory.copy(at, rangeAt(line.at, line.bytes))
    memory.patch(add(at, line.bytes), Uint8Array.of(0), line.object, line.bytes)
    zeroPage(memory, bootParams.at).setWhole('cmd_line_ptr', at)
    ctx.machine.observe({ cmdLinePtr: at, commandLine: line.text.replace(/\0.*$/s, '') })
  })
}

/** ASCII and a NUL, at most cmdline_size characters, anywhere for a kernel that can be loaded above 4 GiB. */
function convertedToAscii(
  ctx: StubContext,
  header: SetupHeader,
  bootParams: BootParams,
  line: CommandLine,
): void {
  ctx.machine.step('ST-40', 'linux_exec_efi_handover places the command line', () => {
    const length = Math.min(line.text.length, header.cmdline_size)
    if (line.text.length > length)
      ctx.machine.unmodelled(
        'ST-40',
        `the command line of ${String(line.text.length)} characters is cut to cmdline_size, ` +
          `${String(length)}: what the boot lacks then is not known`,
      )
    const where = whereverIt(bootParams.above4G, CMDLINE_PTR_MAX)
    const at = xmallocPages(ctx, 'ST-40', {
      where,
      type: EfiLoaderData,
      pages: pagesOf(length + 1),
      label: line.object,
    })
    const ascii = Uint8Array.from({ length: length + 1 }, (_, i) => {
      const code = i === length ? 0 : line.text.charCodeAt(i)
      return code <= 0x7e ? code : 0x20
    })
    ctx.machine.memory.patch(at, ascii, line.object)
    zeroPage(ctx.machine.memory, bootParams.at).setWhole('cmd_line_ptr', at)
    ctx.machine.observe({ cmdLinePtr: at, commandLine: line.text.slice(0, length) })
  })
}

/** The fields that pass the initrd, and whether it is registered for LoadFile2, too. */
export function passInitrd({
  halves,
  loadFile2,
}: StubBehaviour['passInitrd']): (
  ctx: StubContext,
  bootParams: BootParams,
  initrd: Initrd | null,
) => RegisteredInitrd | null {
  if (halves === 'both') return bothHalves
  return loadFile2 ? lowHalvesAndLoadFile2 : lowHalves
}

/** The low 32 bits of address and size. */
function lowHalves(ctx: StubContext, bootParams: BootParams, initrd: Initrd | null): null {
  return ctx.machine.step('ST-41', 'linux_exec passes the initrd', () => {
    const at = wrap32(initrd?.at ?? 0)
    const { hdr } = zeroPage(ctx.machine.memory, bootParams.at)
    hdr.set('ramdisk_image', at)
    hdr.set('ramdisk_size', initrd?.size ?? 0)
    ctx.machine.observe({ ramdiskImageFromStub: phys(at) })
    return null
  })
}

/** The low 32 bits, and the whole initrd through LoadFile2 as well. */
function lowHalvesAndLoadFile2(
  ctx: StubContext,
  bootParams: BootParams,
  initrd: Initrd | null,
): RegisteredInitrd | null {
  return ctx.machine.step('ST-79', 'linux_exec passes the initrd twice', () => {
    lowHalves(ctx, bootParams, initrd)
    return registerInitrd(ctx, initrd)
  })
}

/** Both halves. */
function bothHalves(ctx: StubContext, bootParams: BootParams, initrd: Initrd | null): null {
  return ctx.machine.step('ST-42', 'linux_exec_efi_handover passes the initrd', () => {
    const at = initrd?.at ?? phys(0)
    const size = initrd?.size ?? 0
    const page = zeroPage(ctx.machine.memory, bootParams.at)
    page.setWhole('ramdisk_image', at)
    page.setWhole('ramdisk_size', size)
    ctx.machine.observe({ ramdiskImageFromStub: at })
    return null
  })
}

/** The address that is jumped to. */
export function jumpToEntry({
  from,
}: StubBehaviour['entry']): (
  ctx: StubContext,
  kernel: Kernel,
  header: SetupHeader,
  bootParams: BootParams,
  image: Phys,
) => Phys {
  return from === 'code32_start' ? fromCode32Start : fromImage
}

/** code32_start (32 bits) + 0x200 + handover_offset. */
function fromCode32Start(
  ctx: StubContext,
  kernel: Kernel,
  header: SetupHeader,
  bootParams: BootParams,
  image: Phys,
): Phys {
  return ctx.machine.step('ST-43', 'linux_efi_handover jumps to the handover entry', () => {
    const offset = (bootParams.setup_sects + 1) * SECTOR + SECTOR + header.handover_offset
    const entry = phys(
      wrap32(image + (bootParams.setup_sects + 1) * SECTOR) + SECTOR + header.handover_offset,
    )
    if (entry !== image + offset)
      ctx.machine.enter(
        rangeAt(entry, 1),
        kernel.object,
        offset,
        'the stub jumps to an address truncated to 32 bits',
      )
    return entry
  })
}

/** The image's address (64 bits) + 0x200 + handover_offset. */
function fromImage(
  ctx: StubContext,
  _: Kernel,
  header: SetupHeader,
  bootParams: BootParams,
  image: Phys,
): Phys {
  return ctx.machine.step('ST-44', 'linux_efi_handover jumps to the handover entry', () =>
    add(image, (bootParams.setup_sects + 1) * SECTOR + SECTOR + header.handover_offset),
  )
}
