/** How well the simulator predicts the recorded boots: per fact, and per outcome. */
import { simulated, type BootDriver } from './driver.ts'
import { PLAIN_FACTS, damageHull, type Boot, type BootFacts, type PlainFact } from './facts.ts'
import { disagreements, isRecordedHarmed, show } from './judge.ts'
import { isJudged } from './judged.ts'
import { factsOf, readRecordings, type Recording } from './recording.ts'

const VERDICTS = ['clean', 'unknown', 'refused', 'damage'] as const

/** One fact over all boots whose recording has it. */
export interface FactScore {
  readonly fact: PlainFact | 'initrdDamage'
  readonly recorded: number
  readonly exact: number
  /** How far off, and how often: `+0x1000` twice. */
  readonly off: readonly { readonly by: string; readonly boots: readonly string[] }[]
  /** Boots for which the report does not give the fact. */
  readonly absent: readonly string[]
}

/** One recorded outcome against the verdicts. */
export interface OutcomeScore {
  readonly outcome: string
  readonly verdicts: Readonly<Record<(typeof VERDICTS)[number], number>>
}

export interface Score {
  readonly boots: number
  /** Boots that no row of the tables is about. */
  readonly unjudged: number
  readonly facts: readonly FactScore[]
  readonly outcomes: readonly OutcomeScore[]
  readonly harmed: number
  readonly flagged: number
  readonly flaggedAndHarmed: number
  readonly silentlyHarmed: readonly string[]
  readonly wronglyFlagged: readonly string[]
  /** Everything in which a prediction differs from its recording without being listed as known. */
  readonly disagreements: readonly string[]
}

interface Pair {
  readonly recording: Recording
  readonly seen: BootFacts
  readonly boot: Boot
}

function difference(want: number | string, got: number | string): string {
  if (typeof want !== 'number' || typeof got !== 'number') return 'another value'
  return `${got < want ? '-' : '+'}${show(Math.abs(got - want))}`
}

function scoreFact(fact: PlainFact | 'initrdDamage', pairs: readonly Pair[]): FactScore {
  const off = new Map<string, string[]>()
  const absent: string[] = []
  let recorded = 0
  let exact = 0
  for (const { recording, seen, boot } of pairs) {
    const value = (facts: BootFacts): number | string | undefined => {
      if (fact !== 'initrdDamage') return facts[fact]
      const hull = facts.initrdDamage && damageHull(facts.initrdDamage)
      if (hull === undefined) return undefined
      return hull === null ? 'whole' : `${show(hull.from)}-${show(hull.to)}`
    }
    const [want, got] = [value(seen), value(boot.facts)]
    if (want === undefined) continue
    recorded++
    if (got === undefined) absent.push(recording.id)
    else if (want === got) exact++
    else off.set(difference(want, got), [...(off.get(difference(want, got)) ?? []), recording.id])
  }
  return { fact, recorded, exact, off: [...off].map(([by, boots]) => ({ by, boots })), absent }
}

const OUTCOMES: readonly (readonly [string, (recording: Recording) => boolean])[] = [
  [
    'booted, everything whole',
    recording => recording.outcome.startsWith('booted') && !isRecordedHarmed(recording),
  ],
  ['booted with a damaged initrd or command line', recording => recording.outcome.startsWith('booted')],
  ['kernel panic or hang', recording => /^(kernel panic|hang in kernel)/.test(recording.outcome)],
  ['firmware exception', recording => recording.outcome === 'firmware exception'],
  ['stopped in the EFI stub of the kernel', recording => recording.outcome.startsWith('stopped in EFI stub')],
  ['returned to firmware', recording => recording.outcome === 'returned to firmware'],
  ['firmware refused to load', recording => recording.outcome === 'firmware refuses to load'],
]

function scoreOutcomes(pairs: readonly Pair[]): OutcomeScore[] {
  const named = pairs.map(({ recording, boot }) => ({
    outcome: OUTCOMES.find(([, is]) => is(recording))?.[0],
    verdict: boot.verdict,
  }))
  return OUTCOMES.map(([outcome]) => {
    const count = (verdict: string): number =>
      named.filter(one => one.outcome === outcome && one.verdict === verdict).length
    return {
      outcome,
      verdicts: {
        clean: count('clean'),
        unknown: count('unknown'),
        refused: count('refused'),
        damage: count('damage'),
      },
    }
  })
}

