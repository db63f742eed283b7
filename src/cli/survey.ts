/** `check` of several images or on several machines: every image on every machine, one report. */
import { prepareImage, prepareMachine, type PreparedMachine } from '../boot/prepare.ts'
import { UsageError } from '../bytes/errors.ts'
import { fileOffset } from '../bytes/units.ts'
import { checkWith, type CheckInput } from '../check-with.ts'
import {
  formatSurvey,
  pairName,
  surveyRow,
  worstFirst,
  type Survey,
  type SurveyRow,
} from '../report/survey.ts'
import { VERSION } from '../version.ts'
import { exitCode, fromHere, upstreamLinks } from './for-reports.ts'
import { painter } from './color.ts'
import type { Call } from './command.ts'
import { jsonText, REPORT_FORMATS } from './formats.ts'
import { askedOf, imageInput, machineInput, machinesWanted, type Asked } from './input.ts'
import { machineName, namesMachine, usualMachines, type Wanted } from './machine.ts'

/** Most boots of one call; a hundred images on each of the usual machines are less. */
export const BOOTS_MAX = 1024
const EXIT_UNREADABLE = 2
/** From the best to the worst. */
const EXITS: readonly number[] = [0, 3, EXIT_UNREADABLE, 1]

/** The files to check, and those in folders that are left out. */
interface Files {
  readonly files: readonly string[]
  readonly skipped: readonly string[]
}

/** Does the file begin with MZ? True for a file that cannot be read, so that it gets a row. */
function beginsAsPe(call: Call, path: string): boolean {
  const part = call.files.part()
  try {
    const [m, z] = part.source(path).read(fileOffset(0), 2)
    return m === 0x4d && z === 0x5a
  } catch (error) {
    if (error instanceof UsageError) return true
    throw error
  } finally {
    part.close()
  }
}

/** The operands, with each folder replaced by the PE files in it. */
function filesOf(call: Call): Files {
  const files: string[] = []
  const skipped: string[] = []
  for (const operand of call.operands) {
    const inside = call.files.folder(operand)
    for (const path of inside ?? [operand])
      (inside === null || beginsAsPe(call, path) ? files : skipped).push(path)
    if (inside !== null && !inside.some(path => files.includes(path)))
      throw new UsageError(`${operand}: there is no PE file in this folder`)
  }
  return { files: [...new Set(files)], skipped }
}

interface Ready {
  readonly name: string
  readonly machine: PreparedMachine
}

/** The message of a UsageError without the file's name. Throws anything else again. */
function whyOf(error: unknown, name: string): string {
  if (!(error instanceof UsageError)) throw error
  return error.message.startsWith(`${name}: `) ? error.message.slice(name.length + 2) : error.message
}

/** A machine ready to boot, or a row that says why its memory map cannot be used. */
async function readied(call: Call, asked: Asked, wanted: Wanted, only: boolean): Promise<Ready | SurveyRow> {
  const name = machineName(wanted, asked.scenarioPath)
  try {
    return { name, machine: prepareMachine(await machineInput(call, asked, wanted)) }
  } catch (error) {
    if (only || wanted.memmap === undefined) throw error
    return {
      file: '',
      machine: name,
      verdict: 'unreadable',
      why: whyOf(error, wanted.memmap),
      found: '',
      report: null,
    }
  }
}

/** One file on all machines. If the file itself cannot be used, that is one row. */
async function rowsOf(
  call: Call,
  asked: Asked,
  path: string | undefined,
  machines: readonly Ready[],
  judge: (name: string, file: string, input: CheckInput) => SurveyRow,
): Promise<SurveyRow[]> {
  const files = call.files.part()
  try {
    const input = await imageInput({ ...call, files, operand: path ?? null }, asked)
    const image = { ...input.image, source: prepareImage(input.image.source) }
    const file = path ?? image.name
    const rows = machines.map(({ name, machine }): SurveyRow => {
      try {
        return judge(name, file, { ...input, image, machine })
      } catch (error) {
        return {
          file,
          machine: name,
          verdict: 'unreadable',
          why: whyOf(error, image.name),
          found: '',
          report: null,
        }
      }
    })
    const [first] = rows
    return first?.verdict === 'unreadable' && rows.every(({ why }) => why === first.why)
      ? [{ ...first, machine: '' }]
      : rows
  } catch (error) {
    if (path === undefined) throw error
    return [
      { file: path, machine: '', verdict: 'unreadable', why: whyOf(error, path), found: '', report: null },
    ]
  } finally {
    files.close()
  }
}

