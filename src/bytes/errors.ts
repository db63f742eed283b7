/** The two errors of the core. Whatever the guest does wrong is data, not an exception. */

/** A mistake of ours: the model reached a state that cannot be. */
export class ModelBug extends Error {
  override readonly name = 'ModelBug'
  /**
   * Is it an address beyond the last of physical memory? Where a guest computed it, the boot leaves what is
   * modelled (Stage.attempt); anywhere else it is a mistake of ours.
   */
  readonly beyondMemory: boolean

  constructor(message: string, beyondMemory = false) {
    super(message)
    this.beyondMemory = beyondMemory
  }
}

/**
 * A mistake of the caller: an option, a scenario or an input file that cannot be used. Reported as one line,
 * exit code 2.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
