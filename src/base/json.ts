/**
 * Values that JSON text holds.
 *
 * @module
 */

/** What `JSON.parse` gives; entries that are `undefined` are left out of the text. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

/** A layer or loss as plain data: what kind it is, and what its constructor needs. */
export interface LayerJson {
  /** Name of the class. */
  readonly kind: string;
  /** Sizes and options. */
  readonly [name: string]: Json | undefined;
}
