/** All rules in their fixed order, and their two uses: judge a recording, advise on a file. Chapter HZ. */
import type { PeFile } from '../image/pe.ts'
import type { UkiView } from '../image/uki.ts'
import type { Recording } from '../memory/recorder.ts'
import { duplicateSection } from './advice/duplicate-section.ts'
import { noRoomForInitSize } from './advice/no-room-for-init-size.ts'
import { payloadVirtualSizeMismatch } from './advice/payload-virtual-size-mismatch.ts'
import { rvaWrapped } from './advice/rva-wrapped.ts'
import { sbatMergedOverSdmagic } from './advice/sbat-merged-over-sdmagic.ts'
import { sectionBeyondImageSize } from './advice/section-beyond-image-size.ts'
import { sectionUnaligned } from './advice/section-unaligned.ts'
import { sectionsOverlap } from './advice/sections-overlap.ts'
import { sizeOfImageFromLastSection } from './advice/size-of-image-from-last-section.ts'
import { stubGrownOverPayload } from './advice/stub-grown-over-payload.ts'
import { tableOrderNotByAddress } from './advice/table-order-not-by-address.ts'
import type { Finding } from './hazard.ts'
import { ADVICE_MAX, type AdviceRule, type Reporter, type Rule } from './rule.ts'
import { withSigns } from './signs.ts'
import { addressTruncated } from './rules/address-truncated.ts'
import { bssNotCleared } from './rules/bss-not-cleared.ts'
import { clobberedObject } from './rules/clobbered-object.ts'
import { extractMarginTooSmall } from './rules/extract-margin-too-small.ts'
import { initWindowOccupied } from './rules/init-window-occupied.ts'
import { setupHeaderWrong } from './rules/setup-header-wrong.ts'
import { truncatedObject } from './rules/truncated-object.ts'
import { uninitialisedRead } from './rules/uninitialised-read.ts'
import { wildRead } from './rules/wild-read.ts'
import { writeOutsideAllocation } from './rules/write-outside-allocation.ts'

const RULES = [
  clobberedObject,
  uninitialisedRead,
  wildRead,
  truncatedObject,
  initWindowOccupied,
  bssNotCleared,
  addressTruncated,
  setupHeaderWrong,
  extractMarginTooSmall,
  writeOutsideAllocation,
  sectionsOverlap,
  stubGrownOverPayload,
  sbatMergedOverSdmagic,
  noRoomForInitSize,
  rvaWrapped,
  sizeOfImageFromLastSection,
  sectionBeyondImageSize,
  payloadVirtualSizeMismatch,
  tableOrderNotByAddress,
  duplicateSection,
  sectionUnaligned,
] as const

/** Id of a rule of the table. */
export type RuleId = (typeof RULES)[number]['id']

/** Damage, then breaches, then advice; findings come in this order. */
export const rules: readonly Rule[] = RULES

/** The rule of that id, or undefined. */
export function ruleById(id: string, among: readonly Rule[] = rules): Rule | undefined {
  return among.find(rule => rule.id === id)
}

function collect(rule: Rule, findings: Finding[]): Reporter {
  return hazard => {
    const { object, ranges, offsets, what, why, fix, legs } = hazard
    const { id, class: kind, title, clause } = rule
    findings.push({ object, ranges, offsets, what, why, fix, legs, rule: id, class: kind, title, clause })
  }
}

/** Damage and breaches of a recording, in the order of the rules. Advice rules are skipped. */
export function judge(recording: Recording, among: readonly Rule[] = rules): Finding[] {
  const findings: Finding[] = []
  withSigns(recording, () => {
    for (const rule of among) if (rule.class !== 'advice') rule.visit(recording, collect(rule, findings))
  })
  return findings
}

/**
 * Advice about a file, in the order of the rules. At most ADVICE_MAX findings per rule, then one that states
 * how many more there are.
 */
export function advise(
  image: { readonly pe: PeFile; readonly uki: UkiView },
  among: readonly Rule[] = rules,
): Finding[] {
  return among.flatMap(rule => (rule.class === 'advice' ? someOf(rule, image) : []))
}

/** Without advice that matters only where the kernel is entered in place. */
export function withoutInPlace(
  advice: readonly Finding[],
  among: readonly Rule[] = rules,
): readonly Finding[] {
  const inPlace = among.filter(rule => rule.class === 'advice' && rule.inPlace === true).map(({ id }) => id)
  return advice.filter(({ rule }) => !inPlace.includes(rule))
}

function someOf(rule: AdviceRule, image: Parameters<AdviceRule['inspect']>[0]): Finding[] {
  const findings: Finding[] = []
  const keep = collect(rule, findings)
  let left = 0
  rule.inspect(image, (hazard, more = 0) => {
    if (findings.length < ADVICE_MAX) keep(hazard)
    else left++
    left += more
  })
  if (left > 0)
    keep({
      object: null,
      ranges: [],
      offsets: [],
      what: `There are ${String(left)} more findings of this kind in the file.`,
      why: `at most ${String(ADVICE_MAX)} findings of a kind are listed`,
      fix: 'fix these first, then run the check again',
      legs: [],
    })
  return findings
}
