/**
 * The float64 references against PyTorch's float64, forward and by numeric gradients.
 */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { fill } from "../support/fill.ts";
import { assertGolden, gradOutData, inputData, nameOfCase, type RecordedOp, recordedOps } from "../support/golden.ts";
import {
  add,
  argmax,
  argmin,
  cumsum,
  mul,
  numericGrad,
  oneHot,
  type Ref,
  ref,
  round,
  split,
  squeeze,
  topk,
} from "../support/ref.ts";
import { batchNormOf, type Inputs, REFERENCE } from "./ref_cases.ts";

/** Recorded operations without a reference in `ref.ts`: convolutions and pools. */
const SKIPPED = [
  "conv1d",
  "conv2d",
  "conv_transpose2d",
  "max_pool2d",
  "avg_pool2d",
  "adaptive_avg_pool2d",
  "adaptive_max_pool2d",
];

/** Recordings keep 10 significant digits. */
const FORWARD = { rel: 1e-9 };

/** Differences of fourth order: h^4 f''''' / 30 and rounding of about 1e-16 / h, with room. */
const GRADIENT = { rel: 1e-7, abs: 1e-8 };

function inputsOf(c: RecordedOp): Inputs {
  return Object.fromEntries(c.inputs.map((input) => {
    const { shape, data } = inputData(input);
    return [input.name, ref(shape, data)];
  }));
}

/** Why a case's gradient is not what differences give, or null. */
function withoutNumericGradient({ op, attrs, note = "", inputs }: RecordedOp): string | null {
  if (/ties|at the kinks/.test(note)) return "a kink: PyTorch chooses one of many subgradients";
  if (attrs.padding_idx !== undefined) return "padding_idx takes a gradient away that is there";
  if (op === "softplus" && inputs[0].scale === 60) return "the threshold is a small step";
  if ((inputs[0].scale ?? 0) >= 800) return "saturated, or so steep that 2h is far";
  return null;
}

for (const c of recordedOps()) {
  const compute = REFERENCE[c.op];
  const name = nameOfCase(c);
  if (compute === undefined) {
    assert(SKIPPED.includes(c.op), `${c.op} has no reference and is not among those skipped`);
    continue;
  }
  Deno.test(`reference ${name}${c.note ? ` (${c.note})` : ""}`, () => {
    const inputs = inputsOf(c);
    const y = compute(inputs, c.attrs);
    assertEquals(y.shape, c.output.shape, name);
    assertGolden(y.data, c.output.values, name, FORWARD);
    const gradOut = gradOutData(c);
    if (gradOut === undefined || c.grads === undefined || withoutNumericGradient(c) !== null) return;
    const names = Object.keys(inputs);
    const wrt = Object.keys(c.grads).map((input) => names.indexOf(input));
    const f = (...xs: Ref[]): Ref => compute(Object.fromEntries(xs.map((x, i) => [names[i], x])), c.attrs);
    const grads = numericGrad(f, Object.values(inputs), ref(c.output.shape, gradOut), { wrt });
    Object.entries(c.grads).forEach(([input, want], i) => {
      assertGolden(grads[i].data, want, `${name}: gradient by ${input}`, GRADIENT);
    });
  });
}

Deno.test("the references cover every recorded operation but convolutions and pools", () => {
  const ops = new Set(recordedOps().map(({ op }) => op));
  assertEquals([...ops].filter((op) => !(op in REFERENCE)), SKIPPED);
  assertEquals(Object.keys(REFERENCE).filter((op) => !ops.has(op)), []);
});

Deno.test("the references' indices and running statistics are PyTorch's", () => {
  let checked = 0;
  for (const c of recordedOps()) {
    if (c.extra === undefined || !(c.op in REFERENCE)) continue;
    const inputs = inputsOf(c);
    const { indices, running_mean, running_var } = c.extra;
    if (c.op === "max_dim") assertEquals([...argmax(inputs.x, { axis: 1 }).data], indices.values.map(Number));
    if (c.op === "topk") assertEquals([...topk(inputs.x, 3, { axis: 1 }).indices.data], indices.values.map(Number));
    if (c.op.startsWith("batch_norm")) {
      const { running } = batchNormOf(inputs, c.attrs);
      assertGolden(running.mean.data, running_mean.values, `${nameOfCase(c)}: running mean`, FORWARD);
      assertGolden(running.variance.data, running_var.values, `${nameOfCase(c)}: running variance`, FORWARD);
    }
    checked++;
  }
  assertEquals(checked, 8);
});

Deno.test("references that PyTorch's recordings leave out, by hand", () => {
  const x = ref([2, 3], [1, NaN, 3, -2.5, 0.5, -2.5]);
  assertEquals([...argmin(x, { axis: 1 }).data], [1, 0]);
  assertEquals([...round(ref([4], [0.5, 1.5, -2.5, 2.4])).data], [0, 2, -2, 2]);
  assertEquals([...oneHot(ref([2], [2, 0]), 3).data], [0, 0, 1, 1, 0, 0]);
  assertEquals(split(x, [1, 2], { axis: 1 }).map(({ shape, data }) => [shape, [...data]]), [
    [[2, 1], [1, -2.5]],
    [[2, 2], [NaN, 3, 0.5, -2.5]],
  ]);
  assertEquals(squeeze(ref([1, 2, 1], [1, 2])).shape, [2]);
  assertEquals(squeeze(ref([1, 2, 1], [1, 2]), 0).shape, [2, 1]);
  assertEquals([...cumsum(ref([2, 2], [1, 2, 3, 4]), { axis: 0 }).data], [1, 2, 4, 6]);
  assertThrows(() => add(ref([2], [1, 2]), ref([3], [1, 2, 3])), Error, "do not fit");
});

Deno.test("numericGrad finds the gradient of a product", () => {
  const [a, b] = [ref([2], [3, -2]), ref([], [5])];
  const [da, db] = numericGrad(mul, [a, b], ref([2], [1, 10]));
  [5, 50].forEach((want, i) => assertAlmostEquals(da.data[i], want, 1e-9));
  assertAlmostEquals(db.data[0], 3 - 20, 1e-9);
});

Deno.test("fill makes the recordings' numbers", () => {
  const want = [-0.654158731456846, 0.096091808285564184, 0.40175898326560855, 0.7039414863102138, 0.18676357017830014];
  assertEquals([...fill(1, 5)], want);
});

Deno.test("assertGolden names the case and the worst element", () => {
  assertGolden([1, NaN, Infinity], [1 + 1e-6, NaN, Infinity], "near");
  assertThrows(
    () => assertGolden([1, 2.1, 2.5], [1, 2, 2], "add [3]"),
    Error,
    "add [3]: element 2 of 3 is 2.5, recorded 2",
  );
  assertThrows(() => assertGolden([NaN], [1], "nan"), Error, "element 0 of 1 is NaN");
  assertThrows(() => assertGolden([1], [1, 2], "short"), Error, "got 1 elements, want 2");
});
