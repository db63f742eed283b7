/** `profiles`: the recorded firmware profiles, the firmwares, and the quirks. */
import { firmwares } from '../firmware/firmwares.ts'
import { PROFILES } from '../firmware/profiles.ts'
import { QUIRKS } from '../firmware/quirks.ts'
import { columns, labelled } from '../report/layout.ts'
import type { Call } from './command.ts'

/** Plain data. */
export function profilesToJson(): Record<string, unknown> {
  return {
    schema: 1,
    profiles: PROFILES.map(({ id, version, machine, flash, firmware, source, basis, recorded }) => ({
      id,
      version,
      machine,
      flash,
      firmware,
      source,
      basis,
      recordedMiB: recorded,
    })),
    firmwares: firmwares().map(({ id, title, allocator, loader, inner, contents }) => ({
      id,
      title,
      allocator: allocator.id,
      loader: loader.id,
      source: loader.source,
      inner,
      contents,
    })),
    quirks: QUIRKS.map(({ id, what, source, contents, firmware }) => ({
      id,
      what,
      source,
      contents: contents ?? null,
      firmware: firmware ?? null,
    })),
  }
}

/** For people. */
export function formatProfiles(): string {
  const profileRows = PROFILES.map(({ id, recorded }) => [
    `  ${id}`,
    `recorded with ${recorded.map(String).join(', ')} MiB`,
  ])
  const firmwareColumn = Math.max(...firmwares().map(({ id }) => id.length)) + 2
  const firmwareLines = firmwares().flatMap(({ id, title, allocator }) =>
    labelled(id, allocator.id === id ? title : `${title} (allocator ${allocator.id})`, {
      indent: 2,
      column: firmwareColumn,
      width: 80,
    }),
  )
  const quirkLines = QUIRKS.flatMap(({ id, what, source }) =>
    labelled(id, `${what} (${source})`, { indent: 2, column: 16, width: 80 }),
  )
  return [
    'profiles: --firmware NAME --ram SIZE',
    ...columns(profileRows),
    '',
    'firmwares: --image-loader NAME',
    ...firmwareLines,
    '',
    'quirks: --quirk NAME,NAME',
    ...quirkLines,
    '',
  ].join('\n')
}

/** The command. */
export function profiles(call: Call): number {
  call.print(
    call.text('format') === 'json' ? `${JSON.stringify(profilesToJson(), null, 2)}\n` : formatProfiles(),
  )
  return 0
}
