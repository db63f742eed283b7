import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatBytes, fromInteger, toInteger } from '../../src/bytes/int.ts'
import type { ByteSource } from '../../src/bytes/source.ts'
import { check } from '../../src/check.ts'
import { STUB_FACTS } from '../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../src/image/synthetic.ts'
import { kernel, lanzaboote, memoryMap } from '../../src/vitest/index.ts'
import { bytesOf } from '../support/bytes.ts'
import { factsOf } from '../support/facts.ts'
import { scratch } from '../support/program.ts'
import { TOP } from '../support/repository.ts'

/** What `work` returns where there is no global `Buffer`, as in a browser. */
function withoutBuffer<T>(work: () => T): T {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'Buffer') ?? expect.fail('no Buffer to take away')
  Reflect.deleteProperty(globalThis, 'Buffer')
  try {
    expect(typeof Buffer).toBe('undefined')
    const result = work()
    expect('Buffer' in globalThis).toBe(false)
    return result
  } finally {
    Object.defineProperty(globalThis, 'Buffer', own)
  }
}

test('integers are read and written as with it', () => {
  const endian = fc.constantFrom('little' as const, 'big' as const)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(9), endian, (bytes, extra, order) => {
      const all = () => {
        const value = toInteger(bytes, order)
        return [value, [...fromInteger(value, bytes.length + extra, order)], formatBytes(bytes)]
      }
      expect(withoutBuffer(all)).toEqual(all())
    }),
  )
  expect(() => withoutBuffer(() => fromInteger(256n, 1))).toThrow('256 does not fit 1 bytes')
})

test('a failure leaves no stand-in in place', () => {
  const bytes = Object.defineProperty(new Uint8Array(8), Symbol.iterator, {
    get: () => {
      throw new Error('on the way')
    },
  })
  expect(() => withoutBuffer(() => toInteger(bytes))).toThrow('on the way')
})

const machine = { what: 'a test', map: memoryMap(['EfiConventionalMemory', '1M', '1023M']) }
const linux = factsOf('debian-6.12.107-cloud')
const image = (): ByteSource =>
  buildUki({
    stub: STUB_FACTS['257.13'],
    optional: { ImageBase: 0xffff82d040000000n },
    sections: [
      { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'console=ttyS0 nokaslr' } },
      { name: '.linux', VirtualAddress: 0x2000000, content: buildKernel(linux) },
      { name: '.initrd', VirtualAddress: 0x6000000, content: { initrd: 0x10000 } },
    ],
  })

test('an image is built, read and checked as with it', () => {
  const whole = () => check({ image: { name: 'uki', source: image() }, machine }).report
  expect(withoutBuffer(whole)).toEqual(whole())
})

test('so is one whose files are told by their digests', () => {
  const whole = () => {
    const made = lanzaboote({ kernel: kernel('6.12.107-cloud', { size: '2M' }), initrd: 0x4000 })
    return check({
      image: { name: 'nixos', source: made.image },
      machine,
      deep: true,
      linux: made.linux ?? expect.fail('no kernel'),
      initrd: made.initrd ?? expect.fail('no initrd'),
    }).report
  }
  expect(withoutBuffer(whole)).toEqual(whole())
})

/** What a page does that has no Buffer: it imports the library and checks a file. */
const PAGE = `
import { readFileSync } from 'node:fs'
const [library, texts, path, how] = process.argv.slice(1)
if (how === 'without') delete globalThis.Buffer
const { bytesSource, check, profileMap, profileNamed } = await import(library)
const { reportToJson } = await import(texts)
const source = bytesSource(new Uint8Array(readFileSync(path)))
const map = profileMap(profileNamed('ovmf-2022.11-q35'), 2 ** 29)
const { report } = check({ image: { name: 'uki', source }, machine: { what: 'a page', map } })
process.stdout.write(JSON.stringify({ buffer: typeof Buffer, report: reportToJson(report) }))
`
const { file } = scratch()

test('the built library does without it, too', () => {
  const source = image()
  const path = file('uki.efi', bytesOf(source))
  const [library, texts] = ['dist/index.js', 'dist/report/index.js'].map(
    built => pathToFileURL(join(TOP, built)).href,
  )
  const [without, by] = ['without', 'with'].map(how => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', PAGE, library ?? '', texts ?? '', path, how],
      { encoding: 'utf8' },
    )
    expect(stderr).toBe('')
    return JSON.parse(stdout) as { buffer: string; report: { verdict: string } }
  })
  // Its ImageBase is wide, and not the one that the stub was linked for (ST-98)
  expect([without?.buffer, by?.buffer, by?.report.verdict]).toEqual(['undefined', 'function', 'unknown'])
  expect(without?.report).toEqual(by?.report)
})
