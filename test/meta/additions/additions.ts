/**
 * Every kind of addition that docs/CONTRIBUTING.md counts. They can all be made to one copy, in this order.
 */
import type { Addition } from './addition.ts'
import { backPort } from './back-port.ts'
import { booleanSetting } from './setting.ts'
import { dialect } from './dialect.ts'
import { firmwareProfile } from './profile.ts'
import { hazardRule } from './rule.ts'
import { kernelChange } from './kernel-change.ts'
import { kernelSlot } from './kernel-slot.ts'
import { stubSlot } from './stub-slot.ts'

export const ADDITIONS: readonly Addition[] = [
  backPort,
  kernelChange,
  stubSlot,
  kernelSlot,
  firmwareProfile,
  hazardRule,
  dialect,
  booleanSetting,
]
