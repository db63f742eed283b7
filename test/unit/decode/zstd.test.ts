/**
 * Zstandard frames of every kind of block. The streams were made with libzstd 1.5.4, blocks by flushing; all
 * carry their XXH64.
 */
import { describe, expect, test } from 'vitest'
import { bytesSource } from '../../../src/bytes/source.ts'
import { crc32 } from '../../../src/decode/checksum.ts'
import { decode, type Decoded } from '../../../src/decode/decode.ts'
import { bytesOfHex } from '../../support/bytes.ts'

const run = (bytes: Uint8Array): Decoded => decode('zstd', bytesSource(bytes), { limit: 2 ** 20 })

const STREAMS = [
  {
    name: 'text at level 19: predefined literal lengths, tables of their own for the rest',
    length: 300,
    crc32: 0x9ccca256,
    hex: `
      28b52ffd642c002d040042461110b0eb389499e36acac6b0e924894e09445864c57cc63b3ece9c4ec870bd64857aecc9e9e3
      671678a46e32b8192b835cd2045785c2941e8a6da6d896a6c0656b1368d6fc411a2810102438890f106a42c28a03f181eaf2
      4cce0302e0676276c28783e0e3859b08aa3848d6fcd8c143f0c8c800c1bc1b8414a7cdfbd2201ac737bf2734b400da
    `,
  },
  {
    name: 'noise of few letters at level 3: literals without and with a new Huffman code',
    length: 1000,
    crc32: 0x5a5bb264,
    hex: `
      28b52ffd045894050026911c0db025e958c82c7e960c4311069c18001700180009a6cfac30132ca2d7fda02ade1165e93159
      31ef40a7ef066eae2bbaa7e66c4234316f1ea0f9f8f32a28351820e32a3b19caba03a8abdb2de63e3e1a972272598c38a0d0
      789719d1435e7efb03a3efac7c00bb1a31c71d9639959a64ca0c17003043f1bfa35a0b47131d36a7b9360c086908f62a9325
      824c0ba602e648c0b676284ca846e44508b91674b0c35c5a6dc1c0e497c3654d4d12ba8a19640500538d13331b54549f1c85
      2432d07066a8534400a007cfaf600f1712bf21948b3f9903716ab4abdcd96b0deb3e326a6dcad0485026000c61f2241d1c32
      7036704d40c38e13342428ae8dc14fcb15da16591c232010460882f8013e212a7f04b16d658d49ad796c48511c21db58a24a
      08773d1a69438c57c7456ce98724903baf682c8a68a76d558d6860cf933debb1e1dce2f52f2e82c1b66ec5a2f7e7846a03ba
      7408e4f00413a31c62b82810d5020033480c59937c9e498ef90110cd252e3b6192646a21e08005bb885bf9db0f68108d35dc
      1211838b802924cc41055446eac74662390d0016840c9772dc0f6d58113495d6d8c72052235a610a498868174844b0c5a835
      1c1fd78a23b8f60aea
    `,
  },
  {
    name: 'noise of few letters at level 6: tables that are repeated',
    length: 1000,
    crc32: 0x5a5bb264,
    hex: `
      28b52ffd04584c050046d11c0db025e958c82c7e960c4311069c18001700180009a6cfac30132ca2d7fda02ade1165e93159
      31ef40a7ef066eae2bbaa7e66c4234316f1ea0f9f8f32a28351820e32aa13cb7ba03a81ab75bcc7d7c342e45e4b2187140a1
      f12e33d1435e7efb03a3efac7c00bb1173dc619953e9c994b993011628101c43e90310aaf690e23b12e1980e834ec0b031a7
      a8a63410cdab00f0fff08d5a04540bc20ed21634fc72b1369390b966140500434c1233efa64145f5c9514822030d67863a45
      00a007cfaf600f1712422efe640ec4a991dcd96b0deb3e326a6dcad0485026000c61f2241d1c0a1c031a344ed090a0b8d6e0
      a7e50a6d8b2c02252810468c91f60110aaeb012a22886165d11fe1b1615120648a046009642246956bfbf69a8be0e0417e26
      502f715914d969aa9a1b589e4cf310db91f3a3100017452c083eb6863e484541f70481f104360ae74747209d0200f3070c59
      937c9e498ef90110cd252e3b6192646a21a00316ec226ee56f3fa04134d6704b440c2e02a6903007155019c54662390e3cc0
      c365e27e3a845269ec23484d5e989190a7c8075b516b8f2b8271951c01b8f60aea
    `,
  },
  {
    name: 'noise at level 12: four streams under a header of four bytes',
    length: 1500,
    crc32: 0x055e9cf0,
    hex: `
      28b52ffd64dc04650f00ca5d9c070fb02519c65878adc384491260097001770070007c0037ca20f754c82195640ab42d7db4
      c894a360641c87e7968c90b12314a1a6a5b4c6d1a72fef08fc541f1d438ca347e344e52c049170eccb48210a0862513d3e32
      1e6317f2683c3d4e735f839c4c4d6b054e892a3504c375031408b32137028c1b5308c6000c9150b78207d14824a470991432
      8d001ed7067534d69034360c1e6f346a70796ed0130a21e3a4d9941b2b1a49918f458b300a0cf90b72e3a2316f076beabe77
      bc4e589a4abf34c49888c684a26f0c41a5ad92a931815411c6716d19e98c1f5367c353f252594c58966c0972249362087383
      d6e9711a86911f4172411aa9312a80f90675841a204d60a93ebe716898c21849f47b21eb8442078e63b40a085530d3816388
      406f6b0ac00887023f8243745435f2141c0010871ff082619c138061703b7834d207be108fc504a119b29a18a30e1a2d805c
      0d9142c81b8d3c42eac6bb0746a0bc1e8fd0b17a0804927bb299665100944410250a08112fc0a5b413230c496b99f4996c61
      5f5f90dc5c4b220765a51c0cf66608d9c40a30c04a6c5c49d9afeed1691c033b67001d0f5d9a1258a4338232afa394b09981
      264346c03558a27805d1eddaecb226670414c2f2a8468d9619c08031618db1aa2cb39eef187ba118c39d11b2864bc0469798
      87006c83924e
    `,
  },
  {
    name: 'text at level 12: raw literals and repeated tables',
    length: 1300,
    crc32: 0xaa9526f5,
    hex: `
      28b52ffd0460fc050062081615b025e9e0d8247d4b7b6f639346d2263b495293a908d44197951eaac05f9d102ecebaa9832e
      3e4f8af490b2d24315aca8af2171d0e284c7a1311ec6f9f3c735c0c1fc0900af712dbe1a2c8d0b209b9add16e6ef987c6805
      30a8c1964a81fd18e61014a6b01e105244756b1803840882012935ff0fad37c65c95966c948f2034dc0044b921830ee04a26
      cdb457b9329ae8f4760049f282ee4aa6edef1e8c28f70b08984b27814ca415c133d51a5f06f05f134080f6fc8ac0d542f8aa
      c404007402616f6f6620746f69747367656e646f6f666973697369736974697320746865206b65726e656c2035a890576320
      82651ce40311843009a2d224690e4f0994132823cfb856e44550ed7ea5c4b74646ac73449057815171a5252c26e5a175ec2e
      470e43a58ac27804770558dc9ecb39d37d574f0d07b18dd1b9207ec2a6850c929326c4c31e21b1f39f6a8af907882deecf7a
      1c2953f35ced0200e06f6669736974746865676567626f6f742073747562207265616473201be010669852e8032f430ece20
      92bdba8d1dddb0e05710df8d0002595452b4435bb81d35d80d16711e752e18056f0d6a54210f54e8a55397c0f6affc84db72
      0283ea5463
    `,
  },
  {
    name: 'text at level 19: raw literals between compressed ones',
    length: 1300,
    crc32: 0xaa9526f5,
    hex: `
      28b52ffd0468cc050082871310b0eb384c59d3165d9b66cb24494d09442c051af9c3e5d86e96028d7cbc6926954145a9589e
      3696cf840cd7b050989243b17efd6293e0aa5fe0de8acdf23681c98a7dcc29536f83fa55360fd90233a8e1d60685fa31cc01
      1014a5b41e1028e4085ba803a20883b8079212e72f03334ab375156d687f144164b80b35e5842cea834ba0671ca8b60a6ec6
      a5cd83494529bc4bb0d90f0f8e303b16383040fd4061927202ec946b8406784dc30336f8678508ad168e500504040068616f
      6f666765697369736974693ce81010a142d2f1011170144e409b604bb1668008c188a73c8a02409acc5fa19633f63ea5b4f7
      6605558d81e0a82123b8202f417a81bae6fd4779a65e41318e90407d3de61964a576d73b04191a6d1910aaecc35ec23290f5
      67c36f216b3f9a0311c784ea5d1c1850b7b1bcf71cf91323c83d0200306f666973616f20f81018c2046e0293743ec2bf7887
      9cc220fc693c88232e8def13af469810ad32b40f5a5047d31cafce2f170ada6a248e22512572a8577d97c8b6c84f7c671883
      ea5463
    `,
  },
  {
    name: 'a block as it is, then long matches',
    length: 376,
    crc32: 0x1e7498df,
    hex: `
      28b52ffd045880000061626364656667686162636465666768550000087a02005c2c4ae69d4092f7f263
    `,
  },
] as const

