/** `image-loaders`: one file through every image loader, and where they disagree. */
import {
  compareImageLoaders,
  type Holds,
  type ImageLoaderComparison,
  type ImageLoaderDifference,
  type ImageLoaderOutcome,
} from '../boot/compare-image-loaders.ts'
import { buildMachine, type MachineInput } from '../boot/machine.ts'
import { UsageError } from '../bytes/errors.ts'
import { formatSize, hex } from '../bytes/range.ts'
import { firmwareNamed, firmwares } from '../firmware/firmwares.ts'
import { parsePe } from '../image/pe.ts'
import { viewUki } from '../image/uki.ts'
import { columns, labelled, printable } from '../report/layout.ts'
import type { Call } from './command.ts'
import { mapGiven } from './machine.ts'

const EXIT_DISAGREE = 1
/** The default machine: room for any image that firmware loads below 4 GiB. */
const DEFAULT_MACHINE = { profile: 'ovmf-2022.11-q35-4M', ram: 2 ** 31 }

function holdsText(holds: Holds, section: string | null): string {
  switch (holds.kind) {
    case 'data':
      return (
        `${holds.object === section ? 'its own bytes' : `bytes of ${holds.object}`} from ` + hex(holds.at)
      )
    case 'zero':
      return 'zeros'
    case 'stale':
      return 'previous content of the pages'
    case 'no-memory':
      return 'not memory'
  }
}

const line = (label: string, text: string): string[] =>
  labelled(label, text, { indent: 2, column: 26, width: 80 })

function outcomeRow({ loader, refused, loaded, unallocated, nowhere }: ImageLoaderOutcome): string[] {
  if (loaded === null)
    return [loader, 'refused', refused === null ? '' : `${refused.status} (${refused.clause})`, '']
  const stray =
    unallocated.length === 0
      ? ''
      : 'writes outside its allocation: ' +
        unallocated.map(({ from, to }) => `${hex(from)}-${hex(to)}`).join(', ')
  if (nowhere) return [loader, 'lost', `no memory at ${hex(loaded.base)}`, '']
  return [loader, 'loaded', `allocates ${hex(loaded.taken)}, image ${hex(loaded.imageSize)}`, stray]
}

const HARMLESS = {
  discardable: ': discardable, needed during the load only',
  unusual: ': only an unusual loader differs',
} as const

function differenceLines({ section, from, to, harmless, groups }: ImageLoaderDifference): string[] {
  return [
    `  ${hex(from)}-${hex(to)} (${formatSize(to - from)})${harmless === null ? '' : HARMLESS[harmless]}`,
    ...groups.flatMap(({ holds, loaders }) =>
      labelled('', `${holdsText(holds, section)}: ${loaders.join(', ')}`, {
        indent: 4,
        column: 0,
        width: 80,
      }),
    ),
  ]
}

const VERDICTS: Readonly<Record<ImageLoaderComparison['verdict'], string>> = {
  agree: 'all loaders agree',
  harmless: 'all usual loaders agree on what a running image needs',
  disagree: 'the loaders disagree',
}

/** For people. */
export function formatImageLoaders(
  name: string,
  { outcomes, differences, gaps, verdict }: ImageLoaderComparison,
): string {
  const refusals = outcomes.flatMap(({ loader, refused }) =>
    refused === null
      ? []
      : [
          ...line(loader, `${refused.status}, ${refused.clause}: ${refused.why}`),
          ...(refused.message === null ? [] : line('', `prints: ${refused.message}`)),
        ],
  )
  const notes = outcomes.flatMap(({ loader, assumptions }) => assumptions.flatMap(what => line(loader, what)))
  const unusual = outcomes.flatMap(({ loader }) =>
    firmwares().find(({ id }) => id === loader)?.loader.unusual === undefined
      ? []
      : line(loader, firmwareNamed(loader).loader.unusual ?? ''),
  )
  const bySection = [...new Set(differences.map(({ index }) => index))].map(index => {
    const own = differences.filter(one => one.index === index)
    return [`section ${String(index)} ${own[0]?.section ?? ''}`, ...own.flatMap(differenceLines)]
  })
  const blocks = [
    [printable(name)],
    columns(outcomes.map(outcomeRow)),
    refusals.length === 0 ? [] : ['refused', ...refusals],
    notes.length === 0 ? [] : ['assumed', ...notes],
    ...bySection,
    unusual.length === 0 ? [] : ['unusual: these count only when named', ...unusual],
    gaps.length === 0
      ? []
      : [
          `outside all sections ${String(gaps.length)} ranges differ: some loaders zero them, ` +
            'others do not write them (PE-18, PE-45, PE-49)',
        ],
    [VERDICTS[verdict]],
  ]
  return `${blocks
    .filter(block => block.length > 0)
    .map(block => block.join('\n'))
    .join('\n\n')}\n`
}

const stretchJson = ({ from, to }: { readonly from: number; readonly to: number }) => ({
  from: hex(from),
  to: hex(to),
})
const holdsJson = (holds: Holds) => (holds.kind === 'data' ? { ...holds, at: hex(holds.at) } : holds)
const differenceJson = (one: ImageLoaderDifference) => ({
  index: one.index,
  section: one.section,
  harmless: one.harmless,
  ...stretchJson(one),
  groups: one.groups.map(({ holds, loaders }) => ({ holds: holdsJson(holds), loaders })),
})

/** Plain data: offsets, sizes and addresses as hexadecimal strings. */
export function imageLoadersToJson(
  name: string,
  { outcomes, differences, gaps, agree, verdict }: ImageLoaderComparison,
): Record<string, unknown> {
  return {
    schema: 1,
    file: name,
    agree,
    verdict,
    loaders: outcomes.map(({ loader, title, refused, loaded, runs, unallocated, nowhere, assumptions }) => ({
      loader,
      title,
      refused,
      loaded:
        loaded === null
          ? null
          : { base: hex(loaded.base), taken: hex(loaded.taken), imageSize: hex(loaded.imageSize) },
      runs: runs.map(run => ({ ...stretchJson(run), holds: holdsJson(run.holds) })),
      strayed: unallocated.map(stretchJson),
      nowhere,
      assumptions,
    })),
    differences: differences.map(differenceJson),
    gaps: gaps.map(differenceJson),
  }
}

/** The given machine, or a large one. */
async function mapOf(call: Call): Promise<MachineInput['map']> {
  return (await mapGiven(call)) ?? buildMachine(DEFAULT_MACHINE).map
}

/** The command. Throws UsageError when the file is not a PE file. */
export async function imageLoaders(call: Call): Promise<number> {
  const name = call.operand ?? ''
  const source = call.files.source(name)
  const { pe, problems } = parsePe(source)
  if (pe === null) throw new UsageError(`${name}: ${problems.at(-1)?.what ?? 'not a PE file'}`)
  const named = call.text('image-loader')?.split(',').map(firmwareNamed)
  const map = await mapOf(call)
  const comparison =
    named === undefined
      ? compareImageLoaders(source, viewUki(pe), map, firmwares())
      : compareImageLoaders(source, viewUki(pe), map, named, () => true)
  call.print(
    call.text('format') === 'json'
      ? `${JSON.stringify(imageLoadersToJson(name, comparison), null, 2)}\n`
      : formatImageLoaders(name, comparison),
  )
  return comparison.verdict === 'disagree' ? EXIT_DISAGREE : 0
}
