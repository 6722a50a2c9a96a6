/**
 * How deep JSON text is nested, before anything that recurses sees it.
 *
 * @module
 */

/** Whether brackets outside of strings are nested more than `limit` deep. Reads the text once, and needs no memory. */
export function nestedDeeper(json: string, limit: number): boolean {
  let depth = 0, quoted = false;
  for (let i = 0; i < json.length; i++) {
    const c = json.charCodeAt(i);
    if (quoted) {
      if (c === 0x5c) i++; // backslash: the next character is no end
      else if (c === 0x22) quoted = false;
    } else if (c === 0x22) quoted = true;
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > limit) return true;
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
  return false;
}
