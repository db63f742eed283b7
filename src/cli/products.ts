/** The products of `eras`, with their histories, eras, and the clauses of their data. */
import { linux } from '../kernel/kernels.ts'
import { KERNEL_LAW } from '../kernel/law.ts'
import { erasFor } from '../releases/version.ts'
import { stubHistory } from '../stub/history.ts'
import { STUB_LAW } from '../stub/law.ts'
import { fatHistory, thinHistory } from '../stub/lanzaboote/history.ts'
import { LANZABOOTE_LAW } from '../stub/lanzaboote/law.ts'
import { productOf, type Product, type ShownEra } from './product.ts'

/** All of them. */
export const PRODUCTS: readonly Product[] = [
  productOf('systemd-stub', stubHistory, STUB_LAW),
  productOf('lanzaboote', thinHistory, LANZABOOTE_LAW),
  productOf('lanzaboote/fat', fatHistory, LANZABOOTE_LAW, thinHistory),
  productOf('linux', linux, KERNEL_LAW),
]

/** An era and the product that has it. */
export interface FoundEra {
  readonly product: Product
  readonly era: ShownEra
}

/** The eras with that id or release. */
export function erasNamed(name: string): FoundEra[] {
  return PRODUCTS.flatMap(product => {
    const known = product.eras.filter(({ id }) => id === name)
    const found = known.length > 0 ? known : erasFor(name, product.eras)
    return found.map(era => ({ product, era }))
  })
}
