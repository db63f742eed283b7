import { expect, expectTypeOf, test } from 'vitest'
import '../../../src/vitest/index.ts'
import { check } from '../../../src/check.ts'
import { UsageError } from '../../../src/bytes/errors.ts'
import { rules } from '../../../src/hazard/registry.ts'
import { kernelNamed, stubNamed, type KernelEra, type StubEra } from '../../../src/index.ts'
import { knownObject, knownRule, OBJECT_NAMES } from '../../../src/vitest/known.ts'
import { memoryMap, scenario, uki, type BootMatchers } from '../../../src/vitest/index.ts'

const good = scenario({ image: { initrd: '4M' } })
/** The 6.12 kernel, entered through the handover, clears the .bss after its file: the initrd begins there. */
const packed = scenario({ image: { stub: '247.3', initrd: '4M' } })
const refused = scenario({ image: { initrd: '4M' }, ram: '128M' })

/** What a failing expectation says. */
function failure(body: () => void): string {
  try {
    body()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('it passed')
}

test('a clean boot boots cleanly, keeps its initrd and its contracts', () => {
  expect(good).toBootCleanly()
  expect(check(good)).toBootCleanly()
  expect(good).toKeep('initrd')
  expect(good).not.toHaveHazard('clobbered-object')
  expect(good).not.toBeRefused()
  expect(packed).not.toBootCleanly()
  expect(packed).not.toKeep('initrd')
})

test('a hazard is found by rule, object, class and clause', () => {
  expect(packed).toHaveHazard('clobbered-object')
  expect(packed).toHaveHazard('clobbered-object', { object: 'initrd', class: 'damage', clause: 'HZ-2' })
  expect(packed).not.toHaveHazard('clobbered-object', { object: 'kernel' })
  expect(packed).not.toHaveHazard('clobbered-object', { class: 'breach' })
  expect(packed).not.toHaveHazard('clobbered-object', { clause: 'HZ-3' })
  expect(packed).toHaveHazard('no-room-for-init-size', { class: 'advice' })
})

test('a refusal is matched by whoever refuses and by what it says', () => {
  const { outcome } = check(refused).report
  if (outcome.kind !== 'refused') throw new Error(`the boot ended as ${outcome.kind}`)
  const { by, status, clause, message } = outcome.refusal
  expect(refused).toBeRefused()
  expect(refused).toBeRefused({ by, status, clause, message })
  expect(refused).not.toBeRefused({ by: 'kernel' })
  expect(refused).not.toBeRefused({ status: 'EFI_NOT_FOUND' })
})

test('a contract is kept when it was evaluated and held', () => {
  const evaluated = check(packed).runs.flatMap(run =>
    run.recording.events.filter(event => event.op === 'contract'),
  )
  const broken = evaluated.find(event => !event.kept)
  const kept = evaluated.find(event => event.kept)
  expect(packed).toKeepContract(String(kept?.clause))
  expect(packed).not.toKeepContract(String(broken?.clause))
  expect(() => {
    expect(packed).toKeepContract('x-none')
  }).toThrow('no contract "x-none": there are HO-4, HO-17')
})

test('a contract that no run evaluated is neither kept nor broken', () => {
  for (const body of [
    () => {
      expect(refused).toKeepContract('HO-4')
    },
    () => {
      expect(refused).not.toKeepContract('HO-4')
    },
  ])
    expect(failure(body)).toMatch(/^the contract HO-4 was never evaluated\n/)
})

test('a word that means nothing is a mistake of the caller, negated or not', () => {
  const word = (text: string): string => text
  const boot = check(good)
  for (const subject of [good, boot, refused])
    for (const [body, why] of [
      [
        () => {
          expect(subject).not.toKeep(word('intird'))
        },
        'no object "intird": there are kernel, initrd',
      ],
      [
        () => {
          expect(subject).not.toKeep(word('nothing'))
        },
        'no object "nothing"',
      ],
      [
        () => {
          expect(subject).toKeep(word(''))
        },
        'no object ""',
      ],
      [
        () => {
          expect(subject).not.toHaveHazard(word('clobered-object'))
        },
        'no rule "clobered-object"',
      ],
      [
        () => {
          expect(subject).not.toHaveHazard('wild-read', { object: 'intird' })
        },
        'no object "intird"',
      ],
      [
        () => {
          expect(subject).not.toHaveHazard('wild-read', { clause: word('HZ-' + '999') })
        },
        'no clause of a rule "HZ-',
      ],
      [
        () => {
          expect(subject).not.toHaveHazard('wild-read', { class: word('demage') as 'damage' })
        },
        'no class "demage"',
      ],
      [
        () => {
          expect(subject).not.toHaveHazard('wild-read', { [word('rule')]: 'x' })
        },
        'no field of a filter "rule"',
      ],
      [
        () => {
          expect(subject).not.toBeRefused({ [word('colour')]: 'red' })
        },
        'no field of a filter "colour"',
      ],
      [
        () => {
          expect(subject).not.toBeRefused({ by: word('kernal') as 'kernel' })
        },
        'no actor "kernal"',
      ],
      [
        () => {
          expect(subject).not.toBeRefused({ status: word('EFI_NOT_FUOND') as 'EFI_NOT_FOUND' })
        },
        'no status "EFI_NOT_FUOND"',
      ],
      [
        () => {
          expect(subject).not.toBeRefused({ clause: word('ST28') as 'ST-28' })
        },
        'no clause "ST28"',
      ],
      [
        () => {
          expect(subject).not.toKeepContract(word('HO-' + '999'))
        },
        'no contract "HO-',
      ],
      [
        () => {
          expect(subject).not.toTakeStep(word('copy'))
        },
        'no clause "copy"',
      ],
    ] as const) {
      expect(body).toThrow(UsageError)
      expect(body).toThrow(why)
    }
})

test('every rule and every object of ordinary boots is known', () => {
  for (const { id } of rules) expect(knownRule(id, check(good), [])).toBe(id)
  for (const object of OBJECT_NAMES)
    expect(() => {
      knownObject(object, check(good))
    }).not.toThrow()
})

const mine: StubEra = {
  ...stubNamed('247.3'),
  id: 'x-mine',
  placeKernel: ({ machine }, kernel) => machine.step('x-stay', 'the kernel stays', () => kernel.at),
}

test('a step of one’s own is taken, or the expectation fails', () => {
  const image = { stub: '247.3', initrd: '4M' } as const
  const patched = scenario({ image, stub: mine })
  expect(patched).toTakeStep('x-stay')
  expect(patched).not.toTakeStep('x-copy')
  expect(patched).toTakeStep('ST-1')
  expect(
    failure(() => {
      expect(patched).toTakeStep('x-copy')
    }),
  ).toMatch(/^expected every run to take the step x-copy: 0 of \d+ did/)
  expect(
    failure(() => {
      expect(patched).not.toTakeStep('x-stay')
    }),
  ).toMatch(/^expected no run to take the step x-stay/)
})

test('nothing can be expected of a slot that was replaced and never ran', () => {
  // From 252 on the kernel is loaded by the firmware: placeKernel runs no more
  const unused: StubEra = { ...stubNamed('257.13'), id: 'x-mine', placeKernel: mine.placeKernel }
  const now = kernelNamed('6.12.107')
  const kernel: KernelEra = {
    ...now,
    id: 'x-kernel',
    slots: {
      ...now.slots,
      startup32: boot => {
        now.slots.startup32(boot)
      },
    },
  }
  for (const [input, slot] of [
    [scenario({ image: { initrd: '4M' }, stub: unused }), 'placeKernel'],
    [scenario({ image: { initrd: '4M' }, kernel }), 'startup32'],
  ] as const)
    for (const body of [
      () => {
        expect(input).toBootCleanly()
      },
      () => {
        expect(input).not.toBootCleanly()
      },
      () => {
        expect(input).toKeep('initrd')
      },
      () => {
        expect(input).not.toHaveHazard('clobbered-object')
      },
      () => {
        expect(input).not.toBeRefused()
      },
    ])
      expect(failure(body)).toContain(`nothing can be expected of a replaced slot that never ran: ${slot}`)
  expect(scenario({ image: { initrd: '4M' }, stub: stubNamed('257.13'), kernel: now })).toBootCleanly()
})

test('a failure shows the report', () => {
  for (const message of [
    failure(() => {
      expect(packed).toBootCleanly()
    }),
    failure(() => {
      expect(packed).toKeep('initrd')
    }),
    failure(() => {
      expect(packed).toBeRefused()
    }),
    failure(() => {
      expect(packed).not.toHaveHazard('clobbered-object')
    }),
    failure(() => {
      expect(packed).toHaveHazard('wild-read')
    }),
  ])
    expect(message).toMatch(/^expected .*\n\ndamage: [^]*\nimage {4}uki, /)
  expect(
    failure(() => {
      expect(good).not.toBootCleanly()
    }),
  ).toMatch(/^expected the boot not to be clean/)
  expect(
    failure(() => {
      expect(good).not.toKeep('initrd')
    }),
  ).toMatch(/^expected initrd not to be kept/)
  expect(
    failure(() => {
      expect(refused).not.toBeRefused()
    }),
  ).toMatch(/^expected the boot not to be refused/)
})

test('an object that nobody read was not kept', () => {
  expect(refused).not.toKeep('initrd')
})

test('a scenario takes a file or a recipe, RAM and profile or a map', () => {
  expect(scenario({ image: uki({ initrd: '1M' }), name: 'mine.efi' }).image.name).toBe('mine.efi')
  expect(scenario({ image: {} }).machine.what).toMatch(/^profile ovmf-/)
  expect(scenario({ image: {}, ram: '8G' }).machine.assumptions).toHaveLength(1)
  const map = memoryMap(['EfiConventionalMemory', 0, '640K'], ['EfiConventionalMemory', '1M', '512M'])
  const own = scenario({
    image: { initrd: '1M' },
    map,
    imageBase: '0x10000000',
    contents: 'poison',
    kaslr: 'off',
  })
  expect(own).toMatchObject({
    kaslr: 'off',
    machine: { map, imageBase: 0x10000000, contents: 'poison', what: 'a map of 2 lines' },
  })
  expect(check(own).report.facts.imageBase).toBe(0x10000000)
  expect(() => scenario({ image: {}, map, ram: '1G' })).toThrow(UsageError)
  expect(() => scenario({ image: {}, firmware: 'bios' })).toThrow(UsageError)
})

test('the matchers are typed', () => {
  expectTypeOf(expect(good)).toExtend<BootMatchers>()
  expectTypeOf(expect(good).not).toExtend<BootMatchers>()
  const texts: readonly string[] = ['wild-read']
  for (const text of texts) expect(good).not.toHaveHazard(text)
  for (const body of [
    () => {
      // @ts-expect-error a rule is a text
      expect(good).toHaveHazard(5)
    },
    () => {
      // @ts-expect-error no rule is called that
      expect(good).not.toHaveHazard('clobered-object')
    },
    () => {
      // @ts-expect-error no object is called that
      expect(good).not.toKeep('intird')
    },
    () => {
      // @ts-expect-error no contract is called that
      expect(good).not.toKeepContract('HO4')
    },
    () => {
      // @ts-expect-error no clause is called that
      expect(good).not.toTakeStep('copy')
    },
    () => {
      // @ts-expect-error refusals have no colour
      expect(good).not.toBeRefused({ colour: 'red' })
    },
  ])
    expect(body).toThrow(UsageError)
})
