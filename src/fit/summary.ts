/**
 * A learner at a glance.
 *
 * @module
 */
import { fmtShape } from "../base/shape.ts";
import type { AnyModule } from "../nn/mod.ts";
import { evaluating } from "../nn/modes.ts";
import { noGrad, type Parameter, type Tensor } from "../tensor/mod.ts";
import type { TrainLoop } from "../train/mod.ts";
import { rememberGenerators } from "./states.ts";

/** Least widths of the columns. */
const WIDTHS = [24, 20, 12, 10];

/**
 * The model's layers with their output shapes, numbers of parameters and whether they train; the totals, which are the sums
 * of the rows: parameters that several layers share stand in the first one's row; optimizer, loss and callbacks. Runs the first item of a batch through the model, without computing anything.
 */
export async function summary(learn: TrainLoop): Promise<string> {
  const { model } = learn;
  const { batch } = await learn.dls.oneBatch();
  const inputs = batch.slice(0, learn.dls.nInp ?? Math.max(1, batch.length - 1));
  // layers, and what has parameters beside those of its layers
  const listed = model.modules().filter((m) => m.modules().length === 1 || ownParameters(m).length > 0);
  const shapes = shapesOf(learn, listed, inputs);
  const counted = new Set<Parameter>();
  const cells = listed.map((m) => {
    const own = ownParameters(m), fresh = own.filter((p) => !counted.has(p));
    for (const p of fresh) counted.add(p);
    const parameters = own.length === 0 ? "" : fresh.length === 0 ? "shared" : thousands(sizeOf(fresh));
    return [m.constructor.name, shapes.get(m) ?? "unused", parameters, trainsText(own)];
  });
  const widths = WIDTHS.map((least, c) => Math.max(least, ...cells.map((row) => row[c].length + 2)));
  const line = "-".repeat(widths.reduce((a, b) => a + b));
  const row = (texts: readonly string[]): string => texts.map((text, c) => text.padEnd(widths[c])).join("").trimEnd();
  const all = model.parameters();
  const total = sizeOf(all), trained = sizeOf(all.filter((p) => p.requiresGrad));
  return [
    `${model.constructor.name} (input ${inputs.map((x) => fmtShape(x.shape)).join(", ")})`,
    line,
    row(["layer", "output", "parameters", "trains"]),
    line,
    ...cells.map(row),
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

/** Parameters of a module that none of the modules inside of it has. */
function ownParameters(m: AnyModule): Parameter[] {
  const inside = new Set(m.modules().filter((each) => each !== m).flatMap((each) => each.parameters()));
  return m.parameters().filter((p) => !inside.has(p));
}

function sizeOf(parameters: readonly Parameter[]): number {
  return parameters.reduce((n, p) => n + p.size, 0);
}

function trainsText(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return "";
  const training = parameters.filter((p) => p.requiresGrad).length;
  return training === 0 ? "no" : training === parameters.length ? "yes" : "partly";
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
  inputs: readonly Tensor[],
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
  const modes = evaluating(learn.model), generators = rememberGenerators(learn);
  try {
    noGrad(() => learn.model.forward(...inputs));
  } finally {
    for (const m of leaves) Reflect.deleteProperty(m, "forward");
    modes();
    generators();
  }
  return shapes;
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && "shape" in value && Array.isArray(value.shape);
}

function thousands(n: number): string {
  return n.toLocaleString("en-US");
}
