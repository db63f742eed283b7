import { expect, test } from 'vitest'
import { check } from '../../../src/check.ts'
import { recogniseLayout } from '../../../src/image/layouts/recognise.ts'
import { thinFiles } from '../../../src/image/lanzastub.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { viewUki } from '../../../src/image/uki.ts'
import { kernel, lanzaboote, LANZABOOTE_RELEASES, scenario, uki } from '../../../src/vitest/index.ts'
import '../../../src/vitest/index.ts'

/** Its bytes are hashed, so it is short. */
const SMALL = kernel('6.12.107-cloud', { size: '256K' })

const viewOf = (image: ReturnType<typeof lanzaboote>['image']) => {
  const { pe } = parsePe(image)
  if (pe === null) throw new Error('no PE file')
  return { pe, uki: viewUki(pe) }
}

test.each(['5.10.223', '6.1.170', '6.12.107-cloud'])('a thin image boots linux %s from the ESP', kernel => {
  const subject = scenario({ ...lanzaboote({ kernel }), ram: '512M' })
  const { report } = check(subject)
  expect(report).toMatchObject({
    verdict: 'clean',
    stub: { id: 'lanzaboote/1.1', version: '1.1.0', certainty: 'certain' },
    outcome: { kind: 'arrived' },
    facts: { handOff: { entryMethod: 'pe-entry' }, commandLine: 'console=ttyS0 nokaslr' },
  })
  expect(report.kernel.id).toMatch(/^linux\//)
  expect(subject).toKeep('initrd')
})

test.each(LANZABOOTE_RELEASES)('release %s: its sections, and who laid them out', release => {
  const { pe, uki: view } = viewOf(lanzaboote({ release, kernel: SMALL, initrd: 4097 }).image)
  const early = release < '0.4'
  expect(thinFiles(view)).toMatchObject({
    names: early ? 'early' : 'late',
    kernel: { section: early ? '.kernelp' : '.linux', path: '\\EFI\\nixos\\kernel-1.efi' },
  })
  expect(view.sections.slice(-6).map(({ object, payload }) => [object, payload])).toEqual(
    (early
      ? ['uki:.osrel', 'cmdline', 'uki:.initrdp', 'uki:.kernelp', 'uki:.initrdh', 'uki:.kernelh']
      : ['uki:.osrel', 'cmdline', 'uki:.initrd', 'uki:.linux', 'uki:.initrdh', 'uki:.linuxh']
    ).map(object => [object, true]),
  )
  expect(recogniseLayout(pe, view)).toMatchObject({
    certainty: 'certain',
    candidates: [{ id: early ? 'lzbt-0.1' : 'lzbt-0.4' }],
  })
})

test('only two releases have a fat stub', () => {
  expect(() => lanzaboote({ fat: true })).toThrow('lanzaboote 1.1.0 has no fat stub')
  expect(() => uki({ as: 'lzbt-0.4' })).toThrow('use lanzaboote()')
})
