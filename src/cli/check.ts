/** `check`, `map` and `trace`: one simulated boot in three forms, and its exit code. */
import { isAbsolute, relative } from 'node:path'
import { checkWith, type Checked } from '../check-with.ts'
import { formatMap } from '../report/map.ts'
import type { Report } from '../report/model.ts'
import { formatReport, verdictLine } from '../report/text.ts'
import { painter } from './color.ts'
import type { Call } from './command.ts'
import { jsonText, REPORT_FORMATS } from './formats.ts'
import { checkInput } from './input.ts'

const EXIT = { clean: 0, damage: 1, refused: 1, unknown: 3 } as const
const EXIT_BREACH = 1

/** The exit code of a report. `strict`: a broken contract in any run counts like damage. */
export function exitCode(report: Report, strict: boolean): number {
  const broken = [report, ...report.alternatives].some(run =>
    run.findings.some(finding => finding.class === 'breach'),
  )
  return strict && broken ? EXIT_BREACH : EXIT[report.verdict]
}

async function judged(call: Call): Promise<Checked> {
  const input = await checkInput(call)
  call.log.debug('image', { file: input.image.name, size: input.image.source.size })
  const reader = input.deep === true ? await import('../kernel/payload.ts') : null
  const checked = checkWith(reader === null ? null : reader.readPayload, input)
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

/** A note about runs that map and trace omit, and the exit code. */
function footer(call: Call, { report }: Checked): string {
  const { alternatives } = report
  const others =
    alternatives.length === 0
      ? ''
      : `${String(alternatives.length)} other candidates were also run; --stub and --kernel ` +
        `choose among them\n`
  return `\n${others}${verdictLine(report, { paint: painter(call.color) })}\n`
}

async function upstreamLinks(): Promise<(clause: string) => readonly string[]> {
  return (await import('./clause-index.ts')).upstreamLinks()
}

/** A path from the folder in which the program runs, where that is above the file. */
function fromHere(path: string): string {
  const near = relative('', path)
  return isAbsolute(path) && !near.startsWith('..') ? near : path
}

/** The report in the form given by --format. Renderers other than the text are loaded on demand. */
async function reportIn(call: Call, report: Report): Promise<string> {
  switch (REPORT_FORMATS.find(one => one === call.text('format')) ?? 'text') {
    case 'text':
      return formatReport(report, {
        paint: painter(call.color),
        width: call.width,
        details: call.has('details'),
      })
    case 'json': {
      const { reportToJson } = await import('../report/json.ts')
      return jsonText(reportToJson(report, await upstreamLinks()))
    }
    case 'markdown':
      return (await import('../report/markdown.ts')).reportToMarkdown(report)
    case 'sarif': {
      const { reportToSarif } = await import('../report/sarif.ts')
      const { packageText } = await import('./files.ts')
      return jsonText(
        reportToSarif(report, await upstreamLinks(), {
          pages: rule => packageText(`docs/hazards/${rule}.md`),
          image: fromHere(report.image.name),
        }),
      )
    }
    case 'junit':
      return (await import('../report/junit.ts')).reportToJunit(report, call.has('strict'))
  }
}

/** Prints the report. */
export async function check(call: Call): Promise<number> {
  const { report } = await judged(call)
  if (!call.has('quiet')) call.print(await reportIn(call, report))
  return exitCode(report, call.has('strict'))
}

/** Prints the snapshots of the leading run. */
export async function map(call: Call): Promise<number> {
  const checked = await judged(call)
  const { report } = checked
  if (isJson(call)) {
    const { reportToJson } = await import('../report/json.ts')
    call.print(jsonText({ schema: 1, verdict: report.verdict, moments: reportToJson(report)['moments'] }))
  } else {
    call.print(`${formatMap(report, { paint: painter(call.color) })}${footer(call, checked)}`)
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
    const trace = formatTrace(recording, { paint: painter(call.color), all: call.has('all') })
    call.print(`${trace}${footer(call, checked)}`)
  }
  return exitCode(report, call.has('strict'))
}
