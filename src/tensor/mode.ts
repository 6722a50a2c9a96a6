/**
 * Whether results are constants for gradients: inside `noGrad` they are.
 *
 * @module
 */

/** `paused` is true inside `noGrad`. */
export const mode: { paused: boolean } = { paused: false };