/** Replays every judged recording through a driver. */
export function scoreAll(driver: BootDriver = simulated): Score {
  const all = readRecordings()
  const pairs = all
    .filter(isJudged)
    .map((recording): Pair => ({ recording, seen: factsOf(recording), boot: driver.boot(recording) }))
  const harmed = pairs.filter(({ recording }) => isRecordedHarmed(recording))
  const flagged = pairs.filter(({ boot }) => boot.verdict === 'damage' || boot.verdict === 'refused')
  return {
    boots: pairs.length,
    unjudged: all.length - pairs.length,
    facts: [...PLAIN_FACTS, 'initrdDamage' as const].map(fact => scoreFact(fact, pairs)),
    outcomes: scoreOutcomes(pairs),
    harmed: harmed.length,
    flagged: flagged.length,
    flaggedAndHarmed: flagged.filter(pair => harmed.includes(pair)).length,
    silentlyHarmed: harmed
      .filter(({ boot }) => boot.verdict === 'clean')
      .map(({ recording }) => recording.id),
    wronglyFlagged: flagged.filter(pair => !harmed.includes(pair)).map(({ recording }) => recording.id),
    disagreements: pairs.flatMap(({ recording, boot }) =>
      disagreements(recording, boot).map(what => `${recording.id}: ${what}`),
    ),
  }
}

const offText = ({ off }: FactScore): string =>
  off.map(({ by, boots }) => `${by} (${String(boots.length)})`).join(', ')

/** For a terminal, with the names of the boots. */
export function scoreText(score: Score): string {
  const lines = [
    `${String(score.boots)} recorded boots judged, ${String(score.unjudged)} outside the tables`,
    '',
  ]
  lines.push(`${'fact'.padEnd(22)}recorded  exact  off  absent`)
  for (const one of score.facts) {
    const off = one.off.reduce((sum, { boots }) => sum + boots.length, 0)
    const cells = [String(one.recorded).padStart(8), String(one.exact).padStart(7), String(off).padStart(5)]
    lines.push(`${one.fact.padEnd(22)}${cells.join('')}${String(one.absent.length).padStart(8)}`)
    for (const { by, boots } of one.off) for (const id of boots) lines.push(`    off by ${by}: ${id}`)
  }
  lines.push('', `${'recorded outcome'.padEnd(48)}${VERDICTS.map(verdict => verdict.padStart(9)).join('')}`)
  for (const { outcome, verdicts } of score.outcomes)
    lines.push(
      `${outcome.padEnd(48)}${VERDICTS.map(verdict => String(verdicts[verdict]).padStart(9)).join('')}`,
    )
  lines.push(
    '',
    `harmed ${String(score.harmed)}, flagged ${String(score.flagged)}, both ` +
      String(score.flaggedAndHarmed),
  )
  for (const id of score.silentlyHarmed) lines.push(`    harmed, but clean: ${id}`)
  for (const id of score.wronglyFlagged) lines.push(`    flagged, but whole: ${id}`)
  lines.push(
    '',
    `${String(score.disagreements.length)} disagreements that are not listed as known`,
    ...score.disagreements.map(what => `    ${what}`),
  )
  return `${lines.join('\n')}\n`
}

/** For README.md. */
export function scoreMarkdown(score: Score): string {
  const lines = [
    `Replayed: ${String(score.boots)} recorded boots (${String(score.unjudged)} more ` +
      'are outside the tables of eras and not counted).',
    '',
  ]
  lines.push('| fact | recorded | exact | off by | not predicted |', '| --- | ---: | ---: | --- | ---: |')
  for (const one of score.facts)
    lines.push(
      `| \`${one.fact}\` | ${String(one.recorded)} | ${String(one.exact)} | ` +
        `${offText(one) || '–'} | ${String(one.absent.length)} |`,
    )
  lines.push(
    '',
    `| recorded outcome | ${VERDICTS.join(' | ')} |`,
    `| --- |${VERDICTS.map(() => ' ---: |').join('')}`,
  )
  for (const { outcome, verdicts } of score.outcomes)
    lines.push(`| ${outcome} | ${VERDICTS.map(verdict => String(verdicts[verdict])).join(' | ')} |`)
  const recall = `${String(score.flaggedAndHarmed)} of ${String(score.harmed)} harmed boots are flagged`
  const silent =
    score.silentlyHarmed.length === 0
      ? 'none of the others is called clean'
      : `${String(score.silentlyHarmed.length)} of the others ` +
        `${score.silentlyHarmed.length === 1 ? 'is' : 'are'} called clean ` +
        `(${score.silentlyHarmed.map(id => `\`${id}\``).join(', ')})`
  lines.push(
    '',
    `${recall}; ${silent}. ${String(score.flaggedAndHarmed)} of ` +
      `${String(score.flagged)} flagged boots were harmed.`,
  )
  return `${lines.join('\n')}\n`
}
