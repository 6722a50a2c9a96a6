/**
 * Gradients, for users: of any tensors, or of the parameters that a loss depends on.
 *
 * @module
 */
import { ConfigError, DtypeError, ShapeError } from "../base/errors.ts";
import { checkOptions } from "../base/options.ts";
import { fmtShape, sameShape } from "../base/shape.ts";
import { gradients } from "../graph/autodiff.ts";
import { add } from "../graph/elementwise.ts";
import { constant } from "../graph/leaves.ts";
import { type Node, topological } from "../graph/node.ts";
import { session } from "../graph/session.ts";
import { expand } from "../graph/views.ts";
import { mode } from "./mode.ts";
import type { Parameter } from "./parameter.ts";
import { aTensor } from "./operand.ts";
import { Tensor } from "./tensor.ts";

/** Options of {@link grad}. */
export interface GradOptions {
  /** The gradient of `y` itself, of its shape; needed where `y` has more than one element. */
  readonly seed?: Tensor;
}

/**
 * The gradients of `y` (f32, one element) with respect to each of `xs`, as expressions that can be used further, also
 * differentiated again. Where `y` does not depend on an `x`, or only through steps like `floor`, its gradient is zeros.
 *
 * @example
 * ```ts ignore
 * const [da, db] = grad(y, [a, b]);
 * ```
 */
export function grad<const T extends readonly Tensor[]>(
  y: Tensor,
  xs: T,
  options: GradOptions = {},
): { -readonly [K in keyof T]: Tensor } {
  checkOptions("differentiate", options, { seed: aTensor });
  refusePaused("differentiate");
  const root = y.node;
  const targets = xs.map((x) => x.node);
  const seed = options.seed?.node;
  if (seed !== undefined && !sameShape(seed.shape, root.shape)) {
    throw new ShapeError(
      `Cannot differentiate a tensor of shape ${fmtShape(root.shape)} with a seed of ${
        fmtShape(seed.shape)
      }: the shapes must be equal`,
    );
  }
  const bad = targets.find((t) => t.dtype !== "f32");
  if (bad !== undefined) throw new DtypeError(`Cannot differentiate by a ${bad.dtype} tensor: only f32 has gradients`);
  const parts = gradients(root, targets, seed);
  if (parts.includes(null)) refuseForgotten(topological([root]), targets.filter((_, i) => parts[i] === null));
  return parts.map((g, i) => new Tensor(g ?? expand(constant(0), targets[i].shape))) as {
    -readonly [K in keyof T]: Tensor;
  };
}

/**
 * Adds the gradient of `loss` (f32, one element) to the `grad` of every parameter it depends on, layers or not; those with
 * `requiresGrad` false are left alone. Also lets `loss` be read after the step.
 */
export function backward(loss: Tensor): void {
  backwardTo(loss);
}

/** The same; gives the parameters that got a gradient. */
export function backwardTo(loss: Tensor): readonly Parameter[] {
  refusePaused("run backward");
  const root = loss.node;
  const order = topological([root]);
  const leaves: Node[] = [];
  for (let i = 0; i < order.length; i++) {
    const { owner } = order[i];
    if (owner !== null && (owner as Parameter).requiresGrad) leaves.push(order[i]);
    else if (order[i].forgotten) throw forgotten(order[i]);
  }
  const parts = gradients(root, leaves);
  if (parts.every((part) => part === null)) { // leaves behind detach() have no part, either
    throw new ConfigError(
      "Cannot run backward: the loss depends on no parameter that requires a gradient; was it computed inside noGrad(), " +
        "from detach(), or with every parameter frozen?",
    );
  }
  const reached: Parameter[] = [];
  for (let i = 0; i < leaves.length; i++) {
    const part = parts[i];
    if (part === null) continue;
    const parameter = leaves[i].owner as Parameter;
    const total = parameter.grad === null ? part : add(parameter.grad.node, part);
    total.release(); // it is not differentiated again: grad() is for that
    parameter.receive(new Tensor(total));
    reached.push(parameter);
  }
  for (let i = 0; i < order.length; i++) order[i].release();
  session.retain(root);
  return reached;
}

/**
 * Runs `fn`; what it computes is constant for gradients, as if every result were `detach()`ed. `grad` and `backward`
 * are refused inside.
 *
 * @param fn Not asynchronous: other code would run in between.
 */
export function noGrad<T>(fn: () => T): T {
  const before = mode.paused;
  mode.paused = true;
  try {
    const result = fn();
    if (result instanceof Promise) {
      throw new ConfigError("Cannot pause gradients for an async function: call noGrad() around each synchronous part");
    }
    return result;
  } finally {
    mode.paused = before;
  }
}

function refusePaused(what: string): void {
  if (mode.paused) throw new ConfigError(`Cannot ${what} inside noGrad(): nothing there has gradients`);
}

/** A missing gradient is 0 only if every way from `root` to the leaves was seen. */
function refuseForgotten(order: readonly Node[], missing: readonly Node[]): void {
  const loose = missing.some((t) => t.owner === null);
  for (const node of order) {
    if (
      node.storage !== null && node.inputs.length === 0 && node.op.kind !== "leaf" && node.op.kind !== "assign" &&
      !missing.includes(node) && (loose || node.tracked)
    ) {
      throw forgotten(node);
    }
  }
}

function forgotten(node: Node): ConfigError {
  return new ConfigError(
    `Cannot differentiate through a tensor of shape ${
      fmtShape(node.shape)
    } that was computed before: its history is gone; ` +
      "take gradients before reading or keeping it, or build the expression again",
  );
}
