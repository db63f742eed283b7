/** docs/reference/scenario.md with the table of its fields made from the settings. */
import { settings, type Setting } from '../../src/machine/settings.ts'
import { textOf } from './repository.ts'

const PAGE = 'docs/reference/scenario.md'
const HEAD = '| field | meaning | default |\n|---|---|---|\n'
/** The fields that are no settings. */
const FIXED: readonly (readonly [field: string, meaning: string, otherwise: string])[] = [
  ['schema', 'always 1', 'required'],
  ['name', 'for people', 'none'],
  ['image', '`{ file }` or `{ uki }`, see below', 'required'],
  ['machine', '`{ memmap }`, `{ map }` or `{ ram, firmware }`, see below', 'required'],
]

function meaning(setting: Setting): string {
  const { kind, page, help, clauses } = setting
  const listed =
    kind === 'choice' && setting.default === undefined
      ? `: ${setting.choices.map(choice => `\`${choice}\``).join(', ')}`
      : ''
  const cited = clauses === undefined ? '' : ` (${clauses})`
  return `${kind === 'flag' ? '`true`: ' : ''}${page ?? help}${listed}${cited}`
}

function otherwise(setting: Setting): string {
  if (setting.otherwise !== undefined) return setting.otherwise
  return setting.default === undefined ? 'none' : `\`${String(setting.default)}\``
}

/** The page as it should stand: the table is replaced, all other text is the page's own. */
export function scenarioPage(): string {
  const rows = [
    ...FIXED,
    ...settings.map(([name, setting]) => [name, meaning(setting), otherwise(setting)] as const),
  ]
  const table = rows.map(([field, what, none]) => `| \`${field}\` | ${what} | ${none} |\n`).join('')
  return textOf(PAGE).replace(
    /(\| field \| meaning \| default \|\n\|---\|---\|---\|\n)(\|.*\n)*/,
    `${HEAD}${table}`,
  )
}
