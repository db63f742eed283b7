/** What memory holds that nobody has written (chapter FW). */

export const CONTENTS = ['ovmf', 'residue', 'poison'] as const

/**
 * What memory holds that nobody has written. ovmf: 0x00 where untouched, 0xaf where freed. residue: freed
 * pages keep their bytes.
 * poison: nothing is known of either.
 */
export type Contents = (typeof CONTENTS)[number]
