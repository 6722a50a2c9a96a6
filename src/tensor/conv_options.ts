/**
 * Options of convolutions, whose bias is a tensor.
 *
 * @module
 */
import { num, type OptionTable, orNull } from "../base/options.ts";
import type { Node } from "../graph/node.ts";
import type { ConvOptions, ConvTransposeOptions } from "./fn/conv.ts";
import * as tables from "./fn/option_tables.ts";
import { aTensor } from "./operand.ts";
import type { Tensor } from "./tensor.ts";

/** Options of convolutions. */
export const CONV: OptionTable<ConvOptions<Tensor>> = {
  bias: orNull(aTensor),
  stride: tables.perAxisKind,
  padding: tables.perAxisKind,
  dilation: tables.perAxisKind,
  groups: num,
};
/** Options of transposed convolutions. */
export const CONV_TRANSPOSE: OptionTable<ConvTransposeOptions<Tensor>> = { ...CONV, outputPadding: tables.perAxisKind };

/** Options with the bias as a node. */
export function nodesOf<O extends ConvOptions<Tensor>>(options: O): Omit<O, "bias"> & { readonly bias: Node | null } {
  return { ...options, bias: options.bias?.node ?? null };
}
