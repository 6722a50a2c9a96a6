/**
 * Values that few programs need.
 *
 * @module
 */

/** Gives what `make` makes, which is called with the first call; what it throws is thrown then, and it is called again. */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
