/** Compares the prediction with the log of a real boot, fact by fact (HZ-18). */
import { hex } from '../bytes/range.ts'
import type { ByteSource } from '../bytes/source.ts'
import { PAGE, alignUp } from '../bytes/units.ts'
import { parseBzImage } from '../image/x86/bzimage.ts'
import type { ObservedFact, ObservedFactName } from '../image/observed.ts'
import type { Gap } from '../machine/machine.ts'
import type { Recording } from '../memory/recorder.ts'
import type { Run } from './run.ts'

/** One fact, predicted and observed, as texts. */
export interface ComparedFact {
  readonly name: ObservedFactName
  /** null: this run does not predict it. */
  readonly predicted: string | null
  readonly observed: string
  /** Line of the log in which it was observed, from 1. */
  readonly line: number
  /** null if nothing was predicted. */
  readonly agrees: boolean | null
}

/** The prediction of a fact: a value, or an upper limit. */
type Prediction = { readonly is: number | string } | { readonly atMost: number }

/** Compares every observed fact with the run. `linux`: the bytes of the kernel in the file. */
export function compareWithObserved(
  { facts, recording }: Pick<Run, 'facts' | 'recording'>,
  linux: ByteSource | null,
  observed: readonly ObservedFact[],
): ComparedFact[] {
  const kernel = linux === null ? null : parseBzImage(linux).bzimage
  const payload = payloadRead(recording)
  const trampoline = trampolineMade(recording)
  const { ramdiskImage, ramdiskSize, decompressedKernel, commandLine } = facts
  const initSize = kernel?.hdr.init_size
  const hasRamdisk = ramdiskImage !== undefined && ramdiskSize !== undefined && ramdiskSize > 0
  const { imageBase } = facts
  const predictions: Readonly<Partial<Record<ObservedFactName, Prediction | null>>> = {
    imageBase: imageBase === undefined ? null : { is: imageBase },
    release: kernel?.release == null ? null : { is: kernel.release },
    commandLine: commandLine === undefined ? null : { is: commandLine.trim() },
    initrdFrom:
      facts.handOff?.entryMethod === 'pe-entry' && hasRamdisk
        ? { is: 'LINUX_EFI_INITRD_MEDIA_GUID device path' }
        : null,
    input_data: payload === null ? null : { is: payload.start },
    input_len: payload === null ? null : { is: payload.end - payload.start },
    output: decompressedKernel === undefined ? null : { is: decompressedKernel },
    trampoline_32bit: trampoline === null ? null : { is: trampoline },
    output_len: kernel?.payload?.output_len == null ? null : { is: kernel.payload.output_len },
    kernel_total_size: initSize === undefined ? null : { atMost: initSize },
    needed_size: initSize === undefined ? null : { atMost: initSize },
    ramdiskStart: hasRamdisk ? { is: ramdiskImage } : null,
    ramdiskEnd: hasRamdisk ? { is: alignUp<number>(ramdiskImage + ramdiskSize, PAGE) } : null,
    kernelCode: decompressedKernel === undefined ? null : { is: decompressedKernel },
  }
  return oneBase(observed, imageBase).map(({ name, value, line }) => {
    const prediction = predictions[name] ?? null
    const agrees = prediction === null ? null : holds(prediction, value)
    return {
      name,
      predicted: prediction === null ? null : predictionText(prediction),
      observed: shown(value),
      line,
      agrees,
    }
  })
}

/**
 * Of all images that the firmware loaded, the one at the predicted place; the last one where none lies there.
 */
function oneBase(observed: readonly ObservedFact[], predicted: number | undefined): ObservedFact[] {
  const bases = observed.filter(({ name }) => name === 'imageBase')
  const base = bases.find(({ value }) => value === predicted) ?? bases.at(-1)
  return observed.filter(fact => fact.name !== 'imageBase' || fact === base)
}

function holds(prediction: Prediction, value: number | string): boolean {
  return 'is' in prediction ? prediction.is === value : Number(value) <= prediction.atMost
}

function predictionText(prediction: Prediction): string {
  return 'is' in prediction ? shown(prediction.is) : `at most ${hex(prediction.atMost)}`
}

function shown(value: number | string): string {
  return typeof value === 'number' ? hex(value) : value
}

/** Where the decompressor read its input from: the read of step ZO-11. */
function payloadRead({ events, steps }: Recording): { readonly start: number; readonly end: number } | null {
  const step = steps.find(one => one.clause === 'ZO-11')
  const read =
    step === undefined ? undefined : events.slice(step.first, step.end).find(event => event.op === 'read')
  return read?.op === 'read' ? read.range : null
}

/** Where the decompressor put its trampoline: the object made by step ZO-5. */
function trampolineMade({ events, steps }: Recording): number | null {
  const step = steps.find(one => one.clause === 'ZO-5')
  const made =
    step === undefined ? undefined : events.slice(step.first, step.end).find(event => event.op === 'make')
  return made?.op === 'make' ? made.range.start : null
}

/** A prediction that the real boot contradicts proves nothing, so the verdict is unknown. */
export function contradictions(compared: readonly ComparedFact[]): Gap[] {
  const wrong = compared.filter(fact => fact.agrees === false)
  if (wrong.length === 0) return []
  return [
    {
      clause: 'HZ-18',
      why:
        'the observed boot contradicts the prediction in ' +
        `${wrong.map(fact => fact.name).join(', ')}: image, machine or settings differ from ` +
        'that boot, or the model is wrong',
    },
  ]
}
