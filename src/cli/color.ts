/** Colours for a terminal: the only module with escape sequences. */
import { plain, type Paint, type Tone } from '../report/layout.ts'

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
