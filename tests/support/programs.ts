/**
 * Small programs, made by hand, that together use everything the device contract offers.
 *
 * @module
 */
import { attentionCases } from "./programs_attention.ts";
import type { ProgramCase } from "./programs_builder.ts";
import { convCases } from "./programs_conv.ts";
import { halfCases } from "./programs_half.ts";
import { instructionCases, viewCases } from "./programs_map.ts";
import { matmulCases } from "./programs_matmul.ts";
import { poolCases } from "./programs_pool.ts";
import { reduceCases } from "./programs_reduce.ts";
import { scatterCases } from "./programs_scatter.ts";

export type { ProgramCase, Tolerance } from "./programs_builder.ts";

/** Every case; names are unique. */
export const programs: readonly ProgramCase[] = [
  ...viewCases(),
  ...instructionCases(),
  ...reduceCases(),
  ...poolCases(),
  ...matmulCases(),
  ...convCases(),
  ...scatterCases(),
  ...attentionCases(),
  ...halfCases(),
];
