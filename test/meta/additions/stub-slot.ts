/** The stub does something that no slot is about. */
import { all, atEnd, before, behind, type Addition } from './addition.ts'
import { nextClauses } from './next-clauses.ts'

const [KEPT, NONE] = nextClauses('ST')

export const stubSlot: Addition = {
  kind: 'a new slot of the stub',
  shown: [['spec', KEPT], 'src/stub/steps/measure.ts'],
  files: {
    'src/stub/behaviour.ts': behind(
      '/** How a release behaves, slot by slot. */\nexport interface StubBehaviour {\n',
      `  /** What becomes of the event log of what was measured. */
  readonly measure: { readonly log: 'none' | 'kept' }
`,
    ),
    'src/stub/model.ts': behind(
      'export interface StubSteps {\n',
      `  /** Measures sections. */
  readonly measure: (ctx: StubContext) => void
`,
    ),
    'src/stub/steps/measure.ts': `/** Slot measure: what stays allocated of measured sections (chapter ST). */
import type { StubBehaviour } from '../behaviour.ts'
import type { StubContext } from '../model.ts'
import { xmalloc } from './xmalloc.ts'

/** The step of a release whose event log is kept, or is not made. */
export function measure({ log }: StubBehaviour['measure']): (ctx: StubContext) => void {
  return log === 'kept' ? keepLog : makeNoLog
}

function keepLog(ctx: StubContext): void {
  ctx.machine.step('${KEPT}', 'tpm_log_event keeps a page', () => {
    xmalloc(ctx, '${KEPT}', 4096, 'stub:event-log')
  })
}

function makeNoLog({ machine }: StubContext): void {
  machine.step('${NONE}', 'measures without a log', () => undefined)
}
`,
    'src/stub/steps.ts': all(
      before('import { choosePool }', "import { measure } from './steps/measure.ts'\n"),
      behind('  return {\n', '    measure: measure(behaviour.measure),\n'),
    ),
    'src/stub/boot.ts': behind('  era.strings(ctx)\n', '  era.measure(ctx)\n'),
    'src/stub/changes.ts': all(
      behind('export const STUB_229: StubBehaviour = {\n', "  measure: { log: 'none' },\n"),
      before(
        ']\n\n/** Releases whose source was read',
        `  change('0123456789', 'keeps an event log', { in: ['262'] }, { measure: { log: 'kept' } }),
`,
      ),
    ),
    'src/stub/law.ts': behind(
      'export const STUB_LAW: Law<StubBehaviour> = {\n',
      `  measure: {
    '${KEPT}': ({ measure }) => measure.log === 'kept',
    '${NONE}': ({ measure }) => measure.log === 'none',
  },
`,
    ),
  },
  beside: {
    'spec/ST-systemd-stub.md': atEnd(`
### ${KEPT}: The event log takes a page
Applies: no release yet
Source: systemd@257.13 src/boot/measure.c tpm_log_event
Evidence: read

The event log takes 4096 bytes of pool, which are kept.

### ${NONE}: There is no event log
Applies: no release yet
Source: systemd@247.3 src/boot/efi/measure.c
Evidence: read

Nothing is kept of what was measured.
`),
    'test/spec/ST/measure.test.ts': `import { expect, test } from 'vitest'
import { runStub } from '../../support/stub-run.ts'

const clausesOf = (era: string): string[] =>
  runStub(era, { stub: '262.1', free: [0x1000, 0x8000000] }).recorder.steps.map(({ clause }) => clause)

test('${KEPT} the event log is kept', () => {
  expect(clausesOf('systemd-stub/S8/262')).toContain('${KEPT}')
  const { calls } = runStub('systemd-stub/S8/262', { stub: '262.1', free: [0x1000, 0x8000000] })
  expect(calls).toContainEqual(expect.objectContaining({ label: 'stub:event-log' }))
})

test('${NONE} there is none before', () => {
  expect(clausesOf('systemd-stub/S8')).toContain('${NONE}')
  expect(clausesOf('systemd-stub/S8')).not.toContain('${KEPT}')
})
`,
  },
}
