/**
 * The report for machines, schema 1. Addresses are hexadecimal strings, because JSON numbers end at 2^53; see
 * docs/reference/report-schema.md.
 */
import { hex, type Range } from '../bytes/range.ts'
import { factsOf, slotsJson } from './facts.ts'
import { lineText } from './sentences.ts'
import { linksIn, type ClauseLinks } from './links.ts'
import type { Finding, MapSnapshot, Report, RunReport } from './model.ts'

const rangeJson = ({ start, end }: Range) => ({ start: hex(start), end: hex(end) })

/**
 * Plain data, ready for JSON.stringify, valid against report.schema.json. `links`: the upstream sources of a
 * clause, for those that the report names.
 */
export function reportToJson(report: Report, links?: ClauseLinks): Record<string, unknown> {
  const json = {
    schema: report.schema,
    version: report.version,
    image: report.image,
    machine: report.machine,
    builder: report.builder,
    ...runToJson(report),
    advice: report.advice.map(findingJson),
    problems: report.problems.map(({ file, id, at, what }) => ({ file, id, at, what })),
    alternatives: report.alternatives.map(runToJson),
  }
  return links === undefined ? json : { ...json, links: linksIn(json, links) }
}

function runToJson(run: RunReport): Record<string, unknown> {
  return {
    verdict: run.verdict,
    outcome: outcomeJson(run),
    stub: run.stub,
    kernel: run.kernel,
    facts: factsOf(run),
    findings: run.findings.map(findingJson),
    assumptions: run.assumptions,
    gaps: run.gaps,
    moments: run.snapshots.map(snapshot => snapshotJson(snapshot, run.facts)),
    ...(run.observed === undefined
      ? {}
      : {
          observed: run.observed.map(({ name, predicted, observed, line, agrees }) => ({
            name,
            predicted,
            observed,
            line,
            agrees,
          })),
        }),
  }
}

function outcomeJson({ outcome }: RunReport): Record<string, unknown> {
  switch (outcome.kind) {
    case 'arrived': {
      const { entry, kernel, bootParams, slots } = outcome.at
      return slots === undefined
        ? { kind: 'arrived', entry: hex(entry), kernel: hex(kernel), bootParams: hex(bootParams) }
        : { kind: 'arrived', entry: null, kernel: null, bootParams: hex(bootParams), slots: slotsJson(slots) }
    }
    case 'refused':
      return { kind: 'refused', ...outcome.refusal }
    case 'undefined':
      return { kind: 'undefined', since: outcome.since, why: outcome.why }
    case 'unknown':
      return { kind: 'unknown', clause: outcome.gap.clause, why: outcome.gap.why }
  }
}

function findingJson(finding: Finding): Record<string, unknown> {
  return {
    rule: finding.rule,
    class: finding.class,
    clause: finding.clause,
    title: finding.title,
    object: finding.object,
    what: finding.what,
    why: finding.why,
    fix: finding.fix,
    ranges: finding.ranges.map(rangeJson),
    offsets: finding.offsets.map(({ from, to }) => ({ from: hex(from), to: hex(to) })),
    legs: finding.legs.map(({ role, event, actor, clause, range, what }) => ({
      role,
      event,
      actor,
      clause,
      range: range === null ? null : rangeJson(range),
      what,
    })),
  }
}

/** Schema 1 keeps its own name for the point. */
function snapshotJson({ point, lines }: MapSnapshot, facts: RunReport['facts']): Record<string, unknown> {
  return {
    moment: point,
    lines: lines.map(line => ({
      range: rangeJson(line.range),
      object: line.object,
      at: line.at,
      what: lineText(line, facts),
    })),
  }
}