test.each(STREAMS)('$name', ({ length, crc32: sum, hex }) => {
  const bytes = bytesOfHex(hex)
  const done = run(bytes)
  expect(done).toMatchObject({ ok: true, consumed: bytes.length, produced: length })
  expect(crc32(done.output)).toBe(sum)
})

/** A frame of one compressed block. */
const frame = (...block: number[]): Uint8Array =>
  Uint8Array.of(
    0x28,
    0xb5,
    0x2f,
    0xfd,
    0x00,
    0x58,
    ((block.length << 3) & 0xff) | 5,
    block.length >> 5,
    0,
    ...block,
  )

/** The header of compressed literals (type 2) or of literals with the code of an earlier block (type 3). */
function header(type: 2 | 3, form: 0 | 1 | 2 | 3, size: number, compressed: number): number[] {
  const width = [10, 10, 14, 18][form] ?? 0
  const packed = BigInt(type | (form << 2) | (size << 4)) + (BigInt(compressed) << BigInt(4 + width))
  return Array.from({ length: form < 2 ? 3 : form + 2 }, (_, i) => Number((packed >> BigInt(8 * i)) & 255n))
}

/** Two symbols, 0 and 1, of one bit each. */
const ONE_BIT = [0x80, 0x10]
const NO_SEQUENCES = 0

