/**
 * How operations are recorded at present: whether results are constants for gradients, as inside `noGrad`, and whether
 * products take operands of f16, as inside `autocast`.
 *
 * @module
 */

/** `paused` is true inside `noGrad`, `half` inside `autocast`. */
export const mode: { paused: boolean; half: boolean } = { paused: false, half: false };
