/**
 * What is asked of the process that runs ONNX, and what it answers.
 *
 * @module
 */

/** A file, and what the model is given, bytes in base64; without it only the inputs' names are asked for. */
export interface Request {
  readonly path: string;
  readonly inputs?: readonly { readonly type: string; readonly data: string; readonly dims: readonly number[] }[];
}

/** What the runtime says: numbers as JavaScript writes them. */
export type Answer =
  | { readonly error: string }
  | {
    readonly inputNames: readonly string[];
    readonly outputs: readonly {
      readonly data: readonly string[];
      readonly dims: readonly number[];
      readonly type: string;
    }[];
  };
