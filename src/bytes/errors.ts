/** The only two errors that the core throws. Guest faults are data, not exceptions. */

/** A bug of ours: the model reached an impossible state. */
export class ModelBug extends Error {
  override readonly name = 'ModelBug'
  /**
   * Is it an address beyond the last of physical memory? Where a guest computed it, the boot leaves what is
   * modelled (RunContext.attempt); anywhere else it is a mistake of ours.
   */
  readonly beyondMemory: boolean

  constructor(message: string, beyondMemory = false) {
    super(message)
    this.beyondMemory = beyondMemory
  }
}

/**
 * An error of the caller: an option, a scenario or an input file that cannot be used. Reported as one line,
 * exit code 2.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
