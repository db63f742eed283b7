import { describe, expect, test } from 'vitest'
import { advise } from '../../../src/hazard/registry.ts'
import { reportToJunit, reportToMarkdown, reportToSarif } from '../../../src/report/index.ts'
import type { Report } from '../../../src/report/model.ts'
import { image } from '../hazard/images.ts'
import { cleanReport, damagedReport } from './reports.ts'

const advice = advise(image([{ name: '.initrd', at: 0x1010, raw: 0x10 }]))
const gap = { clause: 'ST-1', why: 'no era is known' } as const
const refused = cleanReport({
  verdict: 'refused',
  outcome: {
    kind: 'refused',
    refusal: {
      by: 'stub',
      status: 'EFI_UNSUPPORTED',
      clause: 'ST-31',
      why: 'the kernel is too old',
      message: null,
    },
  },
})
const undefinedRun = damagedReport({
  findings: [],
  outcome: { kind: 'undefined', since: 7, why: 'the entry point was overwritten' },
})
const unknown = cleanReport({ verdict: 'unknown', outcome: { kind: 'unknown', gap }, gaps: [gap] })
const reports = { clean: cleanReport(), damage: damagedReport({ advice }), refused, undefinedRun, unknown }

interface Sarif {
  readonly version: string
  readonly runs: readonly {
    readonly tool: {
      readonly driver: { readonly name: string; readonly rules: readonly { readonly id: string }[] }
    }
    readonly results: readonly {
      readonly ruleId: string
      readonly ruleIndex: number
      readonly level: string
      readonly message: { readonly text: string }
      readonly codeFlows?: readonly unknown[]
      readonly partialFingerprints: Readonly<Record<string, string>>
      readonly locations: readonly {
        readonly physicalLocation: { readonly artifactLocation: { readonly uri: string } }
      }[]
    }[]
  }[]
}

interface GitHubSarif {
  readonly runs: readonly {
    readonly originalUriBaseIds: Readonly<Record<string, object>>
    readonly tool: {
      readonly driver: {
        readonly rules: readonly {
          readonly id: string
          readonly name: string
          readonly shortDescription: { readonly text: string }
          readonly fullDescription: { readonly text: string }
          readonly help: { readonly text: string; readonly markdown: string }
          readonly helpUri: string
          readonly defaultConfiguration: { readonly level: string }
        }[]
      }
    }
    readonly results: readonly {
      readonly message: { readonly text: string }
      readonly locations: readonly [
        {
          readonly physicalLocation: {
            readonly artifactLocation: { readonly uri: string; readonly uriBaseId: string }
            readonly region: { readonly startLine: number }
          }
        },
      ]
    }[]
  }[]
}

/** The one run of the log, after it went through JSON. */
function sarifOf(report: Report) {
  const { version, runs } = JSON.parse(JSON.stringify(reportToSarif(report))) as Sarif
  expect(version).toBe('2.1.0')
  expect(runs).toHaveLength(1)
  const [run] = runs
  if (run === undefined) throw new Error('no run')
  return run
}

