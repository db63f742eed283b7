import { expect, test } from 'vitest'
import { readRecipe } from '../../../src/image/tables/recipe.ts'

const RECIPE = `#!/bin/sh
$ objcopy \\
    --add-section .osrel="/etc/os-release" --change-section-vma .osrel=0x20000 \\
    --add-section=.cmdline='my line.txt' --change-section-vma=.cmdline=196608 \\
    --set-section-flags .cmdline=data,readonly \\
    --add-section ".linux=/boot/vmlinuz" --change-section-vma .linux="$linux_vma" \\
    /usr/lib/systemd/boot/efi/linuxx64.efi.stub linux.efi && echo done
-rw-r--r-- 1 root root 11706880 Nov 22 10:00 /boot/vmlinuz
37 my-line.txt
`

test('sections, files, addresses, the stub, and sizes after it', () => {
  expect(readRecipe(RECIPE)).toEqual({
    sections: [
      { name: '.osrel', file: '/etc/os-release', address: 0x20000n },
      { name: '.cmdline', file: 'my line.txt', address: 0x30000n },
      { name: '.linux', file: '/boot/vmlinuz', address: null },
    ],
    stub: '/usr/lib/systemd/boot/efi/linuxx64.efi.stub',
    sizes: new Map([
      ['vmlinuz', 11706880],
      ['my-line.txt', 37],
    ]),
  })
})

test('an address that the shell would compute is one word, whatever blanks are in it', () => {
  const recipe = readRecipe(
    'objcopy --add-section .linux=/vmlinuz --change-section-vma .linux=$((base + 0x2000000)) "$stub" uki.efi',
  )
  expect(recipe?.stub).toBe('$stub')
  expect(recipe?.sections).toEqual([{ name: '.linux', file: '/vmlinuz', address: null }])
})

test('quoted by a mailer it is the same; without one there is none', () => {
  expect(readRecipe(RECIPE.replace(/^/gm, '> '))?.sections).toHaveLength(3)
  expect([readRecipe('objcopy -O binary a b'), readRecipe('hello')]).toEqual([null, null])
  expect(readRecipe('objcopy --add-section .a=b')).toEqual({
    sections: [{ name: '.a', file: 'b', address: null }],
    stub: null,
    sizes: new Map(),
  })
})
