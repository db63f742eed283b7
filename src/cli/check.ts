/** `check`, `map` and `trace`: one simulated boot, three ways to look at it, and one exit code. */
import { check as runCheck, type Checked } from '../check.ts'
import type { Report } from '../report/model.ts'
import { painter } from './color.ts'
import type { Call } from './command.ts'
import { jsonText, reportIn } from './formats.ts'
import { checkInput } from './input.ts'

const EXIT = { clean: 0, damage: 1, refused: 1, unknown: 3 } as const
const EXIT_BREACH = 1

/** The exit code of a report. `strict`: a broken contract in any of the runs counts as damage does. */
export function exitCode(report: Report, strict: boolean): number {
  const broken = [report, ...report.alternatives].some(run =>
    run.findings.some(finding => finding.class === 'breach'),
  )
  return strict && broken ? EXIT_BREACH : EXIT[report.verdict]
}

async function judged(call: Call): Promise<Checked> {
  const input = await checkInput(call)
  call.log.debug('image', { file: input.image.name, size: input.image.source.size })
  const checked = runCheck(input)
  const { report, runs } = checked
  call.log.debug('verdict', {
    verdict: report.verdict,
    stub: report.stub.id ?? 'none',
    kernel: report.kernel.id ?? 'none',
    runs: runs.length,
    events: runs[0]?.recording.events.length ?? 0,
  })
  return checked
}

function isJson(call: Call): boolean {
  return call.text('format') === 'json'
}

/** What map and trace leave out, and what the exit code says. */
async function footer(call: Call, { report }: Checked): Promise<string> {
  const { verdictLine } = await import('../report/text.ts')
  const { alternatives } = report
  const others =
    alternatives.length === 0
      ? ''
      : `${String(alternatives.length)} other candidates were run, too; --stub and --kernel choose among them\n`
  return `\n${others}${verdictLine(report, { paint: painter(call.color) })}\n`
}

/** Prints the report. */
export async function check(call: Call): Promise<number> {
  const { report } = await judged(call)
  call.print(await reportIn(call, report))
  return exitCode(report, call.has('strict'))
}

/** Prints the memory at each moment of the leading run. */
export async function map(call: Call): Promise<number> {
  const checked = await judged(call)
  const { report } = checked
  if (isJson(call)) {
    const { reportToJson } = await import('../report/json.ts')
    call.print(jsonText({ schema: 1, verdict: report.verdict, moments: reportToJson(report)['moments'] }))
  } else {
    const { formatMap } = await import('../report/map.ts')
    call.print(`${formatMap(report, { paint: painter(call.color) })}${await footer(call, checked)}`)
  }
  return exitCode(report, call.has('strict'))
}

/** Prints the steps and events of the leading run. */
export async function trace(call: Call): Promise<number> {
  const checked = await judged(call)
  const { report, runs } = checked
  const recording = runs[0]?.recording ?? { events: [], steps: [] }
  if (isJson(call)) {
    const { recordingToJson } = await import('./recording-json.ts')
    call.print(jsonText({ schema: 1, verdict: report.verdict, ...recordingToJson(recording) }))
  } else {
    const { formatTrace } = await import('../report/trace.ts')
    call.print(
      `${formatTrace(recording, { paint: painter(call.color), all: call.has('all') })}${await footer(call, checked)}`,
    )
  }
  return exitCode(report, call.has('strict'))
}
