/**
 * Every operation of the table: its value against float64, its gradient against central differences of that float64.
 */
import { assertEquals } from "@std/assert";
import { sizeOf } from "../../src/base/shape.ts";
import { opTable } from "../../src/graph/registry.ts";
import { grad, readAll, Tensor, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fill } from "../support/fill.ts";
import { GRADIENT_CASES, type GradientCase, NOT_DIFFERENTIABLE } from "./gradient_cases.ts";
import { assertClose } from "./golden_cases.ts";

Deno.test("every operation of the table has a gradient test, or a reason why not", () => {
  const tested = new Set([...GRADIENT_CASES.map((c) => c.op), ...Object.keys(NOT_DIFFERENTIABLE)]);
  assertEquals([...opTable().keys()].filter((op) => !tested.has(op)), []);
  assertEquals([...tested].filter((op) => !opTable().has(op)), []);
});

/** Inputs as the device has them: rounded to f32. */
function inputs({ shapes, scale = 1, offset = 0 }: GradientCase): Float64Array[] {
  return shapes.map((shape, i) => fill(100 + i, sizeOf(shape), scale).map((v) => Math.fround(v + offset)));
}

/** d(sum of result * weight) / d(input `k`) by central differences. */
function slope(c: GradientCase, xs: Float64Array[], weight: Float64Array, k: number): Float64Array {
  const h = 1e-5;
  const total = () => {
    const y = c.ref(...xs);
    let s = 0;
    for (let i = 0; i < y.length; i++) s += y[i] * weight[i];
    return s;
  };
  return xs[k].map((x, i) => {
    xs[k][i] = x + h;
    const up = total();
    xs[k][i] = x - h;
    const down = total();
    xs[k][i] = x;
    return (up - down) / (2 * h);
  });
}

GRADIENT_CASES.forEach((c, number) => {
  onDevices(`${c.op}: value and gradient, case ${number}`, async () => {
    const xs = inputs(c);
    const ts = xs.map((x, i) => tensor(x, { shape: c.shapes[i] }));
    const y = new Tensor(c.build(...ts.map((t) => t.node)));
    const weight = fill(7, y.size).map(Math.fround);
    const grads = grad(y.mul(tensor(weight, { shape: y.shape })).sum(), ts);
    const [value, ...got] = await readAll([y, ...grads]);
    assertClose(value, c.ref(...xs), "value");
    got.forEach((g, k) => assertClose(g, slope(c, xs, weight, k), `gradient of input ${k}`));
  });
});
