/**
 * Images that the real ukify and the real objcopy make are recognised, and have the section tables that our
 * builders give them.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bytesSource, type ByteSource } from '../../src/bytes/source.ts'
import { layoutNamed, recogniseLayout } from '../../src/image/layouts/recognise.ts'
import { parsePe, type PeFile } from '../../src/image/pe.ts'
import { STUB_FACTS, type StubFacts } from '../../src/image/stub-facts.ts'
import { builtAs } from '../../src/vitest/builders-as.ts'
import { initrdFile } from './build.ts'
import { cacheDirectory, fetchFile, fetchNamed, fetchUkify, runTool } from './fetch.ts'
import { REQUIRED_FILES } from './packages.ts'
import { factsOf } from '../support/facts.ts'

const STUBS = REQUIRED_FILES.filter(file => file.kind === 'stub')
const TEXTS = { '.osrel': 'ID=oracle\n', '.cmdline': 'console=ttyS0', '.uname': '6.12' } as const

function peOf(source: ByteSource): PeFile {
  return parsePe(source).pe ?? expect.fail('no PE file')
}

const tableOf = ({ sections }: PeFile): unknown[] =>
  sections.map(({ name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData, Characteristics }) => [
    name,
    VirtualAddress,
    VirtualSize,
    PointerToRawData,
    SizeOfRawData,
    Characteristics,
  ])

function stubFactsOf(name: string): StubFacts {
  return Object.values(STUB_FACTS).find(one => one.version === name) ?? expect.fail('no facts')
}

const kernel = factsOf('debian-6.12.107-cloud')

/** Runs a tool in a folder that holds the payload, and reads what it made. */
function made(run: (files: Readonly<Record<string, string>>, out: string) => void): PeFile {
  const work = mkdtempSync(join(cacheDirectory(), 'built-'))
  try {
    const files = Object.fromEntries(
      Object.entries(TEXTS).map(([name, text]) => {
        const path = join(work, name)
        writeFileSync(path, text)
        return [name, path]
      }),
    )
    const out = join(work, 'uki.efi')
    run({ ...files, '.linux': fetchNamed('kernel', '6.12'), '.initrd': initrdFile() }, out)
    return peOf(bytesSource(readFileSync(out)))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The same payload, for our builders. */
function contents(...names: readonly string[]): Record<string, ByteSource> {
  const all: Record<string, ByteSource> = { '.initrd': bytesSource(readFileSync(initrdFile())) }
  for (const [name, text] of Object.entries(TEXTS)) all[name] = bytesSource(new TextEncoder().encode(text))
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)))
}

test.each(STUBS)('ukify 257.13 over stub $name', file => {
  const pe = made((files, out) => {
    const { command, args, env } = fetchUkify()
    const given = [
      '--linux',
      files['.linux'],
      '--initrd',
      files['.initrd'],
      '--cmdline',
      TEXTS['.cmdline'],
      '--os-release',
      TEXTS['.osrel'],
      '--uname',
      TEXTS['.uname'],
      '--stub',
      fetchFile(file),
      '--output',
      out,
    ].map(String)
    runTool(command, [...args, 'build', ...given], { env })
  })
  expect(recogniseLayout(pe)).toMatchObject({ certainty: 'certain', candidates: [{ id: 'ukify-257.3' }] })
  const ours = peOf(
    builtAs('ukify-257.3', {
      stub: stubFactsOf(file.name),
      kernel,
      contents: contents('.osrel', '.cmdline', '.uname', '.initrd'),
    }),
  )
  expect(tableOf(pe)).toEqual(tableOf(ours))
  const { SizeOfImage, DllCharacteristics } = pe.optional
  expect({ SizeOfImage, DllCharacteristics }).toEqual({
    SizeOfImage: ours.optional.SizeOfImage,
    DllCharacteristics: ours.optional.DllCharacteristics,
  })
})

test.each(STUBS.flatMap(file => [true, false].map(absolute => ({ name: file.name, file, absolute }))))(
  'objcopy with the addresses of dracut 050 over stub $name, absolute: $absolute',
  ({ file, absolute }) => {
    const layout = layoutNamed('dracut-050')
    const at = layout?.kind === 'fixed' ? layout.at : expect.fail('no such layout')
    const stub = stubFactsOf(file.name)
    const base = absolute ? 0n : BigInt(stub.optional.ImageBase)
    const pe = made((files, out) => {
      const added = ['.osrel', '.cmdline', '.linux', '.initrd'].flatMap(name => [
        '--add-section',
        `${name}=${String(files[name])}`,
        '--change-section-vma',
        `${name}=0x${(base + BigInt(at[name] ?? 0)).toString(16)}`,
      ])
      runTool('objcopy', [...added, fetchFile(file), out])
    })
    expect(recogniseLayout(pe)?.candidates.map(({ id }) => id)).toEqual([
      'dracut-050',
      'mkinitcpio-31',
      'test-220',
      'man-250',
    ])
    const ours = peOf(
      builtAs('dracut-050', { stub, kernel, contents: contents('.osrel', '.cmdline', '.initrd'), absolute }),
    )
    expect(tableOf(pe)).toEqual(tableOf(ours))
    expect([pe.optional.SizeOfImage, pe.optional.SizeOfHeaders, pe.e_lfanew]).toEqual([
      ours.optional.SizeOfImage,
      ours.optional.SizeOfHeaders,
      ours.e_lfanew,
    ])
  },
)
