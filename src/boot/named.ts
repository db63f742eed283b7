/** Eras of stub and kernel by id or release, for callers who replace a step in one. */
import { UsageError } from '../bytes/errors.ts'
import { kernelEras, type KernelEra } from '../kernel/kernels.ts'
import type { EraInfo } from '../machine/model.ts'
import { stubEras } from '../stub/eras.ts'
import type { StubEra } from '../stub/model.ts'
import { erasFor } from '../releases/version.ts'

/** The stub era of that id (`systemd-stub/S2`) or release (`247.3`). Throws UsageError if there is none. */
export function stubNamed(name: string): StubEra {
  return rowNamed('stub', name, Object.values(stubEras))
}

/** The kernel era of that id (`linux/E2`) or release (`5.10.223`). Throws UsageError if there is none. */
export function kernelNamed(name: string): KernelEra {
  return rowNamed('kernel', name, kernelEras)
}

function rowNamed<E extends EraInfo>(what: string, name: string, eras: readonly E[]): E {
  const [era] = [...eras.filter(row => row.id === name), ...erasFor(name, eras)]
  if (era === undefined)
    throw new UsageError(
      `unknown ${what} ${JSON.stringify(name)}: neither an era such as ` +
        `${eras[0]?.id ?? ''} nor a release in the table`,
    )
  return era
}
