/**
 * JSON Schema (2020-12) of the report for machines, schema 1. report.schema.json is the same as a file; a
 * test keeps them equal.
 */

const text = { type: 'string' } as const
const address = { $ref: '#/$defs/address' } as const
const orNull = <const T extends object>(schema: T) => ({ anyOf: [schema, { type: 'null' }] }) as const
const listOf = <const T extends object>(items: T) => ({ type: 'array', items }) as const
/** An object of exactly these properties, all required but those in `optional`. */
const record = <const P extends Readonly<Record<string, object>>>(
  properties: P,
  optional: readonly (keyof P & string)[] = [],
) => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter(name => !optional.includes(name)),
  additionalProperties: false,
})
const count = { type: 'integer', minimum: 0 } as const
const actor = { type: 'string', pattern: '^(firmware|stub|efi-stub|decompressor|kernel|x-.*)$' } as const

const facts = record(
  {
    imageBase: address,
    sections: listOf(record({ name: text, address, size: count, intact: { type: 'boolean' } })),
    handOff: record({
      door: { enum: ['efi-handover', 'pe-entry', 'legacy-32', 'legacy-64'] },
      kernelImage: address,
      entry: address,
    }),
    bootParams: address,
    cmdLinePtr: address,
    commandLine: text,
    ramdiskImage: address,
    ramdiskSize: address,
    ramdiskImageFromStub: address,
    compressedImage: address,
    decompressedKernel: address,
    kernelSlots: { $ref: '#/$defs/slots' },
    harmfulSlots: count,
    payload: record({ format: text, consumed: count, produced: count, margin: { type: 'integer' } }, [
      'margin',
    ]),
    initrdDamage: listOf({ $ref: '#/$defs/span' }),
    outcome: { enum: ['arrived', 'refused', 'undefined', 'unknown'] },
    refusal: record({ by: actor, status: text, message: orNull(text) }),
  },
  [
    'imageBase',
    'sections',
    'handOff',
    'bootParams',
    'cmdLinePtr',
    'commandLine',
    'ramdiskImage',
    'ramdiskSize',
    'ramdiskImageFromStub',
    'compressedImage',
    'decompressedKernel',
    'kernelSlots',
    'harmfulSlots',
    'payload',
    'initrdDamage',
    'refusal',
  ],
)

const run = {
  verdict: { enum: ['clean', 'damage', 'refused', 'unknown'] },
  outcome: {
    oneOf: [
      record(
        {
          kind: { const: 'arrived' },
          entry: orNull(address),
          kernel: orNull(address),
          bootParams: address,
          slots: { $ref: '#/$defs/slots' },
        },
        ['slots'],
      ),
      record({
        kind: { const: 'refused' },
        by: actor,
        status: text,
        clause: text,
        why: text,
        message: orNull(text),
      }),
      record({ kind: { const: 'undefined' }, since: count, why: text }),
      record({ kind: { const: 'unknown' }, clause: text, why: text }),
    ],
  },
  stub: { $ref: '#/$defs/era' },
  kernel: { $ref: '#/$defs/era' },
  facts: { $ref: '#/$defs/facts' },
  findings: listOf({ $ref: '#/$defs/finding' }),
  assumptions: listOf(record({ clause: text, what: text })),
  gaps: listOf(record({ clause: text, why: text })),
  moments: listOf(
    record({
      moment: { enum: ['before-load', 'stub-entry', 'hand-off', 'arrival'] },
      lines: listOf(record({ range: { $ref: '#/$defs/range' }, object: text, at: count, what: text })),
    }),
  ),
  observed: listOf(
    record({
      name: text,
      predicted: orNull(text),
      observed: text,
      line: count,
      agrees: orNull({ type: 'boolean' }),
    }),
  ),
}

const links = { type: 'object', additionalProperties: listOf({ type: 'string' }) } as const

const report = record(
  {
    schema: { const: 1 },
    version: text,
    image: record({ name: text, size: count }),
    machine: record({ what: text, ramBytes: count }),
    builder: orNull(
      record({
        certainty: { enum: ['certain', 'several', 'unknown'] },
        candidates: listOf(record({ id: text, title: text, evidence: listOf(text) })),
      }),
    ),
    ...run,
    advice: listOf({ $ref: '#/$defs/finding' }),
    problems: listOf(record({ file: text, id: text, at: orNull(count), what: text })),
    alternatives: listOf({ $ref: '#/$defs/run' }),
    links,
  },
  ['builder', 'observed', 'links'],
)

const surveyVerdict = { enum: ['damage', 'refused', 'unreadable', 'unknown', 'clean'] } as const

/** Several images or machines: a row for each pair, and the reports of those that have one. */
const survey = record(
  {
    schema: { const: 1 },
    version: text,
    summary: record({
      verdict: surveyVerdict,
      sentence: text,
      counts: record({ damage: count, refused: count, unreadable: count, unknown: count, clean: count }),
      files: listOf(text),
      machines: listOf(text),
      usualMachines: { type: 'boolean' },
      skipped: listOf(text),
      rows: listOf(
        record({
          file: orNull(text),
          machine: orNull(text),
          verdict: surveyVerdict,
          why: text,
          found: text,
          report: orNull(count),
        }),
      ),
    }),
    reports: listOf({ $ref: '#/$defs/report' }),
    links,
  },
  ['links'],
)

/** What `check --format json` prints, and what `reportToJson` returns, is valid against this. */
export const reportSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'stubsim report, schema 1',
  oneOf: [{ $ref: '#/$defs/report' }, { $ref: '#/$defs/survey' }],
  $defs: {
    report,
    survey,
    address: { type: 'string', pattern: '^0x[0-9a-f]+$', description: 'lower case, no padding' },
    range: { ...record({ start: address, end: address }), description: 'half-open' },
    span: { ...record({ from: address, to: address }), description: 'half-open offsets' },
    slots: {
      ...record({
        from: address,
        to: address,
        count: { type: 'integer', minimum: 2 },
        align: address,
        size: address,
        runs: listOf(record({ first: address, count: { type: 'integer', minimum: 1 } })),
      }),
      description: 'where KASLR may put the kernel: from the lowest place to the end of it in the highest',
    },
    era: record({
      id: orNull(text),
      title: text,
      version: orNull(text),
      evidence: listOf(text),
      certainty: { enum: ['certain', 'several', 'given', 'none'] },
    }),
    leg: record({
      role: { enum: ['placed', 'moved', 'overwritten', 'handed-out', 'used', 'found'] },
      event: orNull(count),
      actor: orNull(actor),
      clause: orNull(text),
      range: orNull({ $ref: '#/$defs/range' }),
      what: text,
    }),
    finding: record({
      rule: text,
      class: { enum: ['damage', 'breach', 'advice'] },
      clause: text,
      title: text,
      object: orNull(text),
      what: text,
      why: text,
      fix: text,
      ranges: listOf({ $ref: '#/$defs/range' }),
      offsets: listOf({ $ref: '#/$defs/span' }),
      legs: listOf({ $ref: '#/$defs/leg' }),
    }),
    facts,
    run: record(run, ['observed']),
  },
}
