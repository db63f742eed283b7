/** The first instructions: what must be the kernel's own bytes. Chapter EP. */
import { hex, rangeAt, rangeOrNull } from '../../../bytes/range.ts'
import { physOf } from '../../../bytes/units.ts'
import type { KernelBehaviour } from '../behaviour.ts'
import { ZERO_PAGE, type KernelBoot, type Step } from '../boot.ts'
import { codeStop } from '../file.ts'
import { givenCommandLine } from './command-line.ts'
import { ramdisk } from './initrd.ts'

/** The longest x86 instruction has 15 bytes: these bytes are executed for certain. */
const FIRST_BYTES = 16

/**
 * The first instructions of an EFI entry, as compilers made them. Measured on Debian's kernels 5.10 to 7.2:
 * efi_pe_entry begins with the GUID of the loaded image protocol, later with what it saves of its arguments;
 * efi64_stub_entry, which is assembly, aligns the stack or jumps.
 */
const STARTS: Readonly<Record<'pe-entry' | 'efi-handover', readonly (readonly number[])[]>> = {
  'pe-entry': [
    [0x48, 0xb8, 0xa1, 0x31, 0x1b, 0x5b, 0x62, 0x95, 0xd2, 0x11],
    [0x57, 0x48, 0x89, 0xcf, 0x56, 0x48, 0x89, 0xd6],
  ],
  'efi-handover': [[0x48, 0x83, 0xe4, 0xf0, 0x48, 0x89, 0xd3, 0xe8]],
}
/** SYM_FUNC_START aligns functions of assembly. Source: linux@6.12.107 arch/x86/include/asm/linkage.h. */
const FUNCTION_ALIGNMENT = 16
/** From 6.1 on efi64_stub_entry is a jump. */
const JMP = 0xe9
/** How far from an entry point its function is looked for, in bytes. */
const NEAR = 64

/** Do the bytes from `at` on begin as one of these functions? */
function beginsAt(bytes: Uint8Array, at: number, starts: readonly (readonly number[])[]): boolean {
  return starts.some(start => start.every((byte, i) => bytes[at + i] === byte))
}

/** Is the entry point the first byte of a function, as far as its bytes tell? */
function checkStart(boot: KernelBoot, offset: number): void {
  const { machine, from } = boot
  if (from.via !== 'pe-entry' && from.via !== 'efi-handover') return
  if (from.via === 'efi-handover' && offset % FUNCTION_ALIGNMENT !== 0) {
    machine.unmodelled(
      'EP-56',
      `${entryAt(offset)} is not at a multiple of 16: no function of assembly begins there`,
    )
    return
  }
  const starts = STARTS[from.via]
  const { bytes } = machine.memory.peek(rangeAt(from.entry, FIRST_BYTES))
  if (beginsAt(bytes, 0, starts) || (from.via === 'efi-handover' && bytes[0] === JMP)) return
  const off = nearestStart(machine.memory.peek(rangeAt(from.entry - NEAR, 3 * NEAR)).bytes, starts)
  if (off === null)
    machine.assume('EP-56', `${entryAt(offset)} is that of the EFI stub: how it begins is not known`)
  else
    machine.unmodelled(
      'EP-56',
      `${entryAt(offset)} is ${String(Math.abs(off))} bytes ${off > 0 ? 'after' : 'before'} the first ` +
        'instruction of a function',
    )
}

const entryAt = (offset: number): string => `the entry point at ${hex(offset)} of the kernel file`

/** How far the middle of these bytes is after the nearest function that begins in them; null without one. */
function nearestStart(bytes: Uint8Array, starts: readonly (readonly number[])[]): number | null {
  for (let far = 1; far <= NEAR; far++) {
    if (beginsAt(bytes, NEAR - far, starts)) return far
    if (beginsAt(bytes, NEAR + far, starts)) return -far
  }
  return null
}

/**
 * Enters the kernel's code at its entry, then the part after the payload, with the code and data of EFI stub
 * and decompressor.
 */
export function enterKernel(boot: KernelBoot): void {
  const { machine, from, fileAt, file } = boot
  machine.step('EP-1', 'the kernel is entered', () => {
    if (from.entry < fileAt) machine.gap('EP-1', 'the entry point lies below the kernel image')
    const offset = from.entry - fileAt
    const payload = file.setupSize + file.payloadOffset
    if (offset < file.setupSize || (offset >= payload && offset < payload + file.payloadLength))
      machine.unmodelled(
        'EP-56',
        `the entry point at ${hex(offset)} of the kernel file is in its ` +
          `${offset < payload ? 'setup' : 'payload'}: no kernel has an entry there`,
      )
    else checkStart(boot, offset)
    enterOwn(boot, from.entry - fileAt, FIRST_BYTES, 'the first instructions of the kernel were overwritten')
    if (from.via !== 'pe-entry') readHandOff(boot)
    const past = file.setupSize + file.payloadOffset + file.payloadLength
    enterOwn(
      boot,
      past,
      file.setupSize + codeStop(file) - past,
      "the code of the kernel's EFI stub was overwritten",
    )
  })
}

/** Handling of the code in front of the payload. */
export function entryCode({ runs }: KernelBehaviour['entryCode']): Step {
  return runs ? enterHead : skipHead
}

/** The code in front of the payload runs too: the fixed entry points, and head_64.S. */
export function enterHead(boot: KernelBoot): void {
  boot.machine.step('EP-2', 'the code in front of the payload is going to run', () => {
    enterOwn(
      boot,
      boot.file.setupSize,
      boot.file.payloadOffset,
      'the code in front of the payload was overwritten',
    )
  })
}

/** Nothing in front of the payload runs on an EFI boot. */
function skipHead(boot: KernelBoot): void {
  boot.machine.step('EP-3', 'the code in front of the payload is not run', () => undefined)
}

function enterOwn(boot: KernelBoot, offset: number, length: number, what: string): void {
  const where = rangeOrNull(boot.fileAt + offset, length)
  if (where !== null) boot.machine.enter(where, boot.object, offset, what)
}

function readHandOff(boot: KernelBoot): void {
  boot.machine.memory.readAs(rangeAt(boot.bootParams, ZERO_PAGE), 'boot_params')
  const at = physOf(ramdisk(boot).at)
  if (at !== null) boot.machine.observe({ ramdiskImageFromStub: at })
  boot.commandLine = givenCommandLine(boot)
}
