/**
 * Parameters as optimizers take them.
 *
 * @module
 */
import type { Parameter } from "../tensor/mod.ts";

/** Parameters in groups, or as one group. */
export type ParamsLike = readonly Parameter[] | readonly (readonly Parameter[])[];
