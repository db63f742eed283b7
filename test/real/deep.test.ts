/**
 * With --deep the command line decompresses the payloads of real kernels: what it says agrees with recorded
 * boots and with the kernels' own numbers.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bytesSource } from '../../src/bytes/source.ts'
import { parseBzImage } from '../../src/image/x86/bzimage.ts'
import { extraBytes, inPlaceMargin } from '../../src/kernel/x86/steps/payload.ts'
import { readPayload } from '../../src/kernel/payload.ts'
import { readRecordings, type Recording } from '../oracle/recording.ts'
import { recordedKernel } from '../support/kernel-fixtures.ts'
import { buildUki, initrdFile } from './build.ts'
import { cacheDirectory, fetchFile, fetchNamed, realFiles } from './fetch.ts'
import { isReal } from './packages.ts'
import { reportByCommand, type JsonReport } from './report.ts'

const files = realFiles()
const kernels = files.filter(file => file.kind === 'kernel')
const rows = readRecordings().filter(row => isReal(files, row))

function deepReport(recording: Recording): JsonReport {
  const work = mkdtempSync(join(cacheDirectory(), 'deep-'))
  try {
    return reportByCommand(
      recording,
      buildUki(
        recording,
        fetchNamed('stub', recording.stub),
        fetchNamed('kernel', recording.kernel),
        initrdFile(),
        work,
      ),
      work,
      ['--deep'],
    )
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
  expect({ verdict, ...outcome }).toMatchObject({
    verdict: 'refused',
    kind: 'refused',
    by: 'efi-stub',
    status: 'EFI_LOAD_ERROR',
  })
  const [first, second] = (outcome.message ?? '').split('\n')
  const said = (recording.serial.errors ?? []).map(line => line.replace(/^EFI stub: [A-Z]+: /, ''))
  expect(said.slice(0, 2)).toEqual([first, second])
})

const FIRST_OF_EACH = kernels.flatMap(({ name }) =>
  rows.filter(row => /^(good|full-kernel)\//.test(row.id) && row.kernel === name).slice(0, 1),
)

test('every kernel has a boot to compare with', () => {
  expect(FIRST_OF_EACH.map(row => row.kernel)).toEqual(kernels.map(({ name }) => name))
})

test.each(FIRST_OF_EACH)('$id: nothing about the extracted kernel is assumed', recording => {
  const { verdict, outcome, assumptions, facts } = deepReport(recording)
  expect(verdict).toBe('clean')
  expect(
    assumptions.map(({ clause }) => clause).filter(clause => ['EP-20', 'ZO-12', 'ZO-13'].includes(clause)),
  ).toEqual([])
  expect(facts.payload?.produced).toBe(recording.vmlinux?.output_len)
  expect(Number(outcome.entry) - Number(facts['decompressedKernel'])).toBe(recording.vmlinux?.entry_offset)
})

/**
 * Smallest distance between output and unread input in an extraction in place with the file's own init_size.
 */
const MARGINS: Readonly<Record<string, number>> = {
  '5.10': 0x4d56f,
  '6.1': 0x52741,
  '6.12': 0x577ad,
  '5.10-full': 0x5b40c,
  '6.1-full': 0x5fd34,
  '6.12-full': 0x581ae,
  '6.16': 0x5591a,
  '6.17': 0x582a7,
  '6.18': 0x59c7d,
  '6.19': 0x59a10,
  '7.0': 0x5bba3,
  '7.1': 0x5bfc2,
  '7.2': 0x5b5aa,
  '7.3': 0x5bbb5,
  '7.2-full': 0x5b2dc,
  '7.3-full': 0x5adf4,
}

test.each(kernels)('kernel $name: segments as recorded, and a margin to spare', file => {
  const source = bytesSource(readFileSync(fetchFile(file)))
  const read = readPayload(source)
  const image = parseBzImage(source).bzimage
  if (read.kind !== 'read' || image === null) throw new Error('not read')
  const { hdr, geometry } = image
  const loads = read.elf?.segments.map(({ p_offset, p_paddr, p_filesz, p_memsz }) =>
    [p_offset, p_paddr, p_filesz, p_memsz].map(value => `0x${value.toString(16)}`),
  )
  expect(loads).toEqual(
    rows.find(row => row.kernel === file.name && row.vmlinux !== undefined)?.vmlinux?.loads,
  )
  expect(read.elf?.segments.map(({ p_offset, p_paddr, p_filesz }) => [p_offset, p_paddr, p_filesz])).toEqual(
    recordedKernel(file.name).facts.vmlinux.loads,
  )
  const margin = inPlaceMargin(
    { payloadOffset: hdr.payload_offset },
    { start: 0, moved: hdr.init_size - (geometry._end ?? 0) },
    read.lead,
  )
  expect(margin).toBe(MARGINS[file.name])
  // The reserve that the build adds is never used up by more than a page
  expect(margin).toBeGreaterThan(extraBytes(read.produced) - 0x1000)
})
