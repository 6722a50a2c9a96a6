/**
 * A learner at a glance.
 *
 * @module
 */
import type { AnyModule } from "../nn/mod.ts";
import { noGrad, type Tensor } from "../tensor/mod.ts";
import type { TrainLoop } from "../train/mod.ts";

const WIDTHS = [24, 20, 12, 10];

/**
 * The model's layers with their output shapes, numbers of parameters and whether they train; the totals; optimizer, loss
 * and callbacks. Runs the first item of a batch through the model, without computing anything.
 */
export async function summary(learn: TrainLoop): Promise<string> {
  const { model } = learn;
  const { batch: [first] } = await learn.dls.oneBatch();
  const leaves = model.modules().filter((m) => m.modules().length === 1);
  const shapes = shapesOf(learn, leaves, first);
  const line = "-".repeat(WIDTHS.reduce((a, b) => a + b));
  const rows = leaves.map((m) => {
    const own = m.parameters();
    const count = own.reduce((n, p) => n + p.size, 0);
    const trains = own.length === 0 ? "" : own.some((p) => p.requiresGrad) ? "yes" : "no";
    return row([m.constructor.name, shapes.get(m) ?? "unused", count === 0 ? "" : thousands(count), trains]);
  });
  const all = model.parameters();
  const total = all.reduce((n, p) => n + p.size, 0);
  const trained = all.reduce((n, p) => n + (p.requiresGrad ? p.size : 0), 0);
  return [
    `${model.constructor.name} (input [${first.shape.join(", ")}])`,
    line,
    row(["layer", "output", "parameters", "trains"]),
    line,
    ...rows,
    line,
    `Parameters: ${thousands(total)}, of which ${thousands(trained)} train`,
    frozenText(learn),
    `Loss: ${
      learn.lossFunc.constructor === Function
        ? learn.lossFunc.toString().split("\n")[0]
        : learn.lossFunc.constructor.name
    }`,
    `Callbacks: ${[...learn.cbs].sort((a, b) => a.order - b.order).map((c) => c.name).join(", ")}`,
  ].join("\n");
}

function frozenText(learn: TrainLoop): string {
  if (!learn.hasOpt) return "Model not split into groups yet";
  const first = learn.opt.groups.findIndex((g) => g.every((p) => p.requiresGrad));
  return first === 0 ? "Model unfrozen" : `Model frozen up to parameter group ${first < 0 ? "after the last" : first}`;
}

/** Output shapes by layer: each layer's `forward` is watched for one pass. */
function shapesOf(
  learn: TrainLoop,
  leaves: readonly AnyModule[],
  first: Tensor,
): Map<AnyModule, string> {
  const shapes = new Map<AnyModule, string>();
  for (const m of leaves) {
    const forward = m.forward.bind(m);
    Object.defineProperty(m, "forward", {
      configurable: true,
      value: (...args: unknown[]) => {
        const out = forward(...args);
        if (isTensor(out)) shapes.set(m, `[${out.shape.join(", ")}]`);
        return out;
      },
    });
  }
  const modes = learn.model.modules().map((m) => m.training);
  learn.model.eval();
  try {
    noGrad(() => learn.model.forward(first));
  } finally {
    for (const m of leaves) Reflect.deleteProperty(m, "forward");
    learn.model.modules().forEach((m, i) => m.training = modes[i]);
  }
  return shapes;
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && "shape" in value && Array.isArray(value.shape);
}

function row(cells: readonly string[]): string {
  return cells.map((c, i) => c.padEnd(WIDTHS[i])).join("").trimEnd();
}

function thousands(n: number): string {
  return n.toLocaleString("en-US");
}