describe('literals made by hand', () => {
  const CASES: readonly (readonly [string, number[], number[]])[] = [
    ['raw, under a header of one byte', [0x18, 5, 6, 7, NO_SEQUENCES], [5, 6, 7]],
    ['raw, under a header of two bytes', [0x34, 0, 5, 6, 7, NO_SEQUENCES], [5, 6, 7]],
    ['raw, under a header of three bytes', [0x3c, 0, 0, 5, 6, 7, NO_SEQUENCES], [5, 6, 7]],
    ['one byte repeated, under a header of one byte', [0x19, 9, NO_SEQUENCES], [9, 9, 9]],
    ['one byte repeated, under a header of two bytes', [0x35, 0, 9, NO_SEQUENCES], [9, 9, 9]],
    ['one byte repeated, under a header of three bytes', [0x3d, 0, 0, 9, NO_SEQUENCES], [9, 9, 9]],
    ['one stream', [...header(2, 0, 4, 3), ...ONE_BIT, 0x1b, NO_SEQUENCES], [1, 0, 1, 1]],
    [
      'four streams under a header of three bytes',
      [...header(2, 1, 8, 12), ...ONE_BIT, 1, 0, 1, 0, 1, 0, 4, 5, 6, 7, NO_SEQUENCES],
      [0, 0, 0, 1, 1, 0, 1, 1],
    ],
    [
      'four streams under a header of four bytes',
      [...header(2, 2, 8, 12), ...ONE_BIT, 1, 0, 1, 0, 1, 0, 4, 5, 6, 7, NO_SEQUENCES],
      [0, 0, 0, 1, 1, 0, 1, 1],
    ],
    [
      'four streams under a header of five bytes',
      [...header(2, 3, 8, 12), ...ONE_BIT, 1, 0, 1, 0, 1, 0, 4, 5, 6, 7, NO_SEQUENCES],
      [0, 0, 0, 1, 1, 0, 1, 1],
    ],
  ]
  test.each(CASES)('%s', (_, block, expected) => {
    const done = run(frame(...block))
    expect([done.ok, [...done.output]]).toEqual([true, expected])
  })
})

