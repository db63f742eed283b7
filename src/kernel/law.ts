/** The port to the law of kernels, apart from kernels.ts: those alone load it who print it. */
import { X86_LAW } from './x86/law.ts'

/** Clauses of the kernel, by the record that they are about. */
export const KERNEL_LAW = X86_LAW
