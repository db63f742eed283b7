/** Facts of real kernels, by the name that they have in the table. */
import { KERNEL_FACTS, type KernelFacts } from '../../src/image/x86/kernel-facts.ts'

export function factsOf(name: string): KernelFacts {
  const facts = KERNEL_FACTS[name]
  if (facts === undefined) throw new Error(`no kernel ${name}`)
  return facts
}
