/**
 * The report as SARIF 2.1.0, for code-scanning services: a result per finding, refusal and gap. Source: OASIS
 * SARIF 2.1.0 errata 01.
 */
import { sizeOf } from '../bytes/range.ts'
import { printable } from './layout.ts'
import { linksIn, type ClauseLinks } from './links.ts'
import { outcomeText } from './sentences.ts'
import type { Finding, Report, RunReport } from './model.ts'
import type { Survey } from './survey.ts'

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
  /** Null for what is no matter of the law: a file that cannot be used. */
  readonly clause: string | null
  readonly object: string | null
  /** Candidates it applies to. */
  readonly run: string | null
  readonly finding: Finding | null
  /** The file that it is about. */
  readonly uri: string
  /** Of several machines those on which it was found; the text is that of the first. */
  readonly machines: readonly string[]
}

type Found = Omit<Result, 'uri' | 'machines'>

function ofFinding(finding: Finding, run: string | null): Found {
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

function ofRun(report: RunReport): Found[] {
  const run = `${report.stub.id ?? 'no stub era'}, ${report.kernel.id ?? 'no kernel era'}`
  const own = { object: null, run, finding: null }
  const { outcome } = report
  const ended: Found[] = []
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

/** Surrogates without a partner, of which no URI can be made. */
const HALVES = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** A file name as a relative URI reference, as it would stand below the root of a repository. */
function uriOf(name: string): string {
  return name
    .replaceAll(HALVES, '\ufffd')
    .replaceAll('\\', '/')
    .split('/')
    .filter(part => !['', '.', '..'].includes(part))
    .map(encodeURIComponent)
    .join('/')
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
  { ruleId, level, text, clause, object, run, finding, uri, machines }: Result,
  rules: readonly string[],
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
        // A binary file has no lines, but services show a result at one
        physicalLocation: {
          artifactLocation: { uri, uriBaseId: ROOT },
          region: { startLine: 1, startColumn: 1 },
        },
        ...(object === null ? {} : { logicalLocations: [{ fullyQualifiedName: object, kind: 'object' }] }),
      },
    ],
    partialFingerprints: { 'stubsim/v1': [ruleId, object ?? '', clause ?? '', run ?? ''].join(' ') },
    ...(flows.length === 0 ? {} : { codeFlows: flows }),
    properties: {
      ...(clause === null ? {} : { clause }),
      ...(run === null ? {} : { run }),
      ...(machines.length === 0 ? {} : { machines }),
      ...(Object.keys(links).length === 0 ? {} : { links }),
    },
  }
}

/** What stands for the root of the repository. Source: SARIF 2.1.0 section 3.14.14. */
const ROOT = '%SRCROOT%'

/** Where a rule's subject is described, when its clause has no source upstream. */
const DESCRIBED = {
  boot: 'https://docs.kernel.org/arch/x86/boot.html',
  image: 'https://uapi-group.org/specifications/specs/unified_kernel_image/',
  firmware: 'https://uefi.org/specs/UEFI/2.10/',
} as const

/** What the rules mean that `explain` does not list. */
const OUTCOMES: Readonly<Record<string, string>> = {
  refused: 'Firmware, stub, boot loader or kernel ends the boot with a status, as the modelled code does.',
  undefined: 'The code that was to run next had been overwritten, so what happens then is undefined.',
  unknown:
    'The boot leaves what is modelled. That is no statement about the image: it is neither safe nor damaged.',
  unreadable: 'The file cannot be used, so nothing is known of it.',
}

/** The page of a rule, Markdown as `explain` prints it; null where there is none. */
export type RulePages = (rule: string) => string | null

