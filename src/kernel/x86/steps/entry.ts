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
