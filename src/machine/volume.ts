/**
 * Names of files on the volume that an image was loaded from: FAT is case-insensitive, and both slashes are
 * accepted.
 */

/** The normal form of a path: lower case, forward slashes, none leading. */
export function volumePath(path: string): string {
  return path.replaceAll('\\', '/').replace(/^\/+/, '').toLowerCase()
}
