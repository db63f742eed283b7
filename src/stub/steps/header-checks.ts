/** Slot headerChecks: the setup header's conditions for the handover protocol (chapter ST). */
import { printed, TEXTS } from '../../messages/texts.ts'
import { rangeAt } from '../../bytes/range.ts'
import {
  boot_params,
  PROTOCOL_2_11,
  PROTOCOL_2_12,
  SETUP_HEADER_AT,
  XLF_EFI_HANDOVER_64,
} from '../../image/x86/boot-params.ts'
import type { StubBehaviour } from '../behaviour.ts'
import type { StubContext, Kernel } from '../model.ts'
import { isKernel, KNOWN_HEADER_END, type SetupHeader } from '../setup-header.ts'
import { readSetupHeader } from './kernel-header.ts'
import { statusTitle } from './status.ts'

type ChecksBehaviour = StubBehaviour['headerChecks']

/** The checks of a release. */
export function checkSetupHeader(checks: ChecksBehaviour): (ctx: StubContext, kernel: Kernel) => SetupHeader {
  if (checks.messages === 'each') return (ctx, kernel) => checkEach(ctx, kernel, checks)
  return checks.length ? checkLengthAndAll : checkAll
}

function read(ctx: StubContext, kernel: Kernel): SetupHeader {
  if (kernel.found)
    ctx.machine.memory.readAs(
      rangeAt(kernel.at + SETUP_HEADER_AT, KNOWN_HEADER_END - SETUP_HEADER_AT),
      kernel.object,
      { at: SETUP_HEADER_AT },
    )
  return readSetupHeader(ctx, kernel)
}

/** `.linux` must be at least as long as a zero page, then the four conditions. */
function checkLengthAndAll(ctx: StubContext, kernel: Kernel): SetupHeader {
  return ctx.machine.step('ST-81', 'linux_exec checks the length of .linux', () => {
    if (kernel.size < boot_params.size)
      ctx.machine.refuse(
        'ST-81',
        'EFI_LOAD_ERROR',
        '.linux is smaller than a zero page',
        printed('stub/exec-failed', { status: statusTitle('EFI_LOAD_ERROR') }),
      )
    return checkAll(ctx, kernel)
  })
}

/** Four conditions, one message for all of them; a handover entry is not checked for. */
function checkAll(ctx: StubContext, kernel: Kernel): SetupHeader {
  const { machine } = ctx
  return machine.step('ST-31', 'linux_exec checks the setup header', () => {
    const header = read(ctx, kernel)
    if (!isKernel(header) || header.version < PROTOCOL_2_11 || header.relocatable_kernel === 0) {
      const why = !kernel.found
        ? 'there is no .linux section, and the image itself is not a kernel'
        : '.linux does not begin with the header of a relocatable kernel'
      machine.refuse(
        'ST-31',
        'EFI_LOAD_ERROR',
        why,
        printed('stub/exec-failed', { status: statusTitle('EFI_LOAD_ERROR') }),
      )
    }
    if (header.handover_offset === 0 || lacksHandover(header))
      machine.gap('ST-31', 'the kernel has no 64-bit handover entry, and this stub jumps to it anyway')
    return header
  })
}

function lacksHandover({ version, xloadflags }: SetupHeader): boolean {
  return version >= PROTOCOL_2_12 && (xloadflags & XLF_EFI_HANDOVER_64) === 0
}

/** Each condition with a message of its own. */
function checkEach(ctx: StubContext, kernel: Kernel, { length }: ChecksBehaviour): SetupHeader {
  const { machine } = ctx
  return machine.step('ST-32', 'linux_exec_efi_handover checks the setup header', () => {
    if (length && kernel.size < boot_params.size)
      machine.refuse('ST-32', 'EFI_LOAD_ERROR', '.linux is smaller than a zero page')
    const header = read(ctx, kernel)
    const no = (message: string): never =>
      machine.refuse(
        'ST-32',
        'EFI_UNSUPPORTED',
        'the setup header of .linux does not allow the handover protocol',
        message,
      )
    if (!isKernel(header)) no(TEXTS['stub/unsupported-kernel'])
    if (header.version < PROTOCOL_2_11) no(TEXTS['stub/kernel-too-old'])
    if (header.relocatable_kernel === 0) no(TEXTS['stub/not-relocatable'])
    if (lacksHandover(header)) no(TEXTS['stub/no-handover'])
    if (header.handover_offset === 0)
      machine.gap('ST-32', 'handover_offset is 0, and the stub uses it anyway')
    return header
  })
}
