import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ByteSource } from '../../src/bytes/source.ts'
import { below } from '../../src/cli/esp.ts'
import { kernel, lanzaboote } from '../../src/vitest/index.ts'
import { scratch, stubsim } from '../support/program.ts'
import { bytesOf } from '../support/bytes.ts'

const { folder, file } = scratch()
const given = (source: ByteSource | undefined): ByteSource => source ?? expect.fail('no file')
const made = lanzaboote({ kernel: kernel('6.12.107-cloud', { size: '2M' }), initrd: 0x4000 })
const image = file('nixos.efi', bytesOf(made.image))
const nixos = join(folder, 'esp', 'EFI', 'nixos')
mkdirSync(nixos, { recursive: true })
writeFileSync(join(nixos, 'kernel-1.efi'), bytesOf(given(made.linux)))
writeFileSync(join(nixos, 'initrd-1.efi'), bytesOf(given(made.initrd)))
const machine = ['--ram', '512MiB', '--firmware', 'ovmf-2022.11-q35']

test('a thin image without its files is unknown, and the report names them', async () => {
  const { code, stdout } = await stubsim(['check', image, ...machine])
  expect(code).toBe(3)
  expect(stdout.replace(/\s+/g, ' ')).toContain(
    'the image names its kernel as \\EFI\\nixos\\kernel-1.efi on the ESP and does ' +
      'not embed it: give the file',
  )
})

test('with them it boots, from a folder or one by one', async () => {
  const { code, stdout, stderr } = await stubsim(['check', image, ...machine, '--esp', join(folder, 'esp')])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toContain('lanzaboote/1.1')
  expect(
    (
      await stubsim([
        'check',
        image,
        ...machine,
        '--linux',
        join(nixos, 'kernel-1.efi'),
        '--initrd',
        join(nixos, 'initrd-1.efi'),
      ])
    ).code,
  ).toBe(0)
})

test.each([
  [['--initrd', image], /--initrd also for --linux/],
  [['--linux', image, '--boot-loader', 'grub/efi'], /with --boot-loader, FILE is the kernel/],
  [['--esp', folder], /no such file/],
])('%j is refused', async (args, message) => {
  const { code, stderr } = await stubsim(['check', image, ...machine, ...args])
  expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
})

test('--esp is for images that name files, and does not leave the folder', async () => {
  const whole = file(
    'fat.efi',
    bytesOf(
      lanzaboote({
        release: '0.4.1',
        fat: true,
        kernel: kernel('6.12.107-cloud', { size: '2M' }),
        initrd: 0x4000,
      }).image,
    ),
  )
  expect((await stubsim(['check', whole, ...machine, '--esp', folder])).stderr).toMatch(
    /--esp is for an image that names its kernel/,
  )
  expect(below('/esp', '\\EFI\\a.efi')).toBe(join('/esp', 'EFI', 'a.efi'))
  for (const path of ['\\..\\a', '', 'a\0b'])
    expect(() => below('/esp', path)).toThrow('which is not a file on an ESP')
})
