/** Runs the built command line on a real image and reads its JSON report in the words of the oracle. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Boot, Ending } from '../oracle/facts.ts'
import { mapBeforeLoad, type Recording } from '../oracle/recording.ts'
import { isDeep } from '../oracle/simulate.ts'
import { shellMap } from '../support/shell-map.ts'

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
export interface JsonReport {
  readonly outcome: {
    readonly kind: Ending
    readonly entry?: string
    readonly message?: string | null
    readonly [particular: string]: unknown
  }
  readonly assumptions: readonly { readonly clause: string; readonly what: string }[]
  readonly verdict: 'clean' | 'damage' | 'refused' | 'unknown'
  readonly stub: { readonly version: string | null }
  readonly kernel: { readonly version: string | null }
  readonly facts: {
    readonly outcome: Ending
    readonly handOff?: {
      readonly door: 'efi-handover' | 'pe-entry'
      readonly kernelImage: string
      readonly entry: string
    }
    readonly commandLine?: string
    readonly payload?: {
      readonly format: string
      readonly consumed: number
      readonly produced: number
      readonly margin?: number
    }
    readonly initrdDamage?: readonly { readonly from: string; readonly to: string }[]
    readonly [address: string]: unknown
  }
}

const EXIT_OF = { clean: 0, damage: 1, refused: 1, unknown: 3 } as const

/**
 * `stubsim check IMAGE --format json` with the machine of the recording: its firmware, and its map before the
 * load or the RAM where none was recorded.
 */
export function reportByCommand(
  recording: Recording,
  uki: string,
  work: string,
  more: readonly string[] = [],
): JsonReport {
  const map = mapBeforeLoad(recording)
  const firmware = ['--firmware', `ovmf-${recording.ovmf}-${recording.machine}-${recording.fd}`]
  const machine =
    map === null
      ? [...firmware, '--ram', `${String(recording.ram_mib)}M`]
      : [...firmware, '--memmap', join(work, 'map.txt')]
  if (map !== null) writeFileSync(join(work, 'map.txt'), shellMap(map))
  const done = spawnSync(process.execPath, [MAIN, 'check', uki, ...machine, ...more, '--format', 'json'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (done.error !== undefined) throw done.error
  if (done.stdout === '') throw new Error(`exit ${String(done.status)}: ${done.stderr}`)
  const report = JSON.parse(done.stdout) as JsonReport
  if (done.status !== EXIT_OF[report.verdict])
    throw new Error(`verdict ${report.verdict}, but exit ${String(done.status)}: ${done.stderr}`)
  return report
}

/** The same in the words of the oracle; decompressed only where the kernel was corrupt in its file. */
export function checkByCommand(recording: Recording, uki: string, work: string): Boot {
  const report = reportByCommand(recording, uki, work, isDeep(recording) ? ['--deep'] : [])
  const { facts } = report
  const address = (name: string): number | undefined =>
    typeof facts[name] === 'string' ? Number(facts[name]) : undefined
  return {
    verdict: report.verdict,
    facts: {
      ending: facts.outcome,
      imageBase: address('imageBase'),
      entryMethod: facts.handOff?.door,
      kernelImage: facts.handOff && Number(facts.handOff.kernelImage),
      kernelEntry: facts.handOff && Number(facts.handOff.entry),
      bootParams: address('bootParams'),
      cmdLinePtr: address('cmdLinePtr'),
      commandLine: facts.commandLine,
      ramdiskImageFromStub: address('ramdiskImageFromStub'),
      ramdiskImage: address('ramdiskImage'),
      ramdiskSize: address('ramdiskSize'),
      compressedImage: address('compressedImage'),
      decompressedKernel: address('decompressedKernel'),
      initrdDamage: facts.initrdDamage?.map(({ from, to }) => ({ from: Number(from), to: Number(to) })),
    },
  }
}
