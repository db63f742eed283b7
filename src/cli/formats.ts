/** The forms of a report; what writes one is loaded when it is asked for. */
import type { Report } from '../report/model.ts'
import { painter } from './color.ts'
import type { Call } from './command.ts'

export const REPORT_FORMATS = ['text', 'json', 'markdown', 'sarif', 'junit'] as const

/** Data as the JSON texts of all commands are laid out. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

async function upstreamLinks(): Promise<(clause: string) => readonly string[]> {
  return (await import('./clause-index.ts')).upstreamLinks()
}

/** The report in the form that --format names, text by default. */
export async function reportIn(call: Call, report: Report): Promise<string> {
  switch (REPORT_FORMATS.find(one => one === call.text('format')) ?? 'text') {
    case 'text': {
      const { formatReport } = await import('../report/text.ts')
      return formatReport(report, { paint: painter(call.color), width: call.width })
    }
    case 'json': {
      const { reportToJson } = await import('../report/json.ts')
      return jsonText(reportToJson(report, await upstreamLinks()))
    }
    case 'markdown':
      return (await import('../report/markdown.ts')).reportToMarkdown(report)
    case 'sarif': {
      const { reportToSarif } = await import('../report/sarif.ts')
      return jsonText(reportToSarif(report, await upstreamLinks()))
    }
    case 'junit':
      return (await import('../report/junit.ts')).reportToJunit(report, call.has('strict'))
  }
}
