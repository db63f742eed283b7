/** Two cells that are one step, told different things: what differs, in words. */
import { particularsOf, type Particulars } from '../machine/told.ts'

const CLAUSE_ID = /^[A-Z]{2}-\d+$/

/** Names of particulars, as people say them. */
const LABELS: Readonly<Record<string, string>> = {
  message: 'what it prints',
  words: 'a status is printed as',
  end: 'behind the status it prints',
  text: 'the text of the line',
  confidential: 'confidential VMs',
  extras: 'what is appended',
  wanted: 'sections it takes of add-ons',
  checks: 'conditions',
  names: 'names it looks for',
  options: 'LoadOptions that it takes',
  underSecureBoot: 'under Secure Boot',
  write: 'a character becomes',
  profiles: 'LoadOptions may name a profile',
  firmwareConsole: "the firmware's console",
  pieces: 'pieces',
  joins: 'joins',
  list: 'the list of pieces',
  pages: 'pages',
  none: 'without a piece',
  start: 'the way in',
  sections: 'sections',
  clause: 'rule',
  origin: 'counted from',
  fits: 'a section counts',
  headerBytes: 'bytes of the setup header',
  secureBoot: 'Secure Boot',
  read: 'reads',
  bytes: 'it takes',
  copies: 'copies',
  sets: 'then sets',
  into: 'into',
  moves: 'moves',
  lowest: 'lowest address',
  type: 'memory type',
  slack: 'room for further descriptors',
  firstSlotFor: 'options that make it take the first slot',
  minimum: 'LOAD_PHYSICAL_ADDR as the lowest address',
  noSlot: 'when nothing fits',
  panic: 'what it prints',
}

/** `atMost96Sections` as `at most 96 sections`, `pagesBelow4GFirst` as `pages below 4 GiB first`. */
export function spoken(name: string): string {
  return name
    .replace(/4G(?![a-z])/g, ' 4 GiB')
    .replace(/(?<=[a-z])(?=\d)|(?<=[a-z\dB])(?=[A-Z][a-z])/g, ' ')
    .split(/\s+/)
    .map(word => (/^[A-Z][a-z]/.test(word) && word !== 'GiB' ? word.toLowerCase() : word))
    .join(' ')
}

type Titles = ReadonlyMap<string, string>

function wordOf(value: unknown, titles: Titles): string {
  if (typeof value === 'function') {
    const particulars = particularsOf(value)
    const said =
      particulars === null
        ? spoken(value.name)
        : Object.values(particulars)
            .map(one => wordOf(one, titles))
            .join(' as ')
    return said === '' ? 'another step' : said
  }
  if (typeof value === 'string')
    return CLAUSE_ID.test(value)
      ? `${value} ${titles.get(value) ?? ''}`.trim()
      : value.includes(' ') && !/^[a-z -]+$/.test(value)
        ? JSON.stringify(value)
        : value
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (Array.isArray(value)) return value.map(one => wordOf(one, titles)).join(', ')
  if (typeof value === 'object' && value !== null)
    return 'message' in value
      ? wordOf(value.message, titles)
      : Object.values(value)
          .map(one => wordOf(one, titles))
          .join(', ')
  return String(value)
}

const isRecord = (value: unknown): value is Particulars =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function lists(label: string, from: readonly string[], to: readonly string[]): string[] {
  const gone = from.filter(one => !to.includes(one))
  const more = to.filter(one => !from.includes(one))
  if (gone.length === 0 && more.length === 0)
    return from.join() === to.join() ? [] : [`${label}: in another order, ${to.join(', ')}`]
  return [
    ...(more.length === 0 ? [] : [`${label}: now also ${more.join(', ')}`]),
    ...(gone.length === 0 ? [] : [`${label}: no longer ${gone.join(', ')}`]),
  ]
}

function compared(path: string, from: unknown, to: unknown, titles: Titles): string[] {
  if (from === to) return []
  if (Array.isArray(from) && Array.isArray(to))
    return lists(
      path,
      from.map(one => wordOf(one, titles)),
      to.map(one => wordOf(one, titles)),
    )
  if (isRecord(from) && isRecord(to)) return inWords(from, to, titles, `${path}, `)
  if (from === undefined || to === undefined) return []
  const [was, is] = [wordOf(from, titles), wordOf(to, titles)]
  return was === is ? [] : [`${path}: ${is}, was ${was}`]
}

/**
 * One sentence for each particular that both steps have and that differs, in the order of the first row's.
 */
export function inWords(from: Particulars, to: Particulars, titles: Titles, prefix = ''): string[] {
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])]
  return keys.flatMap(key => compared(`${prefix}${LABELS[key] ?? spoken(key)}`, from[key], to[key], titles))
}
