/** The content of unwritten memory (chapter FW). */

export const CONTENTS = ['ovmf', 'residue', 'poison'] as const

/**
 * The content of unwritten memory. ovmf: 0x00 where untouched, 0xaf where freed. residue: freed pages keep
 * their bytes. poison: both are unknown.
 */
export type Contents = (typeof CONTENTS)[number]
