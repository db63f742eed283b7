/**
 * The command table: parser, help and docs/reference/cli.md are made from it. The settings of a boot come
 * from src/machine/settings.ts. A command's code is loaded when it runs.
 */
import type { Command } from './command.ts'

import {
  help,
  output,
  reportFormat,
  format,
  stats,
  verbose,
  image,
  memmap,
  ram,
  firmware,
  machines,
  boot,
  bootExits,
} from './options.ts'

export const commands: readonly Command[] = [
  {
    name: 'check',
    operand: {
      ...image,
      several: true,
      help:
        'a unified kernel image, a text with its section table (objdump -h, and others) or ' +
        'its objcopy recipe, or a folder with images; several are checked one by one, on every ' +
        'machine; not needed with --scenario',
    },
    summary: 'simulate boots and report damage, broken contracts and advice',
    options: [
      {
        name: 'details',
        help: 'print evidence, facts and assumptions, too; of several boots every report',
      },
      { name: 'quiet', short: 'q', help: 'print nothing: the exit code alone answers' },
      ...boot(reportFormat, machines),
    ],
    notes: [
      'Without a machine, the usual ones are taken: 512 MiB, 2 GiB and 8 GiB of RAM, each ' +
        'with OVMF 2020.11, 2022.11 and 2025.02 on q35. Of several files or machines every file ' +
        'is booted on every machine, and the report is a table, the worst first. The exit code ' +
        'is that of the worst: 1 before 2 (a file that cannot be used), 3 and 0.',
    ],
    exits: bootExits,
    examples: [
      'stubsim check uki.efi',
      'stubsim check uki.efi --ram 512MiB --firmware ovmf-2022.11-q35',
      'stubsim check old.efi new.efi --ram 256MiB,512MiB --firmware ovmf-2022.11-q35,ovmf-2025.02-q35',
      'stubsim check /boot/efi/EFI/Linux --memmap maps/',
      'stubsim check uki.efi --memmap memmap.txt --kaslr off --format json',
      'stubsim check --scenario boot.yaml --strict',
      'stubsim check uki.efi --memmap memmap.txt --format sarif --output stubsim.sarif',
    ],
    run: async call => (await import('./check.ts')).check(call),
  },
  {
    name: 'map',
    operand: image,
    summary: 'print the owners of memory at four points of the boot',
    options: boot(format),
    exits: bootExits,
    examples: ['stubsim map uki.efi --ram 512MiB --firmware ovmf-2022.11-q35'],
    run: async call => (await import('./check.ts')).map(call),
  },
  {
    name: 'trace',
    operand: image,
    summary: 'print every step with its clause and its memory accesses',
    options: [{ name: 'all', help: 'list every range of an event instead of their number' }, ...boot(format)],
    exits: bootExits,
    examples: ['stubsim trace uki.efi --ram 512MiB --firmware ovmf-2022.11-q35'],
    run: async call => (await import('./check.ts')).trace(call),
  },
  {
    name: 'inspect',
    operand: {
      name: 'FILE',
      required: 'always',
      help: 'an image, a kernel, or a text: a section table, a memory map, a log',
    },
    summary: 'print what a file or a pasted text contains, and its problems',
    options: [format, output, stats, verbose, help],
    exits: [[0, 'the file could be read']],
    examples: ['stubsim inspect uki.efi', 'stubsim inspect vmlinuz --format json'],
    run: async call => (await import('./inspect.ts')).inspect(call),
  },
  {
    name: 'image-loaders',
    formerly: 'loaders',
    operand: { name: 'FILE', required: 'always', help: 'a UKI or another PE file' },
    summary: 'load a file like EDK2, shim, GRUB, U-Boot …, and compare',
    options: [
      memmap,
      ram,
      firmware,
      {
        name: 'image-loader',
        formerly: 'loader',
        value: 'NAMES',
        help: 'only these image loaders, separated by commas, such as edk2-2022.11,shim-16',
      },
      format,
      output,
      stats,
      verbose,
      help,
    ],
    exits: [
      [
        0,
        'all image loaders load the file, with no difference that matters to a running ' +
          'image; unusual loaders count only when named',
      ],
      [1, 'an image loader refuses the file, or loaded bytes differ outside discardable sections'],
    ],
    examples: [
      'stubsim image-loaders uki.efi',
      'stubsim image-loaders uki.efi --image-loader edk2-2022.11,u-boot-2022.01 --format json',
    ],
    run: async call => (await import('./image-loaders.ts')).imageLoaders(call),
  },
  {
    name: 'profiles',
    operand: null,
    summary: 'print firmware profiles, image loaders and quirks, with sources',
    options: [format, output, verbose, help],
    exits: [[0, 'the lists were printed']],
    examples: ['stubsim profiles', 'stubsim profiles --format json'],
    run: async call => (await import('./profiles.ts')).profiles(call),
  },
  {
    name: 'explain',
    operand: {
      name: 'TEXT',
      required: 'never',
      help:
        'a rule such as clobbered-object, a clause, or a line that firmware, stub, boot ' +
        'loader or kernel printed; without it, the list of rules',
    },
    summary: 'print what a rule or a printed message means and what to do',
    options: [format, output, verbose, help],
    exits: [[0, 'it was explained']],
    examples: [
      'stubsim explain',
      'stubsim explain clobbered-object',
      'stubsim explain "Error registering initrd: Already started"',
    ],
    run: async call => (await import('./explain.ts')).explain(call),
  },
  {
    name: 'spec',
    operand: {
      name: 'CLAUSE',
      required: 'never',
      help:
        'a clause such as PE-7, a chapter such as PE, or a word such as init_size; without ' +
        'it, all chapters with their titles',
    },
    summary: 'print clauses of the law, with sources, our code and tests',
    options: [
      { name: 'grep', value: 'WORDS', help: 'list the clauses that say these words' },
      {
        name: 'for',
        value: 'RELEASE',
        help:
          'list the clauses that hold for a release, such as linux@6.1.90, systemd@257.13 or ' +
          'lanzaboote@0.4.2',
      },
      format,
      output,
      verbose,
      help,
    ],
    exits: [[0, 'the law was printed']],
    examples: [
      'stubsim spec',
      'stubsim spec PE',
      'stubsim spec PE-7',
      'stubsim spec init_size',
      'stubsim spec --for linux@6.1.90 --grep init_size',
    ],
    run: async call => (await import('./spec.ts')).spec(call),
  },
  {
    name: 'eras',
    operand: {
      name: 'NAME',
      required: 'never',
      help: 'a product, a release or an era; with --diff the second one',
    },
    summary: 'print the history of changes in stubs and kernels',
    options: [
      {
        name: 'diff',
        value: 'A',
        help: 'print the changes from this release or era (of a stub or a kernel) to NAME',
      },
      format,
      output,
      verbose,
      help,
    ],
    exits: [[0, 'the history was printed']],
    examples: [
      'stubsim eras',
      'stubsim eras systemd-stub',
      'stubsim eras 257.13 --format json',
      'stubsim eras --diff 257.13 262.1',
      'stubsim eras --diff linux/E1 linux/E2',
    ],
    run: async call => (await import('./eras.ts')).eras(call),
  },
]
