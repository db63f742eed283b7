/** All rules in their fixed order, and the two questions that are asked of them: judge a recording, advise on a file. Chapter HZ. */
import type { PeFile } from '../image/pe.ts'
import type { UkiView } from '../image/uki.ts'
import type { Recording } from '../memory/recorder.ts'
import { duplicateSection } from './advice/duplicate-section.ts'
import { noRoomForInitSize } from './advice/no-room-for-init-size.ts'
import { sectionBeyondImageSize } from './advice/section-beyond-image-size.ts'
import { sectionUnaligned } from './advice/section-unaligned.ts'
import { sectionsOverlap } from './advice/sections-overlap.ts'
import { tableOrderNotByAddress } from './advice/table-order-not-by-address.ts'
import type { Finding } from './hazard.ts'
import type { Reporter, Rule } from './rule.ts'
import { addressTruncated } from './rules/address-truncated.ts'
import { bssNotCleared } from './rules/bss-not-cleared.ts'
import { clobberedObject } from './rules/clobbered-object.ts'
import { initWindowOccupied } from './rules/init-window-occupied.ts'
import { setupHeaderWrong } from './rules/setup-header-wrong.ts'
import { truncatedObject } from './rules/truncated-object.ts'
import { uninitialisedRead } from './rules/uninitialised-read.ts'
import { wildRead } from './rules/wild-read.ts'
import { writeOutsideAllocation } from './rules/write-outside-allocation.ts'

/** Damage, then breaches, then advice; findings come in this order. */
export const rules: readonly Rule[] = [
  clobberedObject,
  uninitialisedRead,
  wildRead,
  truncatedObject,
  initWindowOccupied,
  bssNotCleared,
  addressTruncated,
  setupHeaderWrong,
  writeOutsideAllocation,
  sectionsOverlap,
  noRoomForInitSize,
  sectionBeyondImageSize,
  tableOrderNotByAddress,
  duplicateSection,
  sectionUnaligned,
]

/** The rule of that id, or undefined. */
export function ruleById(id: string, among: readonly Rule[] = rules): Rule | undefined {
  return among.find(rule => rule.id === id)
}

function collect(rule: Rule, findings: Finding[]): Reporter {
  return hazard => {
    findings.push({ ...hazard, rule: rule.id, class: rule.class, title: rule.title, clause: rule.clause })
  }
}

/** Damage and breaches of a recording, in the order of the rules. Advice among the rules is left out. */
export function judge(recording: Recording, among: readonly Rule[] = rules): Finding[] {
  const findings: Finding[] = []
  for (const rule of among) if (rule.class !== 'advice') rule.visit(recording, collect(rule, findings))
  return findings
}

/** Advice about a file, in the order of the rules. */
export function advise(image: { readonly pe: PeFile; readonly uki: UkiView }, among: readonly Rule[] = rules): Finding[] {
  const findings: Finding[] = []
  for (const rule of among) if (rule.class === 'advice') rule.inspect(image, collect(rule, findings))
  return findings
}
