/** How much of a long test is done: a third by default, all of it where THOROUGH=1, as in .ci/run. */
export const THOROUGH = process.env['THOROUGH'] === '1'

/** The number of runs, or what grows with it, of a test that has `all` of them when it is thorough. */
export function runs(all: number): number {
  return THOROUGH ? all : Math.ceil(all / 3)
}

/** Every how many cases one is taken: `every` when thorough, a third of these otherwise. */
export function stride(every: number): number {
  return THOROUGH ? every : 3 * every
}
