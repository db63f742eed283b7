/** When the clauses of chapter LZ apply (spec/LZ-lanzaboote.md, whose lines `Applies:` are made of this). */
import type { Law } from '../../releases/law.ts'
import type { LanzabooteBehaviour } from './behaviour.ts'

/** Clauses of lanzaboote's stub, by the behaviour record they describe. */
export const LANZABOOTE_LAW: Law<LanzabooteBehaviour> = {
  configuration: {
    'LZ-1': ({ configuration }) => configuration.source === 'file',
    'LZ-2': ({ configuration }) => configuration.source === 'memory',
    'LZ-3': ({ configuration }) => configuration.longer === 'refused',
    'LZ-4': ({ configuration }) => configuration.longer === 'filled',
    'LZ-5': ({ configuration }) => configuration.names !== 'embedded',
  },
  payload: {
    'LZ-6': ({ payload }) => payload.way !== 'copied',
    'LZ-7': ({ payload }) => payload.way === 'copied',
    'LZ-8': ({ payload }) => payload.way === 'in pieces',
    'LZ-9': ({ payload }) => payload.way === 'at once',
  },
  trust: {
    'LZ-10': ({ trust }) => trust.otherHash === 'LoadImage',
    'LZ-11': ({ trust }) => trust.otherHash === 'refused under Secure Boot',
    'LZ-12': ({ trust }) => trust.otherHash === 'refused',
  },
  commandLine: {
    'LZ-13': ({ commandLine }) => !commandLine.loadOptions,
    'LZ-14': ({ commandLine }) => commandLine.loadOptions,
  },
  initrd: {
    'LZ-15': ({ initrd }) => initrd.padded,
    'LZ-16': ({ initrd }) => !initrd.companions,
    'LZ-17': ({ initrd }) => initrd.companions,
  },
}
