/**
 * Makes the image of a recorded boot again from header facts alone: the recorded section table, the measured
 * headers of stub and kernel, patterns for code.
 */
import { fileOffset } from '../../src/bytes/units.ts'
import { bytesSource, type ByteSource } from '../../src/bytes/source.ts'
import type { Content } from '../../src/image/content.ts'
import type { KernelFacts } from '../../src/image/x86/kernel-facts.ts'
import { STUB_FACTS, type StubFacts } from '../../src/image/stub-facts.ts'
import { buildFromLayout, buildKernel } from '../../src/image/synthetic.ts'
import { edited } from '../support/bytes.ts'
import { recordedKernel } from '../support/kernel-fixtures.ts'
import { recipeOf } from './recipes.ts'
import { HAND_BUILT, handBuiltKernel } from './hand-built.ts'
import type { Recording } from './recording.ts'
import { wholePayload } from './whole-payload.ts'

/** The kernel of a recording: measured, or built by hand. Throws when there is none. */
export function kernelOf(recording: Recording): KernelFacts {
  return HAND_BUILT[recording.kernel] ?? recordedKernel(recording.kernel).facts
}

/** The measured stub of a recording. Throws when there is none. */
export function stubOf(recording: Recording): StubFacts {
  const stubs: Readonly<Record<string, StubFacts>> = STUB_FACTS
  const facts = stubs[recording.stub]
  if (facts === undefined) throw new Error(`${recording.id}: no facts of stub ${recording.stub}`)
  return facts
}

const whole = new Map<string, ByteSource>()

/** The kernel of a recording with a payload that decompresses, made once for all of its recordings. */
export function withWholePayload(recording: Recording): ByteSource {
  const key = JSON.stringify([recording.kernel, recording.vmlinux])
  const found = whole.get(key)
  if (found !== undefined) return found
  const facts = kernelOf(recording)
  const at = (facts.hdr.setup_sects + 1) * 512 + facts.hdr.payload_offset
  const made = edited(buildKernel(facts), at, wholePayload(recording, facts))
  whole.set(key, made)
  return made
}

function flipped(kernel: ByteSource): ByteSource {
  const middle = kernel.size >> 1
  return edited(kernel, middle, [(kernel.read(fileOffset(middle), 1)[0] ?? 0) ^ 0x55])
}

function kernelContent(recording: Recording, facts: KernelFacts): Content {
  const kernel = recording.kernel in HAND_BUILT ? handBuiltKernel(recording) : buildKernel(facts)
  const { kernel: edit } = recipeOf(recording)
  if (edit === 'flip') return flipped(withWholePayload(recording))
  if (edit === 'text') return { text: 'this is no kernel\n'.repeat(1000) }
  if (edit === 'major0') return edited(kernel, facts.pe.e_lfanew + 68, [0, 0])
  return kernel
}

const rebuilt = new WeakMap<Recording, ByteSource>()

/**
 * The image with the recorded section table, with other contents where they are given; without, it is made
 * once.
 */
export function rebuild(recording: Recording, other?: Readonly<Record<string, Content[]>>): ByteSource {
  if (other !== undefined) return rebuiltWith(recording, other)
  const known = rebuilt.get(recording)
  if (known !== undefined) return known
  const made = rebuiltWith(recording, {})
  rebuilt.set(recording, made)
  return made
}

function rebuiltWith(recording: Recording, other: Readonly<Record<string, Content[]>>): ByteSource {
  const kernel = kernelOf(recording)
  const { commandLine, truncate, extra, tool } = recipeOf(recording)
  const contents: Record<string, Content[]> = {
    '.osrel': [{ text: 'ID=oracle\nVERSION_ID=1\nPRETTY_NAME="oracle"\n' }],
    '.cmdline': [{ text: commandLine }],
    '.linux': [kernelContent(recording, kernel)],
    '.initrd': [{ initrd: 0x4a7e00 }],
    '.uname': [{ text: recording.kernel }],
    ...other,
  }
  const renamed = recording.edit.find(([name]) => name === '.foo')?.[1]['rename'] ?? '.foo'
  if (extra !== null) (contents[renamed] ??= []).push(bytesSource(extra.bytes))
  // ukify cuts off the symbols of the stub that objcopy leaves after the last section
  const end = Math.max(...recording.layout.map(row => Number(row[3]) + Number(row[4])))
  const size = truncate ?? (tool === 'ukify' ? end : null)
  const optional = { ImageBase: recording.pe_image_base, SizeOfImage: Number(recording.size_of_image) }
  return buildFromLayout({
    stub: stubOf(recording),
    layout: recording.layout,
    contents,
    optional,
    ...(size === null ? {} : { size }),
  })
}
