/**
 * Our decoders and the native tools agree: on streams that the tools make, and on the payloads of real
 * kernels.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { bytesSource } from '../../src/bytes/source.ts'
import { decode, decodeStream, type Format } from '../../src/decode/decode.ts'
import { parseBzImage } from '../../src/image/x86/bzimage.ts'
import { sample } from '../unit/decode/sample.ts'
import { WINDOW_MAX } from '../../src/kernel/payload.ts'
import { recordedKernel } from '../support/kernel-fixtures.ts'
import { fetchFile, needTool, realFiles } from './fetch.ts'

const BIG = 1 << 28

function pipe(command: string, args: readonly string[], input: Uint8Array): Buffer {
  const done = spawnSync(command, args, { input, maxBuffer: BIG })
  if (done.status !== 0 && done.stdout.length === 0) throw new Error(`${command}: ${done.stderr.toString()}`)
  return done.stdout
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** As scripts/Makefile.lib of linux calls the tools, and a few ways beside. */
const TOOLS: readonly (readonly [
  format: Format,
  packageName: string,
  command: string,
  args: readonly string[],
])[] = [
  ['gzip', 'gzip', 'gzip', ['-n', '-9']],
  ['gzip', 'gzip', 'gzip', ['-1']],
  ['bzip2', 'bzip2', 'bzip2', ['-9']],
  ['bzip2', 'bzip2', 'bzip2', ['-1']],
  ['lzma', 'xz-utils', 'xz', ['--format=lzma', '-9']],
  ['xz', 'xz-utils', 'xz', ['--check=crc32', '--x86', '--lzma2=dict=32MiB']],
  ['xz', 'xz-utils', 'xz', ['--check=crc64', '-0', '--block-size=100000']],
  ['lzo', 'lzop', 'lzop', ['-9', '--stdout']],
  ['lzo', 'lzop', 'lzop', ['-1', '--crc32', '--stdout']],
  ['lz4', 'lz4', 'lz4', ['-l', '-9']],
  ['lz4', 'lz4', 'lz4', ['-l', '-1']],
  ['zstd', 'zstd', 'zstd', ['-22', '--ultra', '-q']],
  ['zstd', 'zstd', 'zstd', ['-1', '-q', '--no-check']],
  // Windows that are smaller than what comes out, so that they move
  ['lzma', 'xz-utils', 'xz', ['--format=lzma', '--lzma1=dict=4KiB,lc=0,lp=2,pb=0']],
  ['xz', 'xz-utils', 'xz', ['--check=crc64', '--x86', '--lzma2=dict=64KiB', '--block-size=300000']],
  ['zstd', 'zstd', 'zstd', ['-19', '-q', '--zstd=wlog=10', '--no-content-size']],
]

describe.each(TOOLS)('%s by %s: %s %j', (format, packageName, command, args) => {
  // Blocks of lz4 end after 8 MiB; the memory of a window moves after 1 MiB and more
  test.each([0, 1, 5, 1000, format === 'lz4' ? 9_000_000 : 2_500_000])('%i bytes come back', size => {
    needTool(command, packageName)
    const bytes = sample(size, size + 3)
    const stream = pipe(command, [...args, '-c'], bytes)
    const done = decode(format, bytesSource(stream), { limit: size + 10 })
    expect(done).toMatchObject({ ok: true, complete: true, consumed: stream.length, produced: size })
    expect(sha256(done.output)).toBe(sha256(bytes))
    const hash = createHash('sha256')
    const options = {
      limit: size + 10,
      windowMax: WINDOW_MAX,
      sink: (piece: Uint8Array) => hash.update(piece),
    }
    expect(decodeStream(format, bytesSource(stream), options)).toMatchObject({
      kind: 'decoded',
      produced: size,
    })
    expect(hash.digest('hex')).toBe(sha256(bytes))
  })
})

const UNPACK: Partial<Record<Format, readonly [packageName: string, command: string]>> = {
  xz: ['xz-utils', 'xz'],
  lz4: ['lz4', 'lz4'],
  zstd: ['zstd', 'zstd'],
}

test.each(realFiles().filter(file => file.kind === 'kernel'))(
  'the payload of kernel $name comes out as the native tool has it',
  file => {
    const bytes = readFileSync(fetchFile(file))
    const payload = parseBzImage(bytesSource(bytes)).bzimage?.payload
    const format = payload?.compression
    if (payload == null || format == null || format === 'none') throw new Error('no payload')
    const [packageName, command] = UNPACK[format] ?? ['', '']
    needTool(command, packageName)
    const stream = bytes.subarray(payload.at, payload.at + payload.length - 4)
    const length = payload.output_len ?? 0
    const done = decode(format, bytesSource(stream), { limit: length, length })
    expect(done).toMatchObject({ ok: true, consumed: stream.length, produced: length })
    expect([...done.output.subarray(0, 4)]).toEqual([0x7f, 0x45, 0x4c, 0x46])
    expect(sha256(done.output)).toBe(sha256(pipe(command, ['-d', '-c'], stream)))
    expect(length).toBe(recordedKernel(file.name).facts.output_len)
    const hash = createHash('sha256')
    const streamed = decodeStream(format, bytesSource(stream), {
      limit: length,
      length,
      windowMax: WINDOW_MAX,
      sink: piece => hash.update(piece),
    })
    expect(streamed).toMatchObject({ kind: 'decoded', consumed: stream.length, produced: length })
    expect(hash.digest('hex')).toBe(sha256(done.output))
  },
)
