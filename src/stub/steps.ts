/** The steps of a release: every slot filled with the function that its data asks for. */
import type { StubBehaviour } from './behaviour.ts'
import type { StubSteps } from './model.ts'
import { loadAddons } from './steps/addons.ts'
import { jumpToEntry, makeBootParams, passInitrd, placeCommandLine } from './steps/boot-params.ts'
import { settleCommandLine } from './steps/command-line.ts'
import { installDeviceTree } from './steps/device-tree.ts'
import { chooseEntryMethod } from './steps/entry-method.ts'
import { checkSetupHeader } from './steps/header-checks.ts'
import { makeInitrd } from './steps/initrd.ts'
import { findSections, takeKernel } from './steps/locate.ts'
import { placeInitrd, placeKernel } from './steps/place-kernel.ts'
import { choosePool } from './steps/pool.ts'
import { readSectionTable } from './steps/section-table.ts'
import { makeStrings } from './steps/strings.ts'
import { readVariables } from './steps/variables.ts'

/** What a release with this behaviour does, slot by slot. */
export function stubSteps(behaviour: StubBehaviour): StubSteps {
  const { messages, loadOptions, commandLine } = behaviour
  return {
    pool: choosePool(behaviour.pool),
    variables: readVariables(behaviour.variables),
    sectionTable: readSectionTable(behaviour.sectionTable, messages),
    locate: findSections(behaviour.locate, loadOptions),
    kernel: takeKernel(behaviour.kernel, messages),
    addons: loadAddons(behaviour.addons, behaviour.locate.match),
    commandLine: settleCommandLine(commandLine, loadOptions),
    strings: makeStrings(behaviour.strings),
    initrd: makeInitrd(behaviour.initrd),
    deviceTree: installDeviceTree(behaviour.deviceTree),
    entryMethod: chooseEntryMethod(behaviour.entryMethod, commandLine, messages),
    headerChecks: checkSetupHeader(behaviour.headerChecks),
    placeKernel: placeKernel(behaviour.placeKernel),
    placeInitrd: placeInitrd(behaviour.placeInitrd),
    bootParams: makeBootParams(behaviour.bootParams),
    placeCommandLine: placeCommandLine(behaviour.placeCommandLine, commandLine),
    passInitrd: passInitrd(behaviour.passInitrd),
    entry: jumpToEntry(behaviour.entry),
  }
}
