/** One expectation over many boots: all are tried, and one failure names all that failed. */
import { allFaults, prepared } from '../all-faults.ts'
import { UsageError } from '../bytes/errors.ts'
import { check, type Checked, type CheckInput } from '../check.ts'
import { sayCall, type ServiceCall } from '../firmware/service-call.ts'
import { FIRMWARES, type Firmware } from '../firmware/firmwares.ts'
import { kernelEras, type KernelEra } from '../kernel/kernels.ts'
import { stubEras } from '../stub/eras.ts'
import type { StubEra } from '../stub/model.ts'
import type { ScenarioInput } from './scenario.ts'

/** Failures that are shown whole; of the others their names. */
const SHOWN = 3

/** A boot of one case. */
type Boot<T> = (one: T) => Checked

/**
 * Throws one error that lists all cases in which `expectation` throws. Throws UsageError if there is no case.
 */
function forAll<T>(
  kind: string,
  cases: readonly T[],
  nameOf: (one: T) => string,
  boot: Boot<T>,
  expectation: (checked: Checked, one: T) => void,
): void {
  const failures: { readonly name: string; readonly why: string }[] = []
  for (const one of cases) {
    try {
      expectation(boot(one), one)
    } catch (error) {
      if (error instanceof UsageError) throw error
      failures.push({ name: nameOf(one), why: error instanceof Error ? error.message : String(error) })
    }
  }
  if (cases.length === 0) throw new UsageError(`nothing can be expected of no ${kind}`)
  if (failures.length === 0) return
  const shown = failures.slice(0, SHOWN).map(({ name, why }) => `--- ${name}\n${why}`)
  const others = failures.slice(SHOWN).map(({ name }) => `- ${name}`)
  throw new Error(
    [
      `${String(failures.length)} of ${String(cases.length)} ${kind} failed`,
      ...shown,
      ...(others.length === 0 ? [] : ['and', ...others]),
    ].join('\n'),
  )
}

const idOf = ({ id }: { readonly id: string }): string => id

/**
 * Expects something of the boot with every era of systemd-stub. Throws one error that names all eras for
 * which `expectation` throws; throws UsageError as `check` does.
 */
export function forAllStubs(
  input: Omit<CheckInput, 'stub'>,
  expectation: (checked: Checked, era: StubEra) => void,
): void {
  const same = prepared(input)
  forAll('stubs', Object.values(stubEras), idOf, ({ id }) => check({ ...same, stub: id }), expectation)
}

/** The same for every era of the kernel. */
export function forAllKernels(
  input: Omit<CheckInput, 'kernel'>,
  expectation: (checked: Checked, era: KernelEra) => void,
): void {
  const same = prepared(input)
  forAll('kernels', kernelEras, idOf, ({ id }) => check({ ...same, kernel: id }), expectation)
}

/** The same for every firmware: the machine's memory map stays, allocator and image loader change. */
export function forAllFirmware(
  input: ScenarioInput,
  expectation: (checked: Checked, firmware: Firmware) => void,
): void {
  const same = prepared(input)
  const on: Boot<Firmware> = firmware => check({ ...same, machine: { ...input.machine, firmware } })
  forAll('firmwares', FIRMWARES, idOf, on, expectation)
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
    ({ checked }) => checked,
    (checked, { call }) => {
      expectation(checked, call)
    },
  )
}
