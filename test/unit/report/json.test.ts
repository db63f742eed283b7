import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { phys } from '../../../src/bytes/units.ts'
import { advise } from '../../../src/hazard/registry.ts'
import { reportSchema, reportToJson } from '../../../src/report/index.ts'
import type { Report } from '../../../src/report/model.ts'
import { image } from '../hazard/images.ts'
import { cleanReport, damagedReport } from './reports.ts'

const validate = new Ajv2020({ strict: true, allErrors: true }).compile(reportSchema)

function errorsOf(report: Report): unknown {
  return validate(JSON.parse(JSON.stringify(reportToJson(report)))) ? [] : validate.errors
}

const refused = cleanReport({
  verdict: 'refused',
  outcome: {
    kind: 'refused',
    refusal: {
      by: 'firmware',
      status: 'EFI_LOAD_ERROR',
      clause: 'PE-9',
      why: 'section .initrd ends past SizeOfImage',
      message: null,
    },
  },
  facts: {},
})
const undefinedRun = cleanReport({
  verdict: 'damage',
  outcome: { kind: 'undefined', since: 7, why: 'the entry point was overwritten' },
  facts: { imageBase: phys(0x1000) },
})
const unknown = cleanReport({
  verdict: 'unknown',
  outcome: { kind: 'unknown', gap: { clause: 'ST-1', why: 'no era is known' } },
  gaps: [{ clause: 'ST-1', why: 'no era is known' }],
})

test('every kind of report is valid against the schema', () => {
  const advice = advise(image([{ name: '.initrd', at: 0x1010, raw: 0x10 }]))
  const problems = [{ file: 'uki.efi', id: 'truncated', at: 0x200, what: 'too short' }]
  for (const report of [
    damagedReport({ advice, problems }),
    cleanReport({ alternatives: [damagedReport()] }),
    cleanReport({
      builder: {
        certainty: 'certain',
        candidates: [{ id: 'dracut-050', title: 'dracut 050 to 059', evidence: ['Its addresses.'] }],
      },
    }),
    refused,
    undefinedRun,
    unknown,
  ])
    expect(errorsOf(report)).toEqual([])
})

test('the schema notices a field that nobody declared and an address that is a number', () => {
  const json = reportToJson(damagedReport())
  expect(validate({ ...json, colour: 'red' })).toBe(false)
  expect(validate({ ...json, facts: { imageBase: 4096, outcome: 'arrived' } })).toBe(false)
})

test('links are those of the clauses that the report names, and of no others', () => {
  const known: Readonly<Record<string, string>> = {
    'HZ-2': 'https://a.example/2',
    'HZ-1': 'https://a.example/1',
  }
  const links = (clause: string): string[] => (known[clause] === undefined ? [] : [known[clause]])
  const json = reportToJson(refused, clause => [`https://a.example/${clause}`])
  expect(json['links']).toEqual({ 'PE-9': ['https://a.example/PE-9'] })
  const damaged = reportToJson(damagedReport(), links)
  expect(damaged['links']).toEqual({ 'HZ-2': ['https://a.example/2'] })
  expect([validate(json), validate(damaged)]).toEqual([true, true])
  expect(reportToJson(refused)['links']).toBeUndefined()
})

test('the schema file is the schema', () => {
  const file = readFileSync(new URL('../../../src/report/report.schema.json', import.meta.url), 'utf8')
  expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(reportSchema)))
})

test('facts bear the names and the form of recorded boots', () => {
  expect(reportToJson(damagedReport())['facts']).toEqual({
    imageBase: '0x1000000',
    sections: [
      { name: '.linux', address: '0x1100000', size: 0x40000, intact: true },
      { name: '.initrd', address: '0x1140000', size: 0x20000, intact: false },
    ],
    handOff: { door: 'efi-handover', kernelImage: '0x1100000', entry: '0x1100390' },
    bootParams: '0x1e000',
    cmdLinePtr: '0x9f000',
    commandLine: 'console=ttyS0 nokaslr',
    ramdiskImage: '0x1140000',
    ramdiskSize: '0x20000',
    ramdiskImageFromStub: '0x1140000',
    compressedImage: '0x1100000',
    decompressedKernel: '0x1600000',
    initrdDamage: [{ from: '0x0', to: '0x3200' }],
    outcome: 'arrived',
  })
  expect(reportToJson(refused)['facts']).toEqual({
    outcome: 'refused',
    refusal: { by: 'firmware', status: 'EFI_LOAD_ERROR', message: null },
  })
})