/** The survey in the format of --format. */
async function surveyIn(call: Call, survey: Survey): Promise<string> {
  switch (REPORT_FORMATS.find(one => one === call.text('format')) ?? 'text') {
    case 'text':
      return formatSurvey(survey, {
        paint: painter(call.color),
        width: call.width,
        details: call.has('details'),
      })
    case 'json':
      return jsonText(
        (await import('../report/survey-formats.ts')).surveyToJson(survey, await upstreamLinks()),
      )
    case 'markdown':
      return (await import('../report/survey-formats.ts')).surveyToMarkdown(survey)
    case 'sarif': {
      const { surveyToSarif } = await import('../report/sarif.ts')
      const { packageText } = await import('./files.ts')
      return jsonText(
        surveyToSarif(survey, await upstreamLinks(), {
          pages: rule => packageText(`docs/hazards/${rule}.md`),
          image: fromHere,
        }),
      )
    }
    case 'junit':
      return (await import('../report/survey-formats.ts')).surveyToJunit(survey, call.has('strict'))
  }
}

const isText = (call: Call): boolean => (call.text('format') ?? 'text') === 'text'

/** Prints the survey of all boots; returns the exit code of the worst. */
export async function survey(call: Call): Promise<number> {
  if (call.has('observed'))
    throw new UsageError('--observed is the log of one boot: give one FILE and one machine')
  const asked = await askedOf(call)
  const { files, skipped } = filesOf(call)
  const usual = !namesMachine(call) && asked.scenario === null
  const wanted = usual ? usualMachines(call) : machinesWanted(call, asked)
  const boots = Math.max(1, files.length) * wanted.length
  if (boots > BOOTS_MAX)
    throw new UsageError(
      `${String(boots)} boots (every file on every machine) are more than ${String(BOOTS_MAX)} in one call`,
    )
  const rows: SurveyRow[] = []
  const machines: Ready[] = []
  for (const one of wanted) {
    const ready = await readied(call, asked, one, wanted.length === 1)
    if ('why' in ready) rows.push(ready)
    else machines.push(ready)
  }
  const keep = !call.has('quiet') && (!isText(call) || call.has('details') || files.length <= 1)
  const reader = call.has('deep') ? (await import('../kernel/payload.ts')).readPayload : null
  const exits = new Set<number>()
  const judge = (name: string, file: string, input: CheckInput): SurveyRow => {
    const { report } = checkWith(reader, input)
    call.log.debug('verdict', { file, machine: name, verdict: report.verdict })
    exits.add(exitCode(report, call.has('strict')))
    return surveyRow(file, name, report, keep)
  }
  for (const path of files.length === 0 ? [undefined] : files)
    rows.push(...(await rowsOf(call, asked, path, machines, judge)))
  const [first] = rows
  const unreadable = rows.filter(({ verdict }) => verdict === 'unreadable')
  if (first !== undefined && rows.length === 1 && unreadable.length === 1)
    throw new UsageError(`${pairName(first)}: ${first.why}`)
  if (unreadable.length > 0) {
    exits.add(EXIT_UNREADABLE)
    call.complain(`cannot be used: ${unreadable.map(pairName).join(', ')}`)
  }
  if (!call.has('quiet'))
    call.print(
      await surveyIn(call, {
        version: VERSION,
        files:
          files.length === 0 ? [...new Set(rows.flatMap(({ file }) => (file === '' ? [] : [file])))] : files,
        machines: wanted.map(one => machineName(one, asked.scenarioPath)),
        usualMachines: usual,
        skipped,
        rows: worstFirst(rows),
      }),
    )
  return EXITS.findLast(code => exits.has(code)) ?? EXIT_UNREADABLE
}
