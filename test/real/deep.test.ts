/** With --deep the command line decompresses the payloads of real kernels: what it says agrees with recorded boots and with the kernels' own numbers. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bytesSource } from '../../src/bytes/source.ts'
import { parseBzImage } from '../../src/image/bzimage.ts'
import { extraBytes, inPlaceMargin } from '../../src/kernel/margin.ts'
import { readPayload } from '../../src/kernel/payload.ts'
import { readRecordings, type Recording } from '../oracle/recording.ts'
import { buildUki, initrdFile } from './build.ts'
import { cacheDirectory, fetchFile, fetchNamed } from './fetch.ts'
import { isReal, REAL_FILES } from './packages.ts'
import { reportByCommand, type JsonReport } from './report.ts'

const rows = readRecordings().filter(isReal)

function deepReport(recording: Recording): JsonReport {
  const work = mkdtempSync(join(cacheDirectory(), 'deep-'))
  try {
    return reportByCommand(recording, buildUki(recording, fetchNamed('stub', recording.stub), fetchNamed('kernel', recording.kernel), initrdFile(), work), work, ['--deep'])
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const named = (id: string): Recording => {
  const found = rows.find(row => row.id === id)
  if (found === undefined) throw new Error(`no recording ${id}`)
  return found
}

test('the boot with one flipped byte of the payload is refused with what was recorded', () => {
  const recording = named('i8-linux-one-payload-byte-flipped/257.13/6.12')
  const { verdict, outcome } = deepReport(recording)
  expect({ verdict, ...outcome }).toMatchObject({ verdict: 'refused', kind: 'refused', by: 'efi-stub', status: 'EFI_LOAD_ERROR' })
  const [first, second] = (outcome.message ?? '').split('\n')
  const said = (recording.serial.errors ?? []).map(line => line.replace(/^EFI stub: [A-Z]+: /, ''))
  expect(said.slice(0, 2)).toEqual([first, second])
})

const FIRST_OF_EACH = ['5.10', '6.1', '6.12'].flatMap(kernel => rows.filter(row => row.id.startsWith('good/') && row.kernel === kernel).slice(0, 1))

test.each(FIRST_OF_EACH)('$id: nothing about the extracted kernel is taken for granted', recording => {
  const { verdict, outcome, assumptions, facts } = deepReport(recording)
  expect(verdict).toBe('clean')
  expect(assumptions.map(({ clause }) => clause).filter(clause => ['EP-20', 'ZO-12', 'ZO-13'].includes(clause))).toEqual([])
  expect(facts.payload?.produced).toBe(recording.vmlinux?.output_len)
  expect(Number(outcome.entry) - Number(facts['decompressedKernel'])).toBe(recording.vmlinux?.entry_offset)
})

/** Smallest distance between output and unread input in an extraction in place with the file's own init_size. */
const MARGINS: Readonly<Record<string, number>> = { '5.10': 0x4d56f, '6.1': 0x52741, '6.12': 0x577ad }

test.each(REAL_FILES.filter(file => file.kind === 'kernel'))('kernel $name: segments as recorded, and a margin to spare', file => {
  const source = bytesSource(readFileSync(fetchFile(file)))
  const read = readPayload(source)
  const image = parseBzImage(source).bzimage
  if (read.kind !== 'read' || image === null) throw new Error('not read')
  const { hdr, geometry } = image
  const loads = read.elf?.segments.map(({ p_offset, p_paddr, p_filesz, p_memsz }) => [p_offset, p_paddr, p_filesz, p_memsz].map(value => `0x${value.toString(16)}`))
  expect(loads).toEqual(rows.find(row => row.kernel === file.name && row.vmlinux !== undefined)?.vmlinux?.loads)
  const margin = inPlaceMargin({ payloadOffset: hdr.payload_offset }, { start: 0, moved: hdr.init_size - (geometry._end ?? 0) }, read.lead)
  expect(margin).toBe(MARGINS[file.name])
  // The reserve that the build adds is never used up by more than a page
  expect(margin).toBeGreaterThan(extraBytes(read.produced) - 0x1000)
})
