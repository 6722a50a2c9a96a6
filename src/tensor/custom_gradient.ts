/**
 * Values and gradients that come from somewhere else than the graph's own rules.
 *
 * @module
 */
import type { HostArray } from "../base/dtype.ts";
import type { Shape } from "../base/shape.ts";
import { fromHost } from "../graph/leaves.ts";
import { Node } from "../graph/node.ts";
import { defineOp } from "../graph/registry.ts";
import { session } from "../graph/session.ts";
import { Tensor } from "./tensor.ts";

/** Gives the gradient of the input from that of the result. */
export type GradientRule = (dy: Tensor) => Tensor;

const rules = new WeakMap<Node, GradientRule>();

/** Numbers from the host, with a rule for their gradient. In memory from the start: no device ever computes it. */
const GIVEN = defineOp({
  name: "given",
  kind: "opaque",
  cost: 0,
  vjp: (dy, node) => [rules.get(node)!(new Tensor(dy)).node],
});

/** The input itself; its gradient is computed with the next launch, as several later ones need it. */
const RETAIN_GRAD = defineOp({
  name: "retainGrad",
  kind: "elementwise",
  cost: 0,
  emit: (_e, [x]) => x,
  vjp: (dy) => {
    session.retain(dy);
    return [dy];
  },
});

/** A function of `x` whose value was worked out elsewhere, f32; `rule` gives the gradient of `x`. */
export function givenValue(x: Tensor, data: HostArray, shape: Shape, rule: GradientRule): Tensor {
  const y = new Node(GIVEN, [x.node], shape, "f32");
  const place = fromHost(data, shape, "f32");
  y.materialize(place.storage!, 0, place.version); // which keeps the input where a gradient may flow
  rules.set(y, rule);
  return new Tensor(y);
}

/** `x`, whose gradient several launches of the backward pass need. */
export function retainGrad({ node }: Tensor): Tensor {
  return new Tensor(new Node(RETAIN_GRAD, [node], node.shape, node.dtype));
}
