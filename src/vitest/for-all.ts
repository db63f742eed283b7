/** One expectation over many boots: all are tried, and one failure names all that failed. */
import { allFaults } from '../all-faults.ts'
import { UsageError } from '../bytes/errors.ts'
import { check, type Checked, type CheckInput } from '../check.ts'
import { sayCall, type ServiceCall } from '../firmware/service-call.ts'
import { FIRMWARES, type Firmware } from '../firmware/firmwares.ts'
import { kernelEras, type KernelEra } from '../kernel/kernels.ts'
import { stubEras } from '../stub/eras.ts'
import type { StubEra } from '../stub/model.ts'
import { prepareImage, prepareMachine } from '../boot/prepare.ts'
import type { ScenarioInput } from './scenario.ts'

/** Failures that are shown whole; of the others their names. */
const SHOWN = 3

/**
 * Throws one error that lists all cases in which `expectation` throws. Throws UsageError if there is no case.
 */
function forAll<T>(
  kind: string,
  cases: Iterable<T>,
  nameOf: (one: T) => string,
  expectation: (one: T) => void,
): void {
  const failures: { readonly name: string; readonly why: string }[] = []
  let tried = 0
  for (const one of cases) {
    tried++
    try {
      expectation(one)
    } catch (error) {
      if (error instanceof UsageError) throw error
      failures.push({ name: nameOf(one), why: error instanceof Error ? error.message : String(error) })
    }
  }
  if (tried === 0) throw new UsageError(`nothing can be expected of no ${kind}`)
  if (failures.length === 0) return
  const shown = failures.slice(0, SHOWN).map(({ name, why }) => `--- ${name}\n${why}`)
  const others = failures.slice(SHOWN).map(({ name }) => `- ${name}`)
  throw new Error(
    [
      `${String(failures.length)} of ${String(tried)} ${kind} failed`,
      ...shown,
      ...(others.length === 0 ? [] : ['and', ...others]),
    ].join('\n'),
  )
}

/** The scenario with its image and machine prepared once for all boots. */
function prepared<Input extends CheckInput>(input: Input): Input {
  return {
    ...input,
    image: { ...input.image, source: prepareImage(input.image.source) },
    machine: prepareMachine(input.machine),
  }
}

/**
 * Expects something of the boot with every era of systemd-stub. Throws one error that names all eras for
 * which `expectation` throws; throws UsageError as `check` does.
 */
export function forAllStubs(
  input: Omit<CheckInput, 'stub'>,
  expectation: (checked: Checked, era: StubEra) => void,
): void {
  const same = prepared(input)
  forAll(
    'stubs',
    Object.values(stubEras),
    ({ id }) => id,
    era => {
      expectation(check({ ...same, stub: era.id }), era)
    },
  )
}

/** The same for every era of the kernel. */
export function forAllKernels(
  input: Omit<CheckInput, 'kernel'>,
  expectation: (checked: Checked, era: KernelEra) => void,
): void {
  const same = prepared(input)
  forAll(
    'kernels',
    Object.values(kernelEras),
    ({ id }) => id,
    era => {
      expectation(check({ ...same, kernel: era.id }), era)
    },
  )
}

/** The same for every firmware: the machine's memory map stays, allocator and image loader change. */
export function forAllFirmware(
  input: ScenarioInput,
  expectation: (checked: Checked, firmware: Firmware) => void,
): void {
  const { machine, image, ...rest } = input
  const same = { ...image, source: prepareImage(image.source) }
  forAll(
    'firmwares',
    FIRMWARES,
    ({ id }) => id,
    firmware => {
      expectation(check({ ...rest, image: same, machine: { ...machine, firmware } }), firmware)
    },
  )
}

/** The same for every call of a boot service that could fail: that call fails, alone. */
export function forAllFaults(
  input: Omit<CheckInput, 'faults'>,
  expectation: (checked: Checked, call: ServiceCall) => void,
): void {
  forAll(
    'faults',
    allFaults(input),
    ({ call }) => sayCall(call),
    ({ checked, call }) => {
      expectation(checked, call)
    },
  )
}
