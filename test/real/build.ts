/**
 * Builds the UKI of a recorded boot out of the real stub and the real kernel, byte for byte as large as the
 * recorded one.
 */
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Recording } from '../oracle/recording.ts'
import { cacheDirectory, fetchUkify, runTool } from './fetch.ts'
import { recipeOf, type KernelEdit, type PayloadName, type Recipe } from '../oracle/recipes.ts'

const OSREL = 'ID=oracle\nVERSION_ID=1\nPRETTY_NAME="oracle"\n'
const INITRD_SIZE = 0x4a7e00
const SECTION_HEADER_SIZE = 40

function cpioEntry(inode: number, name: string, mode: number, size: number): Buffer {
  const fields = [inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name.length + 1, 0]
  const head = Buffer.from(
    `070701${fields.map(field => field.toString(16).toUpperCase().padStart(8, '0')).join('')}${name}\0`,
  )
  return Buffer.concat([head, Buffer.alloc(-head.length & 3)])
}

/** A newc archive of exactly the recorded size, with one file of bytes that are never zero. */
function makeInitrd(): Buffer {
  const trailer = cpioEntry(0, 'TRAILER!!!', 0, 0)
  const size = INITRD_SIZE - trailer.length - cpioEntry(1, 'probe', 0o100644, 0).length
  const data = Buffer.alloc(size)
  for (let at = 0; at < size; at++) data[at] = 1 + ((at * 31 + (at >> 8)) % 255)
  return Buffer.concat([cpioEntry(1, 'probe', 0o100644, size), data, trailer])
}

/** The initrd in the cache. */
export function initrdFile(): string {
  const path = join(cacheDirectory(), 'initrd.img')
  if (!existsSync(path)) writeFileSync(path, makeInitrd())
  return path
}

/** Where the PE header of a file begins. */
const peHeader = (file: Buffer): number => file.readUInt32LE(0x3c)

/** The section table of a PE file, as the recordings write it. */
export function layoutOf(path: string): string[][] {
  const file = readFileSync(path)
  const pe = peHeader(file)
  const table = pe + 24 + file.readUInt16LE(pe + 20)
  return Array.from({ length: file.readUInt16LE(pe + 6) }, (_, index) => {
    const at = table + index * SECTION_HEADER_SIZE
    const name = file.toString('latin1', at, at + 8).replace(/\0.*$/, '')
    const [VirtualSize = 0, VirtualAddress = 0, SizeOfRawData = 0, PointerToRawData = 0] = [
      8, 12, 16, 20,
    ].map(offset => file.readUInt32LE(at + offset))
    return [
      name,
      ...[VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData].map(
        value => `0x${value.toString(16)}`,
      ),
    ]
  })
}

/** The kernel's bytes after the edit that the case names. */
function editKernel(path: string, edit: KernelEdit): Buffer {
  if (edit === 'text') return Buffer.from('this is no kernel\n'.repeat(1000))
  const kernel = readFileSync(path)
  const middle = kernel.length >> 1
  if (edit === 'flip') kernel.writeUInt8(kernel.readUInt8(middle) ^ 0x55, middle)
  if (edit === 'major0') kernel.writeUInt16LE(0, peHeader(kernel) + 68)
  return kernel
}

/** Writes fields of one section header: `vma`, `vsize`, `rename`. */
function editSection(path: string, name: string, fields: Readonly<Record<string, string>>): void {
  const file = readFileSync(path)
  const pe = peHeader(file)
  const index = layoutOf(path).findIndex(([found]) => found === name)
  if (index < 0) throw new Error(`no section ${name}`)
  const at = pe + 24 + file.readUInt16LE(pe + 20) + index * SECTION_HEADER_SIZE
  const { vma, vsize, rename } = fields
  if (rename !== undefined) file.fill(0, at, at + 8).write(rename, at, 'latin1')
  if (vsize !== undefined) file.writeUInt32LE(Number(vsize), at + 8)
  if (vma !== undefined) file.writeUInt32LE(Number(vma), at + 12)
  writeFileSync(path, file)
}

interface Inputs {
  readonly stub: string
  /** Files by payload name. */
  readonly files: Readonly<Record<PayloadName, string>>
  readonly uki: string
}

function buildWithObjcopy(
  recording: Recording,
  recipe: Recipe,
  { stub, files, uki }: Inputs,
  work: string,
): void {
  const header = readFileSync(stub)
  const imageBase = recipe.absolute ? 0 : Number(header.readBigUInt64LE(peHeader(header) + 48))
  const add = (name: string, file: string, vma: number): string[] => [
    '--add-section',
    `${name}=${file}`,
    '--change-section-vma',
    `${name}=0x${(imageBase + vma).toString(16)}`,
  ]
  const args: string[] = []
  for (const name of ['osrel', 'cmdline', 'linux', 'initrd'] as const) {
    if (!recipe.without.includes(name))
      args.push(...add(`.${name}`, files[name], Number(recording.vmas[name])))
  }
  if (recipe.extra !== null) {
    const file = join(work, 'extra')
    writeFileSync(file, recipe.extra.bytes)
    args.push(...add('.foo', file, recipe.extra.vma))
  }
  runTool('objcopy', [...args, stub, uki])
}

function buildWithUkify(recording: Recording, { stub, files, uki }: Inputs): void {
  const { command, args, env } = fetchUkify()
  const build = [
    'build',
    '--linux',
    files.linux,
    '--initrd',
    files.initrd,
    '--cmdline',
    `@${files.cmdline}`,
    '--os-release',
    `@${files.osrel}`,
  ]
  runTool(command, [...args, ...build, '--uname', recording.kernel, '--stub', stub, '--output', uki], { env })
}

/** Builds the image of one recorded boot in `work` and returns its path. */
export function buildUki(
  recording: Recording,
  stub: string,
  kernel: string,
  initrd: string,
  work: string,
): string {
  const recipe = recipeOf(recording)
  const put = (name: string, bytes: Uint8Array | string): string => {
    const path = join(work, name)
    writeFileSync(path, bytes)
    return path
  }
  const files = {
    osrel: put('osrel', OSREL),
    cmdline: put('cmdline', recipe.commandLine),
    linux: recipe.kernel === 'none' ? kernel : put('linux', editKernel(kernel, recipe.kernel)),
    initrd,
  }
  const inputs = { stub, files, uki: join(work, 'uki.efi') }
  if (recipe.tool === 'ukify') buildWithUkify(recording, inputs)
  else buildWithObjcopy(recording, recipe, inputs, work)
  for (const [name, fields] of recording.edit) editSection(inputs.uki, name, fields)
  if (recipe.truncate !== null) truncateSync(inputs.uki, recipe.truncate)
  return inputs.uki
}
