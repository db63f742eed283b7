/** The port to the law of kernels, apart from kernels.ts: only code that prints the law loads it. */
import { X86_LAW } from './x86/law.ts'

/** Clauses of the kernel, by the behaviour record they describe. */
export const KERNEL_LAW = X86_LAW