describe('SARIF', () => {
  test.each(Object.entries(reports))(
    '%s: every result names a rule of the driver, and is told from the others',
    (_, report) => {
      const { tool, results } = sarifOf(report)
      expect(tool.driver.name).toBe('stubsim')
      for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId)
      const prints = results.map(result => Object.values(result.partialFingerprints).join())
      expect(new Set(prints).size).toBe(prints.length)
    },
  )

  test('damage and a refusal are errors, advice a note, a gap a warning; a clean boot has no result', () => {
    const levels = (report: Report) =>
      sarifOf(report).results.map(({ ruleId, level, codeFlows }) => [ruleId, level, codeFlows?.length ?? 0])
    expect(levels(reports.damage)).toEqual([
      ['clobbered-object', 'error', 1],
      ['section-unaligned', 'note', 0],
    ])
    expect(levels(refused)).toEqual([['refused', 'error', 0]])
    expect(levels(undefinedRun)).toEqual([['undefined', 'error', 0]])
    expect(levels(unknown)).toEqual([['unknown', 'warning', 0]])
    expect(levels(reports.clean)).toEqual([])
  })

  test('a rule leads to the source of its clause, a result to those of all that it names', () => {
    const { runs } = reportToSarif(reports.damage, clause => [`https://a.example/${clause}`]) as unknown as {
      runs: {
        tool: { driver: { rules: { id: string; helpUri?: string }[] } }
        results: { properties: { clause: string; links: Record<string, string[]> } }[]
      }[]
    }
    const [run] = runs
    expect(run?.tool.driver.rules.map(({ id, helpUri }) => [id, helpUri])).toEqual([
      ['clobbered-object', 'https://a.example/HZ-2'],
      ['section-unaligned', 'https://a.example/HZ-15'],
    ])
    for (const { properties } of run?.results ?? [])
      expect(properties.links[properties.clause]).toEqual([`https://a.example/${properties.clause}`])
    expect(Object.keys(run?.results[0]?.properties.links ?? {}).length).toBeGreaterThan(1)
    // A refusal has many clauses: its help is about firmware, whatever the clause
    expect(JSON.stringify(reportToSarif(refused, () => ['https://a.example/']))).toContain(
      '"helpUri":"https://uefi.org/specs/UEFI/2.10/"',
    )
    expect(JSON.stringify(reportToSarif(reports.damage))).not.toContain('links')
  })

  test('an alternative that is damaged stands beside the leading run', () => {
    const other = damagedReport({ stub: { ...damagedReport().stub, id: 'systemd-stub/S3' } })
    expect(sarifOf(damagedReport({ alternatives: [other] })).results.map(({ ruleId }) => ruleId)).toEqual([
      'clobbered-object',
      'clobbered-object',
    ])
  })

  test('the file is named by a URI reference', () => {
    const uri = (name: string) =>
      sarifOf(damagedReport({ image: { name, size: 1 } })).results[0]?.locations[0]?.physicalLocation
        .artifactLocation.uri
    expect(uri('out/uki 1%.efi')).toBe('out/uki%201%25.efi')
    expect(uri('out\\uki.efi')).toBe('out/uki.efi')
    expect(uri('/boot/../efi//a:b\n\u202e.efi')).toBe('boot/efi/a%3Ab%0A%E2%80%AE.efi')
    expect(uri('a\ud800.efi')).toBe('a%EF%BF%BD.efi')
  })

  const page = '# wild: A read\n\nClass: damage. Defined by HZ-4.\n\nFirst *words*\nof it.\n\n## Why\n\nx\n'

  test.each(Object.entries(reports))('%s: what GitHub wants of rules and results is there', (_, report) => {
    for (const pages of [() => null, () => page]) {
      const { runs } = JSON.parse(JSON.stringify(reportToSarif(report, () => [], { pages }))) as GitHubSarif
      for (const { tool, results, originalUriBaseIds } of runs) {
        for (const rule of tool.driver.rules) {
          expect(rule.name).toMatch(/^(?:[A-Z][a-z]+)+$/)
          for (const { text } of [rule.shortDescription, rule.fullDescription, rule.help])
            expect(text).toMatch(/^[^\n]{10,1024}$/)
          expect(rule.fullDescription.text).toMatch(/\.$/)
          expect(rule.help.markdown.length).toBeGreaterThan(10)
          expect(new URL(rule.helpUri).protocol).toBe('https:')
          expect(['error', 'warning', 'note']).toContain(rule.defaultConfiguration.level)
          if (!['refused', 'undefined', 'unknown'].includes(rule.id))
            expect([
              rule.help.markdown === page,
              rule.fullDescription.text === 'First *words* of it.',
            ]).toEqual([pages() === page, pages() === page])
        }
        for (const { locations, message } of results) {
          expect(message.text).not.toBe('')
          expect(locations).toHaveLength(1)
          const [{ physicalLocation }] = locations
          expect(physicalLocation.region.startLine).toBe(1)
          const { uri, uriBaseId } = physicalLocation.artifactLocation
          expect(uri).toMatch(/^(?!\/)[\w.%/()!~*'-]+$/)
          expect(originalUriBaseIds).toHaveProperty([uriBaseId])
        }
      }
    }
  })
})

describe('JUnit', () => {
  const elements = (text: string): string[] =>
    [...text.matchAll(/<(failure|error) type="(\w+)"/g)].map(
      ([, element = '', type = '']) => `${element} ${type}`,
    )

  test('damage and refusal are failures, unknown is an error, a broken contract fails when it is to', () => {
    expect(elements(reportToJunit(reports.damage))).toEqual(['failure damage'])
    expect(elements(reportToJunit(refused))).toEqual(['failure refused'])
    expect(elements(reportToJunit(unknown))).toEqual(['error unknown'])
    expect(elements(reportToJunit(reports.clean))).toEqual([])
    const broken = cleanReport({
      findings: damagedReport().findings.map(finding => ({ ...finding, class: 'breach' as const })),
    })
    expect(elements(reportToJunit(broken))).toEqual([])
    expect(elements(reportToJunit(broken, true))).toEqual(['failure breach'])
  })

  test('a case per candidate, and their number', () => {
    const text = reportToJunit(damagedReport({ alternatives: [unknown] }))
    expect(text).toContain('<testsuites name="stubsim" tests="2" failures="1" errors="1">')
    expect(text.match(/<testcase /g)).toHaveLength(2)
  })

  test('no text of a file breaks out of its element', () => {
    const text = reportToJunit(
      damagedReport({
        image: { name: 'a"<b>&\u0007\ud800.efi', size: 1 },
        machine: { what: 'two\nlines', ramBytes: 1 },
      }),
    )
    expect(text).toContain('classname="a&quot;&lt;b&gt;&amp;\\x07\ufffd.efi"')
    expect(text).toContain('on two&#10;lines"')
    expect(text.match(/[<>]/g)?.length).toBe(2 * (text.match(/<[?/a-z][^<>]*>/g)?.length ?? 0))
  })
})

describe('Markdown', () => {
  test.each(Object.entries(reports))('%s begins with the verdict', (_, report) => {
    expect(reportToMarkdown(report)).toMatch(new RegExp(`^## ${report.verdict}`))
  })

  test('a finding has its legs, why and what to do; gaps and other candidates stand unfolded', () => {
    const text = reportToMarkdown(
      damagedReport({
        alternatives: [unknown],
        gaps: [gap],
        problems: [{ file: 'uki.efi', id: 'odd', at: 1, what: 'is odd' }],
      }),
    )
    for (const part of [
      '### damage: `clobbered-object` of `initrd` (HZ-2)',
      '| overwritten |',
      '- **why** ',
      '- **do** ',
      '### Where the model ends\n\n- ST-1: no era is known',
      '- `uki.efi`: is odd (odd)',
      '`linux/E5`: unknown: 1 gap',
    ])
      expect(text).toContain(part)
    expect(text.indexOf('ST-1')).toBeLessThan(text.indexOf('<details>'))
  })

  test('a title without an era, and no text of a file becomes markup', () => {
    const text = reportToMarkdown(
      cleanReport({
        image: { name: 'a`|b', size: 1 },
        machine: { what: '<b>*x*</b>', ramBytes: 1 },
        stub: { id: null, title: 'no stub', version: null, evidence: [], certainty: 'none' },
      }),
    )
    expect(text).toContain("`a'\\|b`")
    expect(text).toContain('\\<b\\>\\*x\\*\\</b\\>')
    expect(text).toContain('| stub | none: no stub |')
  })
})