/** Raw literals 1, 2, 3 and sequences whose three tables hold one symbol each. */
const sequences = (
  count: number,
  literal: number,
  offset: number,
  match: number,
  ...bits: number[]
): number[] => [0x18, 1, 2, 3, count, 0x54, literal, offset, match, ...bits]

describe('sequences made by hand', () => {
  const CASES: readonly (readonly [string, number[], number[]])[] = [
    ['the last distance is 1 at first', sequences(1, 3, 0, 0, 1), [1, 2, 3, 3, 3, 3]],
    [
      'the last distance but one is 4 at first',
      [0x20, 1, 2, 3, 4, 1, 0x54, 4, 1, 0, 2],
      [1, 2, 3, 4, 1, 2, 3],
    ],
    ['a distance of its own', sequences(1, 3, 2, 0, 5), [1, 2, 3, 2, 3, 2]],
    [
      'each sequence takes its literals; the rest comes last',
      sequences(2, 1, 2, 0, 0x10),
      [1, 1, 1, 1, 2, 2, 2, 2, 3],
    ],
    ['a number of sequences in two bytes', [0x18, 1, 2, 3, 0x80, 1, 0x54, 3, 0, 0, 1], [1, 2, 3, 3, 3, 3]],
  ]
  test.each(CASES)('%s', (_, block, expected) => {
    const done = run(frame(...block))
    expect([done.ok ? null : done.why, [...done.output]]).toEqual([null, expected])
  })
})

