/** Slot entryMethod: how the kernel is entered (chapter ST). */
import { printed } from '../../messages/texts.ts'
import { NATIVE_MACHINE } from '../../image/pe.ts'
import type { ClauseId } from '../../machine/machine.ts'
import type { HandOff } from '../../machine/model.ts'
import type {
  CommandLineBehaviour,
  KernelHeaderBehaviour,
  OwnLoaderBehaviour,
  StubBehaviour,
} from '../behaviour.ts'
import type { BootPayload, EntryMethod, Kernel, StubContext } from '../model.ts'
import { linuxExec } from './linux-exec.ts'
import { loadMessages, loadViaBootServices, shimMessages, widenAndLoad } from './load-image.ts'
import { statusIn } from './status.ts'
import { xmalloc } from './xmalloc.ts'
import {
  brokenCheck,
  type HeaderCheck,
  headerInFile,
  isOwnMachine,
  peAt,
  peBehindDos,
  type PeInMemory,
  sixDirectories,
} from './section-table.ts'

/** The entry method that a release chooses. */
export function chooseEntryMethod(
  method: StubBehaviour['entryMethod'],
  { encoding }: CommandLineBehaviour,
  messages: StubBehaviour['messages'],
): (ctx: StubContext, kernel: Kernel) => EntryMethod {
  if (method.way === 'handover') return alwaysHandover
  if (method.way === 'own loader') return linuxExecOrHandover(method, messages)
  const start = (encoding === 'UTF-16' ? loadViaBootServices : widenAndLoad)(loadMessages(messages))
  return (ctx, kernel) => loadImageOrHandover(ctx, kernel, start, messages)
}

/** The handover protocol for every kernel. */
function alwaysHandover({ machine }: StubContext): EntryMethod {
  return machine.step('ST-26', 'linux_exec uses the handover protocol', () => ({
    via: 'efi-handover',
    sizeInMemory: 0,
  }))
}

/** The kernel's own PE header, or a refusal if it has none. */
function kernelHeader(
  { machine }: StubContext,
  clause: ClauseId,
  kernel: Kernel,
  messages: StubBehaviour['messages'],
  checks: readonly HeaderCheck[],
): PeInMemory {
  const bad = (id: ClauseId, why: string): never =>
    machine.refuse(
      id,
      'EFI_LOAD_ERROR',
      why,
      printed('stub/bad-kernel', { status: statusIn(messages, 'EFI_LOAD_ERROR') }),
    )
  const pe = peAt(machine, kernel.at)
  if (pe === null || !isOwnMachine(pe))
    return bad(
      clause,
      pe !== null && pe.Machine !== NATIVE_MACHINE
        ? '.linux is a PE file for another machine'
        : '.linux is not a PE file',
    )
  const broken = brokenCheck(checks, pe, kernel.size)
  return broken === null ? pe : bad(broken.clause, `.linux: ${broken.why}`)
}

/** A loaded image for kernels that fetch their initrd; the handover protocol for older ones. */
function loadImageOrHandover(
  ctx: StubContext,
  kernel: Kernel,
  start: (ctx: StubContext, payload: BootPayload) => HandOff,
  messages: StubBehaviour['messages'],
): EntryMethod {
  return ctx.machine.step('ST-27', "pe_kernel_info looks at the kernel's PE header", () => {
    const pe = kernelHeader(ctx, 'ST-27', kernel, messages, [])
    return pe.MajorImageVersion < 1
      ? { via: 'efi-handover', sizeInMemory: pe.SizeOfImage }
      : { via: 'pe-entry', start }
  })
}

/** sizeof(KERNEL_FILE_PATH): a memory-mapped device path node and the end node. */
const KERNEL_FILE_PATH = 28

/** The entry point lies in the image. */
const entryInside: HeaderCheck = ({ MajorImageVersion, AddressOfEntryPoint, SizeOfImage }) =>
  MajorImageVersion >= 1 && AddressOfEntryPoint >= SizeOfImage
    ? { clause: 'ST-69', why: 'the entry point lies past the end of the image' }
    : null

/** Conditions on the kernel's header, in the order in which they are looked at. */
function checksOf(header: KernelHeaderBehaviour): readonly HeaderCheck[] {
  return [
    ...(header.insideFile ? [headerInFile] : []),
    ...(header.headerAfterDos ? [peBehindDos] : []),
    ...(header.sixDirectories ? [sixDirectories] : []),
    ...(header.entryInside ? [entryInside] : []),
  ]
}

/**
 * The stub's own loader, or LoadImage under Secure Boot with shim; the handover protocol for older kernels,
 * of whose PE it then knows nothing.
 */
function linuxExecOrHandover(
  method: OwnLoaderBehaviour,
  messages: StubBehaviour['messages'],
): (ctx: StubContext, kernel: Kernel) => EntryMethod {
  const checks = checksOf(method.header)
  return (ctx, kernel) =>
    ctx.machine.step('ST-59', "pe_kernel_info looks at the kernel's PE header", () => {
      const pe = kernelHeader(ctx, 'ST-59', kernel, messages, checks)
      if (pe.MajorImageVersion < 1) return { via: 'efi-handover', sizeInMemory: 0 }
      const { secureBoot, shim } = ctx.machine.settings
      ctx.machine.step('ST-60', 'makes a device path', () =>
        xmalloc(ctx, 'ST-60', KERNEL_FILE_PATH, 'stub:kernel_file_path'),
      )
      if (secureBoot)
        ctx.machine.assume(
          'ST-67',
          shim
            ? 'shim started the image, and its loader protocol or both security protocols are there'
            : 'shim did not start the image',
        )
      return {
        via: 'pe-entry',
        start: secureBoot && shim ? loadViaBootServices(shimMessages) : linuxExec(pe, method),
      }
    })
}
