/**
 * Binary cross-entropy of probabilities, with a gradient that is finite where a probability is exactly 0 or 1.
 *
 * @module
 */
import { broadcastShapes } from "../base/shape.ts";
import { cast, div, log, log1p, maximum, mul, neg, sub } from "./elementwise.ts";
import type { Emitter } from "./emitter.ts";
import { constant } from "./leaves.ts";
import { Node } from "./node.ts";
import { defineOp } from "./registry.ts";

const LOWEST = -100;
const lowest = constant(LOWEST), one = constant(1), least = constant(1e-12);

const bounded = (x: Node) => maximum(x, lowest);
const emitBounded = (e: Emitter, x: number) => e.binary("max", x, e.constant(LOWEST));

const BINARY_CROSS_ENTROPY = defineOp({
  name: "binaryCrossEntropy",
  kind: "elementwise",
  cost: 30,
  emit: (e, [p, t]) => {
    const yes = emitBounded(e, e.unary("log", p)), no = emitBounded(e, e.unary("log1p", e.unary("neg", p)));
    const rest = e.binary("sub", e.constant(1), t);
    return e.unary("neg", e.binary("add", e.binary("mul", t, yes), e.binary("mul", rest, no)));
  },
  // (p - t) / (p (1 - p)), the denominator at least 1e-12
  vjp: (dy, { inputs: [p, t] }) => [
    mul(dy, div(sub(p, t), maximum(mul(p, sub(one, p)), least))),
    mul(dy, sub(bounded(log1p(neg(p))), bounded(log(p)))),
  ],
});

/** `-t log p - (1 - t) log(1 - p)`, logarithms not below -100; operands broadcast. */
export function binaryCrossEntropy(p: Node, t: Node): Node {
  const shape = broadcastShapes(p.shape, t.shape, "compare");
  return new Node(BINARY_CROSS_ENTROPY, [cast(p, "f32"), cast(t, "f32")], shape, "f32");
}
