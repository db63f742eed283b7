/** What the changed sources ask: which change is in force. Counts rounds of loops while one is. */
interface Switch {
  /** The number of the change in force; -1: none. */
  active: number
  /** 1 for every change that was reached since this was cleared. */
  readonly reached: Uint8Array
  rounds: number
  /** Rounds after which a loop counts as endless. */
  roundsMax: number
}

class EndlessLoop extends Error {
  override readonly name = 'EndlessLoop'
}

declare global {
  var mutantSwitch: Switch | undefined
  var __mutant: (id: number) => boolean
  var __loop: () => void
}

const state: Switch = (globalThis.mutantSwitch ??= {
  active: -1,
  reached: new Uint8Array(2 ** 16),
  rounds: 0,
  roundsMax: Infinity,
})

globalThis.__mutant = id => {
  state.reached[id] = 1
  return state.active === id
}
globalThis.__loop = () => {
  if (++state.rounds > state.roundsMax) throw new EndlessLoop('a change that never ends')
}
