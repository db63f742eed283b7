/**
 * Link addresses of the decompressor that are not in any header: immediates in the code of startup_32 and
 * startup_64. Source: arch/x86/boot/compressed/head_64.S.
 */
import type { ByteSource } from '../../bytes/source.ts'
import { byteCount, fileOffset, type ByteCount } from '../../bytes/units.ts'

/** Offsets from `startup_32`; null if the code does not match a known pattern. */
export interface Geometry {
  readonly _bss: ByteCount | null
  readonly _ebss: ByteCount | null
  readonly pgtable: ByteCount | null
  readonly _end: ByteCount | null
  readonly boot_stack_end: ByteCount | null
  /** `.Lrelocated`: where the moved copy continues. */
  readonly relocated: ByteCount | null
}

/** A byte pattern: null is any byte after the first. */
type Pattern = readonly [number, ...(number | null)[]]

const ANY4 = [null, null, null, null] as const
/** `sub $_end, %ebx; add %rbp, %rbx` */
const SUB_END: Pattern = [0x81, 0xeb, ...ANY4, 0x48, 0x01, 0xeb]
/** `lea boot_stack_end(%rbx), %rsp` */
const LEA_STACK: Pattern = [0x48, 0x8d, 0xa3, ...ANY4]
/** `lea (_bss - 8)(%rbx), %rdi` */
const LEA_DESTINATION: Pattern = [0x48, 0x8d, 0xbb, ...ANY4]
/** `std; rep movsq` */
const MOVE: Pattern = [0xfd, 0xf3, 0x48, 0xa5]
/** `lea .Lrelocated(%rbx), %rax; jmp *%rax` */
const JUMP: Pattern = [0x48, 0x8d, 0x83, ...ANY4, 0xff, 0xe0]
/** `lea pgtable(%ebx), %edi; xor %eax, %eax; mov $imm32, %ecx; rep stosl` */
const CLEAR_PGTABLE: Pattern = [0x8d, 0xbb, ...ANY4, 0x31, 0xc0, 0xb9, ...ANY4, 0xf3, 0xab]
/** `lea _bss(%rip), %rdi; lea _ebss(%rip), %rcx` */
const CLEAR_BSS: Pattern = [0x48, 0x8d, 0x3d, ...ANY4, 0x48, 0x8d, 0x0d, ...ANY4]

/** `.head.text` is shorter than this in every kernel read so far. */
const HEAD_MAX = 0x800
const MOVE_LOOK_BACK = 40

function findIn(code: Uint8Array, pattern: Pattern, from: number, to = code.length): number | null {
  const last = Math.min(to, code.length) - pattern.length
  for (let at = code.indexOf(pattern[0], from); at >= 0 && at <= last; at = code.indexOf(pattern[0], at + 1))
    if (pattern.every((byte, i) => byte === null || code[at + i] === byte)) return at
  return null
}

function lastIn(code: Uint8Array, pattern: Pattern, from: number, to: number): number | null {
  let last: number | null = null
  for (let at = findIn(code, pattern, from, to); at !== null; at = findIn(code, pattern, at + 1, to))
    last = at
  return last
}

function u32(code: Uint8Array, at: number): number {
  return new DataView(code.buffer, code.byteOffset, code.byteLength).getUint32(at, true)
}

/**
 * Target of a RIP-relative operand at `at` whose instruction ends right after it, as an offset from
 * `startup_32`; null below it.
 */
function target(code: Uint8Array, at: number, base: number): ByteCount | null {
  const offset = base + at + 4 + (u32(code, at) | 0)
  return offset >= 0 ? byteCount(offset) : null
}

/** `_bss` and `_ebss` from the code at .Lrelocated that clears the bytes between them. */
function readClear(code: Uint8Array, relocated: number): Pick<Geometry, '_bss' | '_ebss'> | null {
  const clear = findIn(code, CLEAR_BSS, 0)
  return clear === null
    ? null
    : { _bss: target(code, clear + 3, relocated), _ebss: target(code, clear + 10, relocated) }
}

/** Reads at most 2.1 KiB of code from after `setupSize`. Never throws. */
export function readGeometry(source: ByteSource, setupSize: number, payloadOffset: number): Geometry {
  const head = source.read(
    fileOffset(setupSize),
    payloadOffset > 0 ? Math.min(payloadOffset, HEAD_MAX) : HEAD_MAX,
  )
  const operand = (at: number | null, skip: number): ByteCount | null =>
    at === null ? null : byteCount(u32(head, at + skip))
  const sub = findIn(head, SUB_END, 0x200)
  const stack = sub === null ? null : findIn(head, LEA_STACK, sub, sub + 64)
  const move = findIn(head, MOVE, 0x200)
  const destination =
    move === null ? null : lastIn(head, LEA_DESTINATION, Math.max(0x200, move - MOVE_LOOK_BACK), move)
  const before = operand(destination, 3)
  const relocated = move === null ? null : operand(findIn(head, JUMP, move), 3)
  const cleared =
    relocated === null ? null : readClear(source.read(fileOffset(setupSize + relocated), 64), relocated)
  const moved = before === null ? null : byteCount(before + 8)
  return {
    _bss: moved ?? cleared?._bss ?? null,
    _ebss: cleared?._ebss ?? null,
    pgtable: operand(findIn(head, CLEAR_PGTABLE, 0, 0x200), 2),
    _end: operand(sub, 2),
    boot_stack_end: operand(stack, 3),
    relocated,
  }
}
