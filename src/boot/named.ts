/**
 * Rows of the two tables by a name that people use: an era id or a release. For those who put a step of their
 * own into one.
 */
import { UsageError } from '../bytes/errors.ts'
import { kernelEras, type KernelEra } from '../kernel/kernels.ts'
import type { EraInfo } from '../machine/model.ts'
import { stubEras } from '../stub/eras.ts'
import type { StubEra } from '../stub/model.ts'
import { erasFor } from '../releases/version.ts'

/**
 * The stub's row of that id (`systemd-stub/S2`) or release (`247.3`). Throws UsageError when there is none.
 */
export function stubNamed(name: string): StubEra {
  return rowNamed('stub', name, Object.values(stubEras))
}

/** The kernel's row of that id (`linux/E2`) or release (`5.10.223`). Throws UsageError when there is none. */
export function kernelNamed(name: string): KernelEra {
  return rowNamed('kernel', name, kernelEras)
}

function rowNamed<E extends EraInfo>(what: string, name: string, eras: readonly E[]): E {
  const [era] = [...eras.filter(row => row.id === name), ...erasFor(name, eras)]
  if (era === undefined)
    throw new UsageError(
      `no row of a ${what} is named ${JSON.stringify(name)}: neither an era such as ${eras[0]?.id ?? ''} nor a release in the table`,
    )
  return era
}
