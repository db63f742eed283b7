/** The only two things that the core throws. Whatever the guest does wrong is data, not an exception. */

/** A mistake of ours: the model reached a state that cannot be. */
export class ModelBug extends Error {
  override readonly name = 'ModelBug'
}

/**
 * A mistake of the caller: an option, a scenario or an input file that cannot be used. Reported as one line,
 * exit code 2.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
