/** `check`, `map` and `trace`: one simulated boot in three forms, and its exit code. */
import { checkWith, type Checked } from '../check-with.ts'
import { formatMap } from '../report/map.ts'
import type { Report } from '../report/model.ts'
import { slotsJson } from '../report/facts.ts'
import { slotsText } from '../report/sentences.ts'
import { formatReport, verdictLine } from '../report/text.ts'
import { painter } from './color.ts'
import type { Call } from './command.ts'
import { exitCode, fromHere, upstreamLinks } from './for-reports.ts'
import { jsonText, REPORT_FORMATS } from './formats.ts'
import { checkInput } from './input.ts'
import { namesMachine } from './machine.ts'

/** Options that describe a machine each time. */
const SEVERAL = ['memmap', 'ram', 'firmware', 'image-loader'] as const

/** Does this call want more than one image or machine, or name no machine? */
function isSurvey(call: Call): boolean {
  const folder = (path: string): boolean => call.files.folder(path) !== null
  return (
    call.operands.length > 1 ||
    call.operands.some(folder) ||
    (!namesMachine(call) && !call.has('scenario')) ||
    SEVERAL.some(option => call.texts(option).length > 1) ||
    call.texts('memmap').some(folder)
  )
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

/** Prints the report; of several images or machines, or where no machine is named, that of all boots. */
export async function check(call: Call): Promise<number> {
  if (isSurvey(call)) return (await import('./survey.ts')).survey(call)
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
    const { kernelSlots } = report.facts
    call.print(
      jsonText({
        schema: 1,
        verdict: report.verdict,
        ...(kernelSlots === undefined ? {} : { kernelSlots: slotsJson(kernelSlots) }),
        ...recordingToJson(recording),
      }),
    )
  } else {
    const { formatTrace } = await import('../report/trace.ts')
    const trace = formatTrace(recording, { paint: painter(call.color), all: call.has('all') })
    const { kernelSlots } = report.facts
    const random =
      kernelSlots === undefined
        ? ''
        : `the kernel goes ${slotsText(kernelSlots)}; this is its boot in the first of them\n\n`
    call.print(`${random}${trace}${footer(call, checked)}`)
  }
  return exitCode(report, call.has('strict'))
}
