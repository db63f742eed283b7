/**
 * The report as SARIF 2.1.0, for code-scanning services: a result per finding, refusal and gap. Source: OASIS
 * SARIF 2.1.0 errata 01.
 */
import { sizeOf } from '../bytes/range.ts'
import { printable } from './layout.ts'
import { linksIn, type ClauseLinks } from './links.ts'
import { outcomeText } from './sentences.ts'
import type { Finding, Report, RunReport } from './model.ts'

const LEVELS: Readonly<Record<Finding['class'], string>> = {
  damage: 'error',
  breach: 'warning',
  advice: 'note',
}

interface Result {
  readonly ruleId: string
  readonly title: string
  readonly level: string
  readonly text: string
  readonly clause: string
  readonly object: string | null
  /** Candidates it applies to. */
  readonly run: string | null
  readonly finding: Finding | null
}

function ofFinding(finding: Finding, run: string | null): Result {
  const { rule, title, clause, object, what, why, fix } = finding
  return {
    ruleId: rule,
    title,
    level: LEVELS[finding.class],
    text: `${what}\n\nwhy: ${why}\ndo: ${fix}`,
    clause,
    object,
    run,
    finding,
  }
}

function ofRun(report: RunReport): Result[] {
  const run = `${report.stub.id ?? 'no stub era'}, ${report.kernel.id ?? 'no kernel era'}`
  const own = { object: null, run, finding: null }
  const { outcome } = report
  const ended: Result[] = []
  if (outcome.kind === 'refused')
    ended.push({
      ...own,
      ruleId: 'refused',
      title: 'A stage of the boot returns an error',
      level: 'error',
      text: outcomeText(outcome),
      clause: outcome.refusal.clause,
    })
  if (outcome.kind === 'undefined')
    ended.push({
      ...own,
      ruleId: 'undefined',
      title: 'Code about to run was overwritten',
      level: 'error',
      text: outcomeText(outcome),
      clause: 'HZ-1',
    })
  const gaps = report.gaps.map(({ clause, why }) => ({
    ...own,
    ruleId: 'unknown',
    title: 'The model ends here',
    level: 'warning',
    text: why,
    clause,
  }))
  return [...report.findings.map(finding => ofFinding(finding, run)), ...ended, ...gaps]
}

/** A file name as a URI reference. */
function uriOf(name: string): string {
  return name.replaceAll('\\', '/').split('/').map(encodeURIComponent).join('/')
}

function addressOf(range: NonNullable<Finding['legs'][number]['range']>): object {
  return { absoluteAddress: range.start, length: sizeOf(range), kind: 'data' }
}

function flowOf({ legs }: Finding): object[] {
  if (legs.length === 0) return []
  const locations = legs.map(({ role, actor, clause, range, what }) => ({
    kinds: [role],
    location: {
      message: {
        text: printable(`${role}: ${[actor, clause].filter(word => word !== null).join(' ')}: ${what}`),
      },
      ...(range === null ? {} : { physicalLocation: { address: addressOf(range) } }),
    },
  }))
  return [{ threadFlows: [{ locations }] }]
}

function resultJson(
  { ruleId, level, text, clause, object, run, finding }: Result,
  rules: readonly string[],
  uri: string,
  linksOf: ClauseLinks,
): object {
  const flows = finding === null ? [] : flowOf(finding)
  const links = linksIn([{ clause }, finding?.legs ?? []], linksOf)
  return {
    ruleId,
    ruleIndex: rules.indexOf(ruleId),
    level,
    message: { text: text.split('\n').map(printable).join('\n') },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri } },
        ...(object === null ? {} : { logicalLocations: [{ fullyQualifiedName: object, kind: 'object' }] }),
      },
    ],
    partialFingerprints: { 'stubsim/v1': [ruleId, object ?? '', clause, run ?? ''].join(' ') },
    ...(flows.length === 0 ? {} : { codeFlows: flows }),
    properties: {
      clause,
      ...(run === null ? {} : { run }),
      ...(Object.keys(links).length === 0 ? {} : { links }),
    },
  }
}

/** Refusals and gaps of many clauses share a rule: only a rule of findings has a clause, and a link. */
function ruleJson(id: string, { title, clause, finding }: Result, links: ClauseLinks): object {
  const [helpUri] = finding === null ? [] : links(clause)
  return {
    id,
    shortDescription: { text: title },
    help: { text: `stubsim explain ${id}` },
    ...(helpUri === undefined ? {} : { helpUri }),
  }
}

/**
 * A SARIF log with one run, ready for JSON.stringify. `refused`, `undefined` and `unknown` are rules besides
 * those that `explain` lists. `links`: the upstream sources of a clause; a rule's is its helpUri, those of a
 * result are among its properties.
 */
export function reportToSarif(report: Report, links: ClauseLinks = () => []): Record<string, unknown> {
  const results = [
    ...[report, ...report.alternatives].flatMap(ofRun),
    ...report.advice.map(finding => ofFinding(finding, null)),
  ]
  const firsts = new Map(results.map(result => [result.ruleId, result]))
  const rules = [...firsts.keys()]
  const uri = uriOf(report.image.name)
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'stubsim',
            version: report.version,
            rules: [...firsts].map(([id, first]) => ruleJson(id, first, links)),
          },
        },
        invocations: [{ executionSuccessful: true }],
        artifacts: [{ location: { uri }, length: report.image.size }],
        results: results.map(result => resultJson(result, rules, uri, links)),
        properties: { verdict: report.verdict, machine: report.machine.what },
      },
    ],
  }
}
