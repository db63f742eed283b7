/** The only two errors that the core throws. Guest faults are data, not exceptions. */

/** A bug of ours: the model reached an impossible state. */
export class ModelBug extends Error {
  override readonly name = 'ModelBug'
}

/**
 * An error of the caller: an option, a scenario or an input file that cannot be used. Reported as one line,
 * exit code 2.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
