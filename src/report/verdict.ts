/** The verdict in one sentence for a person: what happens to what, by whom, and how the boot ends. */
import { actorName, inASentence } from '../hazard/in-a-sentence.ts'
import { count } from './layout.ts'
import type { Finding, RunReport } from './model.ts'

/** Where extracting the kernel does the damage: in how many of the places that KASLR may choose. */
function inSlots({ facts: { kernelSlots, harmfulSlots = 0 } }: RunReport, { legs }: Finding): string {
  const byKernel = legs.some(({ role, clause }) => role === 'overwritten' && clause === 'ZO-12')
  return kernelSlots === undefined || !byKernel || harmfulSlots === kernelSlots.count
    ? ''
    : ` (the slot decides: in ${String(harmfulSlots)} of ${String(kernelSlots.count)})`
}

function ending({ outcome }: RunReport): string {
  switch (outcome.kind) {
    case 'arrived':
      return ''
    case 'refused':
      return `; ${actorName(outcome.refusal.by)} then refuses to go on`
    case 'undefined':
      return '; the boot does not get past that'
    case 'unknown':
      return '; how it goes on is not modelled'
  }
}

function cleanText({ facts, findings }: RunReport): string {
  const passed = [
    ...((facts.ramdiskSize ?? 0) > 0 && facts.initrdOfImage !== false ? ['its initrd'] : []),
    ...(facts.commandLine === undefined || facts.commandLine === '' ? [] : ['its command line']),
  ]
  const broken = findings.filter(finding => finding.class === 'breach').length
  const but = broken === 0 ? '' : `, but ${count(broken, 'contract is', 'contracts are')} broken`
  return `the kernel starts${passed.length === 0 ? '' : ` with ${passed.join(' and ')} intact`}${but}`
}

/** `damage: the initrd is overwritten by the decompressor before the extracted kernel reads it`. */
export function verdictSentence(report: RunReport): string {
  return `${report.verdict}: ${verdictReason(report)}`
}

/** The sentence without its verdict. */
export function verdictReason(report: RunReport): string {
  const { verdict, outcome, findings, gaps } = report
  const damage = findings.filter(finding => finding.class === 'damage')
  const [first] = damage
  const more = damage.length > 1 ? `, and ${count(damage.length - 1, 'more', 'more')}` : ''
  if (first !== undefined) return `${inASentence(first)}${more}${inSlots(report, first)}${ending(report)}`
  if (outcome.kind === 'undefined') return outcome.why
  if (verdict === 'refused' && outcome.kind === 'refused')
    return `${actorName(outcome.refusal.by)} refuses to go on: ${outcome.refusal.why}`
  if (verdict !== 'unknown') return cleanText(report)
  const why = outcome.kind === 'unknown' ? outcome.gap.why : gaps[0]?.why
  const others = gaps.filter(gap => gap.why !== why).length
  const beside = others === 0 ? '' : ` (and ${count(others, 'more gap', 'more gaps')})`
  return `${why ?? 'nothing is known of the end'}${beside}`
}
