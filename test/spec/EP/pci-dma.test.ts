import { expect, test } from 'vitest'
import { uki } from '../../../src/vitest/builders.ts'
import { reportOn } from '../../support/damaged-uki.ts'

const assumed = (cmdline: string): boolean =>
  reportOn(uki({ initrd: '3M', cmdline })).assumptions.some(({ clause }) => clause === 'EP-55')

test('EP-55 a command line that disables DMA of PCI bridges is an assumption', () => {
  for (const line of [
    'efi=disable_early_pci_dma',
    'quiet efi=debug,disable_early_pci_dma,nosoftreserve x',
    'efi=disable_pci_dma',
  ])
    expect([line, assumed(line)]).toEqual([line, true])
  for (const line of [
    'efi=no_disable_early_pci_dma',
    'efi=debug',
    'disable_early_pci_dma',
    'xefi=disable_early_pci_dma',
  ])
    expect([line, assumed(line)]).toEqual([line, false])
})