describe('what is refused', () => {
  const CASES: readonly (readonly [string, number[]])[] = [
    ['literals that end past their block', [0x50, 1]],
    ['literals that end past their block', [0xfd, 0xff, 0xff, 1]],
    ['literals that end past their block', header(2, 0, 4, 9)],
    ['literals that end past their block', [...header(2, 3, 2 ** 17 + 1, 1), 0]],
    ['literals without a Huffman code', [...header(3, 0, 4, 1), 0x1b, NO_SEQUENCES]],
    ['not a Huffman code', [...header(2, 0, 4, 0), NO_SEQUENCES]],
    ['a Huffman code that ends early', [...header(2, 0, 4, 1), 0xff, NO_SEQUENCES]],
    ['Huffman weights that do not form a code', [...header(2, 0, 4, 3), 0x80, 0x00, 0x1b, NO_SEQUENCES]],
    ['Huffman weights that do not form a code', [...header(2, 0, 4, 3), 0x81, 0x31, 0x1b, NO_SEQUENCES]],
    ['Huffman weights that do not form a code', [...header(2, 0, 4, 3), 0x80, 0xc0, 0x1b, NO_SEQUENCES]],
    ['too many Huffman weights', [...header(2, 0, 4, 6), 4, 0xf0, 0x03, 0x00, 0x04, 0x1b, NO_SEQUENCES]],
    ['a table of 2^7 states', [...header(2, 0, 4, 4), 2, 2, 0, 0x1b, NO_SEQUENCES]],
    ['a stream of literals that ends early', [...header(2, 0, 5, 3), ...ONE_BIT, 0x1b, NO_SEQUENCES]],
    ['a stream of literals that goes on', [...header(2, 0, 3, 3), ...ONE_BIT, 0x1b, NO_SEQUENCES]],
    ['a bit stream without an end mark', [...header(2, 0, 4, 3), ...ONE_BIT, 0, NO_SEQUENCES]],
    ['a bit stream without an end mark', [...header(2, 0, 4, 2), ...ONE_BIT, NO_SEQUENCES]],
    ['no room for four streams', [...header(2, 1, 8, 4), ...ONE_BIT, 1, 0, NO_SEQUENCES]],
    [
      'too few literals for four streams',
      [...header(2, 1, 5, 12), ...ONE_BIT, 1, 0, 1, 0, 1, 0, 4, 5, 6, 7, NO_SEQUENCES],
    ],
    [
      'a stream of literals that ends past its section',
      [...header(2, 1, 8, 12), ...ONE_BIT, 255, 255, 1, 0, 1, 0, 4, 5, 6, 7, NO_SEQUENCES],
    ],
    ['the number of sequences ends past its block', [0x18, 1, 2, 3]],
    ['the number of sequences ends past its block', [0x18, 1, 2, 3, 0x80]],
    ['the number of sequences ends past its block', [0x18, 1, 2, 3, 0xff, 0]],
    ['sequences without tables', [0x18, 1, 2, 3, 1]],
    ['sequences without tables', [0x18, 1, 2, 3, 0xff, 0, 0]],
    ['reserved bits are set', [0x18, 1, 2, 3, 1, 1, 1]],
    ['a repeated table that does not exist', [0x18, 1, 2, 3, 1, 0xc0, 1]],
    ['a repeated table that does not exist', [0x18, 1, 2, 3, 1, 0x30, 1]],
    ['a repeated table that does not exist', [0x18, 1, 2, 3, 1, 0x0c, 1]],
    ['a symbol that does not exist', sequences(1, 36, 0, 0, 1)],
    ['a symbol that does not exist', sequences(1, 0, 32, 0, 1)],
    ['a symbol that does not exist', sequences(1, 0, 0, 53, 1)],
    ['a symbol that does not exist', [0x18, 1, 2, 3, 1, 0x40]],
    ['a table of 2^10 states', [0x18, 1, 2, 3, 1, 0x80, 5, 0]],
    ['a table that ends early', [0x18, 1, 2, 3, 1, 0x80, 1, 0]],
    ['counts that do not fit', [0x18, 1, 2, 3, 1, 0x80, 1, ...Array<number>(32).fill(0)]],
    ['too many symbols', [0x18, 1, 2, 3, 1, 0x80, 0x10, 0xfe, 255, 255, 255, 255]],
    ['a bit stream without an end mark', sequences(1, 3, 0, 0)],
    ['a bit stream of sequences that ends early', sequences(1, 3, 2, 0, 1)],
    ['a bit stream of sequences that ends early', sequences(1, 3, 31, 0, 1)],
    ['a bit stream of sequences that goes on', sequences(1, 3, 0, 0, 2)],
    ['more literals used than available', sequences(1, 4, 0, 0, 1)],
    ['a distance of 0', sequences(1, 0, 1, 0, 3)],
    ['a distance before the first byte', sequences(1, 3, 2, 0, 7)],
    ['a distance before the first byte', sequences(1, 3, 1, 0, 2)],
    ['bytes after an empty list of sequences', [0x18, 1, 2, 3, NO_SEQUENCES, 1]],
  ]
  test.each(CASES.map(([why, block], i) => [why, i, block] as const))('%s (case %i)', (why, _, block) => {
    expect(run(frame(...block))).toMatchObject({ ok: false, error: 'ZSTD-compressed data is corrupt', why })
  })
})
