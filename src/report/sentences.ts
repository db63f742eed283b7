/** Wording shared by all renderers: the verdict, the outcome, the facts. */
import { formatRange, hex } from '../bytes/range.ts'
import { count } from './layout.ts'
import type { KernelSlots } from '../machine/model.ts'
import type { BuilderRef, Finding, MapLine, RunReport } from './model.ts'

/** `damage: 1 damage, 2 breaches`: the verdict, and its grounds. */
export function verdictText(report: RunReport & { readonly advice?: readonly Finding[] }): string {
  const rests = restsOn(report)
  return rests === '' ? report.verdict : `${report.verdict}: ${rests}`
}

/** The grounds of a verdict; empty if there are none. */
export function restsOn(report: RunReport & { readonly advice?: readonly Finding[] }): string {
  const assumed = report.assumptions.length
  return [foundText(report), ...(assumed > 0 ? [count(assumed, 'assumption', 'assumptions')] : [])]
    .filter(text => text !== '')
    .join(', ')
}

/** How many findings of each class there are, and gaps; empty if there are none. */
export function foundText(report: RunReport & { readonly advice?: readonly Finding[] }): string {
  const number = (kind: Finding['class']): number =>
    report.findings.filter(finding => finding.class === kind).length
  return [
    ...(number('damage') > 0 ? [`${String(number('damage'))} damage`] : []),
    ...(number('breach') > 0 ? [count(number('breach'), 'breach', 'breaches')] : []),
    ...((report.advice ?? []).length > 0 ? [`${String(report.advice?.length)} advice`] : []),
    ...(report.gaps.length > 0 ? [count(report.gaps.length, 'gap of the model', 'gaps of the model')] : []),
  ].join(', ')
}

/** The tools that may have built the image. */
export function builderText({ certainty, candidates }: BuilderRef): string {
  const [first] = candidates
  if (first === undefined) return 'no known tool'
  return certainty === 'certain'
    ? `${first.title} (${first.evidence.join(' ')})`
    : `one of ${candidates.map(({ title }) => title).join('; ')}, which have the same layout`
}

/** How a run ended, in one sentence. */
export function outcomeText(outcome: RunReport['outcome']): string {
  switch (outcome.kind) {
    case 'arrived': {
      const { entry, bootParams, slots } = outcome.at
      const where = slots === undefined ? `at ${hex(entry)}` : `${slotsText(slots)},`
      return `the extracted kernel starts ${where} with its boot_params at ${hex(bootParams)}`
    }
    case 'refused': {
      const { by, status, clause, why } = outcome.refusal
      return `refused by ${by} with ${status} (${clause}): ${why}`
    }
    case 'undefined':
      return `undefined since event #${String(outcome.since)}: ${outcome.why}`
    case 'unknown':
      return `unknown: the model ends here (${outcome.gap.clause}): ${outcome.gap.why}`
  }
}

/** `anywhere in 0x1000000-0x1fe00000, 157 slots`. */
export function slotsText({ from, to, count: slots }: KernelSlots): string {
  return `anywhere in ${formatRange({ start: from, end: to })}, ${String(slots)} slots`
}

/** What is said of a line of a snapshot: of a kernel at random, that this is one of its places. */
export function lineText({ object, what }: MapLine, { kernelSlots }: RunReport['facts']): string {
  return object === 'vo' && kernelSlots !== undefined
    ? `in the first of ${String(kernelSlots.count)} slots, ` +
        `anywhere in ${formatRange({ start: kernelSlots.from, end: kernelSlots.to })}`
    : what
}

/** Name and value of every fact of a run. */
export function factRows(facts: RunReport['facts']): string[][] {
  const rows: string[][] = []
  const address = (name: string, value: number | undefined): void => {
    if (value !== undefined) rows.push([name, hex(value)])
  }
  address('imageBase', facts.imageBase)
  if (facts.handOff !== undefined)
    rows.push([
      'handOff',
      `${facts.handOff.entryMethod}, kernel image ${hex(facts.handOff.kernelImage)}, entry ` +
        hex(facts.handOff.entry),
    ])
  address('bootParams', facts.bootParams)
  address('cmdLinePtr', facts.cmdLinePtr)
  if (facts.commandLine !== undefined) rows.push(['commandLine', facts.commandLine])
  address('ramdiskImageFromStub', facts.ramdiskImageFromStub)
  address('ramdiskImage', facts.ramdiskImage)
  address('ramdiskSize', facts.ramdiskSize)
  address('compressedImage', facts.compressedImage)
  address('decompressedKernel', facts.decompressedKernel)
  if (facts.kernelSlots !== undefined) rows.push(['decompressedKernel', slotsText(facts.kernelSlots)])
  if (facts.payload !== undefined) rows.push(['payload', payloadText(facts.payload)])
  if (facts.initrdDamage !== undefined)
    rows.push([
      'initrdDamage',
      facts.initrdDamage.length === 0
        ? 'none'
        : facts.initrdDamage.map(({ from, to }) => `${hex(from)}-${hex(to)}`).join(', '),
    ])
  for (const { name, address: at, size, intact } of facts.sections ?? [])
    rows.push([
      `section ${name}`,
      `${formatRange({ start: at, end: (at + size) as typeof at })}${intact ? '' : ', not intact'}`,
    ])
  return rows
}

function payloadText({
  format,
  consumed,
  produced,
  margin,
}: NonNullable<RunReport['facts']['payload']>): string {
  const decoded = `${format}, ${String(consumed)} bytes decoded to ${String(produced)}`
  if (margin === undefined) return decoded
  return margin < 0
    ? `${decoded}, extracted in place: overtakes its input by ${hex(-margin)}`
    : `${decoded}, extracted in place with ${hex(margin)} to spare`
}
