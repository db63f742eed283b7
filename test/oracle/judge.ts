/**
 * Does a prediction agree with what was recorded? The same sentences are asked of the model in memory and of
 * the command line on real files.
 */
import {
  covers,
  damageHull,
  isHarmed,
  PLAIN_FACTS,
  type Boot,
  type BootFacts,
  type PlainFact,
} from './facts.ts'
import { KNOWN_DIFFERENCES, LUCKY, UNSEEN_BYTES } from './known.ts'
import { factsOf, type Recording } from './recording.ts'

/** `0x1000` for addresses and sizes, quoted text for texts. */
export function show(value: number | string | undefined): string {
  if (value === undefined) return 'nothing'
  return typeof value === 'number' ? `0x${value.toString(16)}` : JSON.stringify(value)
}

/**
 * May the prediction be silent about this fact of this boot? A command line in which the stub's own variables
 * lie has no text that could be told.
 */
function mayBeAbsent(fact: PlainFact, seen: BootFacts, harmed: boolean): boolean {
  if (fact === 'commandLine') return harmed
  return fact === 'decompressedKernel' && !(seen.commandLine ?? '').split(' ').includes('nokaslr')
}

/** Sentences about addresses and texts that differ. */
function factDifferences(
  recording: Recording,
  seen: BootFacts,
  predicted: BootFacts,
  harmed: boolean,
): string[] {
  const arrived = recording.outcome.startsWith('booted')
  const known = KNOWN_DIFFERENCES.filter(({ id }) => id === recording.id)
  return PLAIN_FACTS.flatMap(fact => {
    const [want, got] = [seen[fact], predicted[fact]]
    const excuse = known.find(one => one.fact === fact)
    if (excuse !== undefined) {
      const off = typeof want === 'number' && typeof got === 'number' ? got - want : null
      return off === excuse.off
        ? []
        : [
            `${fact}: listed as off by ${show(excuse.off)}, but predicted ${show(got)} and ` +
              `recorded ${show(want)}`,
          ]
    }
    if (want === undefined || want === got) return []
    if (got === undefined && (!arrived || mayBeAbsent(fact, seen, harmed))) return []
    return [`${fact}: predicted ${show(got)}, recorded ${show(want)}`]
  })
}

/** Sentences about the initrd's damaged bytes. */
function damageDifferences({ id }: Recording, seen: BootFacts, predicted: BootFacts): string[] {
  if (seen.initrdDamage === undefined) return []
  if (predicted.initrdDamage === undefined)
    return seen.initrdDamage.length === 0 ? [] : ['initrdDamage: predicted nothing']
  const [want, got] = [damageHull(seen.initrdDamage), damageHull(predicted.initrdDamage)]
  const same = want?.from === got?.from && want?.to === got?.to
  if (UNSEEN_BYTES.some(one => one.id === id))
    return got === null ? [] : ['initrdDamage: listed as not seen, but predicted']
  return same && covers(predicted.initrdDamage, seen.initrdDamage)
    ? []
    : [
        `initrdDamage: predicted ${JSON.stringify(predicted.initrdDamage)}, recorded ` +
          JSON.stringify(seen.initrdDamage),
      ]
}

/**
 * The texts of the `.cmdline` sections, as far as the recording tells them apart from damage: those of the
 * length of a section.
 */
export function isRecordedHarmed(recording: Recording): boolean {
  const sizes = recording.layout
    .filter(([name]) => name === '.cmdline')
    .map(([, , VirtualSize]) => Number(VirtualSize))
  const facts = factsOf(recording)
  const text = facts.commandLine ?? ''
  return isHarmed(
    facts,
    recording.outcome,
    text.startsWith('console=ttyS0 earlyprintk=ttyS0,115200 ignore_loglevel ') && sizes.includes(text.length)
      ? [text]
      : [],
  )
}

/** Everything in which the prediction and the recording disagree; empty when they agree. */
export function disagreements(recording: Recording, predicted: Boot): string[] {
  const seen = factsOf(recording)
  const harmed = isRecordedHarmed(recording)
  const booted = recording.outcome.startsWith('booted')
  const wrong = [
    ...factDifferences(recording, seen, predicted.facts, harmed),
    ...damageDifferences(recording, seen, predicted.facts),
  ]
  if (booted && predicted.facts.ending !== 'arrived')
    wrong.push(`ending: predicted ${predicted.facts.ending}, recorded ${recording.outcome}`)
  const lucky = LUCKY.some(({ id }) => id === recording.id)
  if (!harmed && (predicted.verdict === 'damage' || predicted.verdict === 'refused') !== lucky)
    wrong.push(`verdict: ${predicted.verdict ?? 'none'}, but the boot was not harmed`)
  if (harmed && predicted.verdict === 'clean') wrong.push(`verdict: clean, but ${recording.outcome}`)
  return wrong
}
