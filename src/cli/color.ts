/** Colours for a terminal: the only module with escape sequences. */
import { plain, printableLines, type Paint, type Tone } from '../report/layout.ts'

const SGR: Readonly<Record<Tone, string>> = {
  damage: '1;31',
  breach: '33',
  advice: '36',
  clean: '32',
  refused: '1;31',
  unknown: '1;35',
  heading: '1',
  faint: '2',
  mark: '31',
}

/** Paints with ANSI sequences, or not at all. */
export function painter(color: boolean): Paint {
  return color ? (text, tone) => `\u001b[${SGR[tone]}m${text}\u001b[0m` : plain
}

/** Exactly the sequences that a painter makes. */
const PAINTED = new RegExp(String.raw`(\u001b\[(?:0|${Object.values(SGR).join('|')})m)`)

/** Text of a painter as it may be shown: its own sequences stay, everything else is printable. */
export function shown(text: string, color: boolean): string {
  return color
    ? text
        .split(PAINTED)
        .map((part, i) => (i % 2 === 1 ? part : printableLines(part)))
        .join('')
    : printableLines(text)
}