/** `ClobberedObject`. */
function pascal(id: string): string {
  return id.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** The first paragraph of a page below its heading and its class. */
function firstParagraph(page: string): string | undefined {
  return page
    .split(/\n{2,}/)
    .find(part => !part.startsWith('#') && !part.startsWith('Class: '))
    ?.replaceAll(/\s+/g, ' ')
    .trim()
}

function uriOfRule({ clause, finding }: Result, links: ClauseLinks): string {
  if (finding === null) return DESCRIBED.firmware
  return links(clause ?? '')[0] ?? (finding.class === 'advice' ? DESCRIBED.image : DESCRIBED.boot)
}

/** Refusals and gaps of many clauses share a rule: only a rule of findings has a clause of its own. */
function ruleJson(id: string, result: Result, links: ClauseLinks, pages: RulePages): object {
  const { title, level, finding } = result
  const page = finding === null ? null : pages(id)
  const described = (page === null ? OUTCOMES[id] : firstParagraph(page)) ?? `${title}.`
  const more = `stubsim explain ${id}`
  return {
    id,
    name: pascal(id),
    shortDescription: { text: printable(title) },
    fullDescription: { text: printable(described) },
    defaultConfiguration: { level },
    help:
      finding === null
        ? { text: printable(described), markdown: printable(described) }
        : {
            text: printable(`${described} ${more} says more.`),
            markdown: page ?? `${described}\n\n\`${more}\` says more.`,
          },
    helpUri: uriOfRule(result, links),
    properties: { tags: ['boot', ...(finding === null ? [] : [finding.class])] },
  }
}

/**
 * A SARIF log with one run, ready for JSON.stringify. `refused`, `undefined` and `unknown` are rules besides
 * those that `explain` lists. `links`: the upstream sources of a clause; a rule's is its helpUri, those of a
 * result are among its properties. `pages`: the page of a rule, which becomes its help. `image`: the image's
 * path from the root of the repository; default: its name in the report.
 */
export function reportToSarif(
  report: Report,
  links: ClauseLinks = () => [],
  {
    pages = () => null,
    image = report.image.name,
  }: { readonly pages?: RulePages; readonly image?: string } = {},
): Record<string, unknown> {
  const uri = uriOf(image)
  const results = foundIn(report).map(found => ({ ...found, uri, machines: [] }))
  return logOf(results, links, pages, report.version, [{ uri, length: report.image.size }], {
    verdict: report.verdict,
    machine: report.machine.what,
  })
}

function foundIn(report: Report): Found[] {
  return [
    ...[report, ...report.alternatives].flatMap(ofRun),
    ...report.advice.map(finding => ofFinding(finding, null)),
  ]
}

/** A file that cannot be used. */
function unreadable(why: string): Found {
  const title = 'A file cannot be used'
  const own = { object: null, run: null, finding: null }
  return { ...own, ruleId: 'unreadable', title, level: 'error', text: why, clause: null }
}

/**
 * A survey as one run: what is found in a file on several machines is one result that names them. `image`:
 * the path of a file from the root of the repository.
 */
export function surveyToSarif(
  survey: Survey,
  links: ClauseLinks = () => [],
  {
    pages = () => null,
    image = name => name,
  }: { readonly pages?: RulePages; readonly image?: (name: string) => string } = {},
): Record<string, unknown> {
  const results = new Map<string, Result>()
  const artifacts = new Map<string, Artifact>()
  for (const { file, machine, why, report } of survey.rows) {
    const uri = uriOf(image(file === '' ? machine : file))
    if (report !== null) artifacts.set(uri, { uri, length: report.image.size })
    else if (!artifacts.has(uri)) artifacts.set(uri, { uri })
    for (const found of report === null ? [unreadable(why)] : foundIn(report)) {
      const key = JSON.stringify([uri, found.ruleId, found.object, found.clause, found.run])
      const before = results.get(key)
      const machines = [...(before?.machines ?? []), ...(machine === '' ? [] : [machine])]
      results.set(key, { ...(before ?? { ...found, uri }), machines: [...new Set(machines)] })
    }
  }
  return logOf([...results.values()], links, pages, survey.version, [...artifacts.values()], {
    verdict: survey.rows[0]?.verdict ?? 'unreadable',
    machines: survey.machines,
  })
}

interface Artifact {
  readonly uri: string
  /** Absent where the file could not be read. */
  readonly length?: number
}

function logOf(
  results: readonly Result[],
  links: ClauseLinks,
  pages: RulePages,
  version: string,
  artifacts: readonly Artifact[],
  properties: object,
): Record<string, unknown> {
  const firsts = new Map(results.map(result => [result.ruleId, result]))
  const rules = [...firsts.keys()]
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'stubsim',
            semanticVersion: version,
            version,
            rules: [...firsts].map(([id, first]) => ruleJson(id, first, links, pages)),
          },
        },
        invocations: [{ executionSuccessful: true }],
        originalUriBaseIds: { [ROOT]: { description: { text: 'the root of the repository' } } },
        artifacts: artifacts.map(({ uri, ...size }) => ({ location: { uri, uriBaseId: ROOT }, ...size })),
        results: results.map(result => resultJson(result, rules, links)),
        properties,
      },
    ],
  }
}
