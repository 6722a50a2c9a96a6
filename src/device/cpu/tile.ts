/**
 * The register tile of products and convolutions.
 *
 * @module
 */

/** What a register tile is made of. */
export interface Tile {
  /** Rows of a panel of the left operand. */
  readonly rows: number;
  /** What numbers of columns are rounded up to. */
  readonly columns: number;
  /** Columns of a panel of a right operand that is packed once for several products. */
  readonly panel: number;
  /** Bytes of a thread's working memory before the block of a convolution. */
  readonly panelBytes: number;
  /** Bytes of it in all. */
  readonly workBytes: number;
  /** Longest line of a copy with a border that `convPadNarrow` writes; 0 for none. */
  readonly narrowPad: number;
}
