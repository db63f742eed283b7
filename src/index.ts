/** The public API by name. */
export { check, type CheckInput, type Checked, type MachineInput } from './check.ts'
export { allFaults, type FaultOutcome } from './all-faults.ts'
export { buildMachine, type MachineChoices, type MachineWords } from './boot/machine.ts'
export { parseFirmwareFile, type FirmwareFile } from './boot/firmware-file.ts'
export { espPath, filesOnEsp, type EspFileNames } from './boot/esp.ts'
export {
  prepareImage,
  PreparedImage,
  prepareMachine,
  PreparedMachine,
  type BootOptions,
} from './boot/prepare.ts'
export { HandedOver, run, StubEntry, type Run, type BootConfig } from './boot/run.ts'
export { RunContext } from './boot/run-context.ts'
export { runBootLoader, type BootLoaderConfig } from './boot/run-boot-loader.ts'
export { compareWithObserved, type ComparedFact } from './boot/compare.ts'
export { imageOfListing, type ListedImage } from './boot/listing.ts'
export { machineFromMemmap, type MemmapMachine } from './boot/memmap-machine.ts'
export { compareImageLoaders, type ImageLoaderComparison } from './boot/compare-image-loaders.ts'
export { mapBeforeLoad, type MapTaken } from './boot/map-before-load.ts'
export { kernelCandidates, stubCandidates, type Candidate } from './boot/identify.ts'
export { kernelNamed, stubNamed } from './boot/named.ts'
export { compareVersions, erasFor } from './releases/version.ts'
export { ModelBug, UsageError } from './bytes/errors.ts'
export { formatRange, formatSize, hex, range, rangeAt, type Range } from './bytes/range.ts'
export { bytesSource, countingSource, sliceSource, sparseSource, type ByteSource } from './bytes/source.ts'
export {
  byteCount,
  fileOffset,
  phys,
  rva,
  type ByteCount,
  type FileOffset,
  type Phys,
  type Rva,
} from './bytes/units.ts'
export { Memory } from './memory/memory.ts'
export { Recorder, type Recording } from './memory/recorder.ts'
export type { Actor, MemoryEvent, Step } from './memory/event.ts'
export type { Content, Extent, ObjectId } from './memory/extent.ts'
export { parsePe, type PeFile, type PeSection } from './image/pe.ts'
export { viewUki, type UkiView } from './image/uki.ts'
export { parseBzImage, type BzImage } from './image/x86/bzimage.ts'
export { readListing, type Listing } from './image/objdump.ts'
export { readObserved, type Observed, type ObservedFact } from './image/observed.ts'
export {
  formatMemmap,
  MEMMAP_DIALECTS,
  readMemmap,
  type MemmapDialect,
  type MemmapKind,
  type MemmapParse,
} from './image/memmap.ts'
export {
  EfiBootServicesData,
  EfiConventionalMemory,
  EfiLoaderCode,
  EfiLoaderData,
  type MemoryDescriptor,
} from './image/memory-types.ts'
export { buildKernel, buildPe, buildStub, buildUki } from './image/synthetic.ts'
export { createFirmware, type Contents } from './firmware/boot-services.ts'
export { sayCall, type Fault, type FaultyCall, type ServiceCall } from './firmware/service-call.ts'
export { FIRMWARES, firmwareNamed, type Firmware } from './firmware/firmwares.ts'
export { PROFILES, profileMap, profileNamed } from './firmware/profiles.ts'
export type { BootServices, LoadedImage } from './firmware/services.ts'
export type { Machine, Outcome, Refusal } from './machine/machine.ts'
export type { Arrival, EraInfo, Facts, HandOff, KernelModel, Payload, StubModel } from './machine/model.ts'
export type { StubBehaviour } from './stub/behaviour.ts'
export { stubEra, stubEras } from './stub/eras.ts'
export { stubModel } from './stub/boot.ts'
export type { StubContext, StubEra, StubSteps } from './stub/model.ts'
export { stubSteps } from './stub/steps.ts'
export { bootLoaders } from './boot-loader/boot-loaders.ts'
export type { BootLoaderModel, BootLoaderRow } from './boot-loader/model.ts'
export {
  kernelEra,
  kernelEras,
  kernelModel,
  kernelSteps,
  type KernelBehaviour,
  type KernelBoot,
  type KernelEra,
} from './kernel/kernels.ts'
export {
  readPayload,
  type Extracted,
  type Failure,
  type Lead,
  type PayloadRead,
  type PayloadReader,
} from './kernel/payload.ts'
export {
  decode,
  decodeStream,
  FORMATS,
  type Decoded,
  type DecodeOptions,
  type Format,
  type Progress,
  type Sink,
  type Streamed,
  type StreamOptions,
} from './decode/decode.ts'
export type { Elf } from './image/elf.ts'
export { advise, judge, rules } from './hazard/registry.ts'
export { advice, rule, type Rule } from './hazard/rule.ts'
export type { Hazard, HazardClass, Leg } from './hazard/hazard.ts'
export type { Finding, Report, Verdict } from './report/model.ts'
export { VERSION } from './version.ts'
