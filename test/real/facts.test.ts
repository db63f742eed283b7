/**
 * The images that the fast suite builds from measured header facts cannot be told from the real files by our
 * own parsers.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bytesSource, type ByteSource } from '../../src/bytes/source.ts'
import { parseBzImage } from '../../src/image/x86/bzimage.ts'
import { parsePe, type PeFile } from '../../src/image/pe.ts'
import { STUB_FACTS } from '../../src/image/stub-facts.ts'
import { buildKernel, buildStub } from '../../src/image/synthetic.ts'
import { recordedKernel } from '../support/kernel-fixtures.ts'
import { fetchFile, realFiles } from './fetch.ts'

/** Fields that nothing in the boot path reads. */
const UNREAD = [
  'TimeDateStamp',
  'CheckSum',
  'MajorLinkerVersion',
  'MinorLinkerVersion',
  'MajorSubsystemVersion',
  'MinorSubsystemVersion',
  'SizeOfStackReserve',
  'SizeOfStackCommit',
  'SizeOfHeapReserve',
  'SizeOfHeapCommit',
  'MajorOperatingSystemVersion',
  'MinorOperatingSystemVersion',
  'PointerToSymbolTable',
  'NumberOfSymbols',
]
const files = realFiles()

/** Everything of a parse but the bytes and the fields that nobody reads. */
function shape(parsed: unknown): unknown {
  return JSON.parse(
    JSON.stringify(parsed, (key, value: unknown) => {
      if (key === 'source' || UNREAD.includes(key)) return undefined
      return typeof value === 'bigint' ? String(value) : value
    }),
  )
}

function peOf(source: ByteSource): PeFile {
  const { pe } = parsePe(source)
  if (pe === null) throw new Error('no PE file')
  return pe
}

test.each(files.filter(file => file.kind === 'stub'))('stub $name', file => {
  const facts = Object.values(STUB_FACTS).find(one => one.version === file.name)
  if (facts === undefined) throw new Error('no facts')
  const real = bytesSource(readFileSync(fetchFile(file)))
  const made = buildStub(facts)
  expect(made.size).toBe(real.size)
  expect(shape(peOf(made))).toEqual(shape(peOf(real)))
})

test.each(files.filter(file => file.kind === 'kernel'))('kernel $name', file => {
  const { facts } = recordedKernel(file.name)
  const real = parseBzImage(bytesSource(readFileSync(fetchFile(file))))
  const made = parseBzImage(buildKernel(facts))
  expect(real.bzimage).not.toBeNull()
  expect(shape(made)).toEqual(shape(real))
})
