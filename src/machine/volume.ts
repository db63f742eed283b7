/**
 * Names of files on the volume that an image was loaded from: FAT does not tell upper from lower case, and
 * slashes lean either way.
 */

/** The one form of a path: backslashes as slashes, none in front, lower case. */
export function volumePath(path: string): string {
  return path.replaceAll('\\', '/').replace(/^\/+/, '').toLowerCase()
}
