/** Renderers: pure functions from a report (or a recording) to text or data. */
export { formatFinding, formatReport, verdictLine } from './text.ts'
export { formatMap } from './map.ts'
export { formatTrace } from './trace.ts'
export { reportToJson } from './json.ts'
export { reportToJunit } from './junit.ts'
export { reportToMarkdown } from './markdown.ts'
export { reportToSarif, type RulePages } from './sarif.ts'
export type { ClauseLinks } from './links.ts'
export { reportSchema } from './report-schema.ts'
export type { Paint, TextOptions, Tone } from './layout.ts'
export type {
  BuilderRef,
  EraRef,
  FileProblem,
  Finding,
  MachineRef,
  MapLine,
  MapSnapshot,
  Report,
  RunReport,
  Verdict,
} from './model.ts'
