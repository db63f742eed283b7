/**
 * When the clauses of chapter ST apply: the behaviour each requires (spec/ST-systemd-stub.md, whose lines
 * `Applies:` are made of this).
 */
import type { Law } from '../releases/law.ts'
import type { BootParamsBehaviour, OwnLoaderBehaviour, StubBehaviour } from './behaviour.ts'

const capped = ({ sectionTable: { machines, maxSections } }: StubBehaviour): boolean =>
  machines === 'own' && maxSections !== null
const joins = ({ initrd: { joined, pieces } }: StubBehaviour): boolean =>
  joined !== 'never' && pieces.length > 1
const eightBit = ({ commandLine }: StubBehaviour): boolean => commandLine.encoding === '8 bits'
const utf16 = ({ commandLine }: StubBehaviour): boolean => commandLine.encoding === 'UTF-16'
const copied =
  (what: BootParamsBehaviour['copied']) =>
  ({ bootParams }: StubBehaviour): boolean =>
    bootParams.copied === what
const own =
  (holds: (loader: OwnLoaderBehaviour) => boolean = () => true) =>
  ({ entryMethod }: StubBehaviour): boolean =>
    entryMethod.way === 'own loader' && holds(entryMethod)

/** Clauses of the stub, by the behaviour record they describe. */
export const STUB_LAW: Law<StubBehaviour> = {
  pool: {
    'ST-87': ({ pool }) => pool.type === 'EfiLoaderData',
    'ST-88': ({ pool }) => pool.type === 'EfiBootServicesData',
  },
  variables: {
    'ST-4': ({ variables }) => variables.secureBoot === 'kept',
    'ST-5': ({ variables }) => variables.secureBoot === 'sized',
    'ST-80': ({ variables }) => variables.secureBoot === 'freed',
    'ST-90': ({ variables }) => variables.randomSeed,
  },
  sectionTable: {
    'ST-6': ({ sectionTable }) => sectionTable.machines === 'any known',
    'ST-7': ({ sectionTable }) => sectionTable.machines === 'own',
    'ST-52': capped,
    'ST-53': ({ sectionTable }) => sectionTable.headerAfterDos,
    'ST-54': ({ sectionTable }) => sectionTable.sixDirectories,
    'ST-55': ({ sectionTable }) => sectionTable.insideImage,
    'ST-82': ({ sectionTable }) => sectionTable.source === 'file',
  },
  locate: {
    'ST-8': ({ locate }) => locate.match === 'prefix',
    'ST-9': ({ locate }) => locate.match === 'name',
    'ST-11': ({ loadOptions }) => loadOptions.profile,
    'ST-70': ({ locate }) => locate.insideImage,
    'ST-71': ({ locate }) => locate.warnsOfOverlap,
  },
  kernel: {
    'ST-10': ({ kernel }) => kernel.way === 'required' && !kernel.status,
    'ST-12': ({ kernel }) => kernel.way === 'own image',
    'ST-13': ({ kernel }) => kernel.way === 'required' && kernel.status,
  },
  addons: {
    'ST-95': ({ addons }) => addons.sections.length > 0,
    'ST-111': ({ addons }) => addons.sections.length > 0,
    'ST-96': ({ addons }) => addons.sections.length === 0,
  },
  commandLine: {
    'ST-14': data =>
      eightBit(data) &&
      data.commandLine.underSecureBoot === 'never' &&
      data.loadOptions.taken === 'printable first',
    'ST-15': data =>
      eightBit(data) &&
      data.commandLine.underSecureBoot === 'without .cmdline' &&
      data.commandLine.spaces === 'none',
    'ST-110': ({ locate }) => locate.names.includes('.uname'),
    'ST-16': data => utf16(data) && !data.loadOptions.profile,
    'ST-17': ({ loadOptions }) => loadOptions.profile && loadOptions.taken === 'printable first',
    'ST-18': utf16,
    'ST-72': ({ loadOptions }) => loadOptions.taken === 'text',
    'ST-73': ({ loadOptions }) => loadOptions.taken === 'any',
    'ST-74': data => eightBit(data) && data.commandLine.spaces !== 'none',
    'ST-75': ({ commandLine }) => commandLine.namesConsole,
    'ST-85': ({ loadOptions }) => loadOptions.taken === 'printable',
    'ST-92': ({ commandLine }) => commandLine.readsPastBlanks,
    'ST-93': utf16,
    'ST-94': ({ commandLine }) => commandLine.smbios !== 'ignored',
  },
  strings: {
    'ST-48': ({ strings }) => strings.kept.length > 0,
    'ST-49': ({ strings }) => strings.buffers === 'none',
    'ST-50': ({ strings: { order, kept } }) => order[0] === 'extra.d' && kept.length === 0,
    'ST-84': ({ strings }) => strings.buffers === 'with room to print',
    'ST-89': ({ strings: { buffers, order } }) => buffers === 'sized' && order[0] === 'LoaderFirmwareInfo',
  },
  initrd: {
    'ST-19': ({ initrd }) => initrd.joined === 'never',
    'ST-20': ({ initrd }) => initrd.joined !== 'never',
    'ST-21': joins,
    'ST-22': joins,
    'ST-23': data => joins(data) && data.initrd.pages === 'below 4 GiB',
    'ST-24': data => joins(data) && data.initrd.pages === 'below 4 GiB first',
    'ST-25': ({ initrd }) => initrd.withoutPieces === 'null pointer',
    'ST-51': ({ initrd }) => initrd.list === 'pool',
  },
  deviceTree: {
    'ST-46': ({ deviceTree }) => deviceTree.sections.length === 0,
    'ST-47': ({ deviceTree: { sections, replacesOnly } }) => sections.length > 0 && !replacesOnly,
    'ST-97': ({ deviceTree }) => deviceTree.replacesOnly,
  },
  entryMethod: {
    'ST-26': ({ entryMethod }) => entryMethod.way === 'handover',
    'ST-27': ({ entryMethod }) => entryMethod.way === 'LoadImage',
    'ST-28': ({ entryMethod }) => entryMethod.way === 'LoadImage',
    'ST-29': ({ entryMethod }) => entryMethod.way !== 'handover',
    'ST-59': own(),
    'ST-60': own(),
    'ST-61': own(loader => !loader.aligned),
    'ST-62': own(loader => loader.aligned),
    'ST-63': own(loader => loader.origin === 'ImageBase' && !loader.checksVirtualSize),
    'ST-64': own(loader => loader.origin === 'ImageBase' && loader.checksVirtualSize),
    'ST-65': own(loader => loader.origin === 'pages' && !loader.checksVirtualSize),
    'ST-66': own(loader => loader.origin === 'pages' && loader.checksVirtualSize),
    'ST-67': own(),
    'ST-68': own(),
    'ST-69': own(loader => loader.header.entryInside),
    'ST-91': own(loader => loader.header.insideFile),
  },
  headerChecks: {
    'ST-31': ({ headerChecks }) => headerChecks.messages === 'one',
    'ST-32': ({ headerChecks }) => headerChecks.messages === 'each',
    'ST-81': ({ headerChecks }) => headerChecks.messages === 'one' && headerChecks.length,
  },
  placeKernel: {
    'ST-33': ({ placeKernel }) => placeKernel.above4G === 'left',
    'ST-34': ({ placeKernel }) => placeKernel.above4G === 'copied' && placeKernel.zeroTail,
    'ST-56': ({ placeKernel }) => placeKernel.above4G === 'refused',
    'ST-58': ({ placeKernel }) => placeKernel.above4G === 'copied' && !placeKernel.zeroTail,
  },
  placeInitrd: {
    'ST-35': ({ placeInitrd }) => placeInitrd.above4G === 'left',
    'ST-36': ({ placeInitrd }) => placeInitrd.above4G === 'copied',
    'ST-57': ({ placeInitrd }) => placeInitrd.above4G === 'refused',
  },
  bootParams: {
    'ST-37': copied('known header'),
    'ST-38': copied('stated header'),
    'ST-77': copied('file'),
    'ST-78': ({ bootParams }) => bootParams.secureBoot,
    'ST-83': copied('stated header, as far as known'),
  },
  placeCommandLine: {
    'ST-39': data => eightBit(data) && !data.placeCommandLine.above4G,
    'ST-40': utf16,
    'ST-76': data => eightBit(data) && data.placeCommandLine.above4G,
    'ST-100': eightBit,
  },
  passInitrd: {
    'ST-30': ({ passInitrd, entryMethod }) => passInitrd.loadFile2 || entryMethod.way !== 'handover',
    'ST-41': ({ passInitrd }) => passInitrd.halves === 'low',
    'ST-42': ({ passInitrd }) => passInitrd.halves === 'both',
    'ST-79': ({ passInitrd }) => passInitrd.halves === 'low' && passInitrd.loadFile2,
  },
  entry: {
    'ST-43': ({ entry }) => entry.from === 'code32_start',
    'ST-44': ({ entry }) => entry.from === 'image',
  },
}
