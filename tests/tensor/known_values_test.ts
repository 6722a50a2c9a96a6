/**
 * Every check of indices and labels behind every operation that makes or moves them: what is right is computed, whatever
 * was left behind; what is wrong is an error, or shows in the result.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { AnnealError, DataError, ShapeError } from "../../src/base/errors.ts";
import { DataLoader } from "../../src/data/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { arange, ops, Rng, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { assertClose } from "./golden_cases.ts";

const CLASSES = 3;
/** A column of which each element is a class, and one of which none is; each has what the other must not take. */
const RIGHT = [0, 1, 2], WRONG = [8, 7, 6];
const TABLE = tensor(Int32Array.of(0, 8, 1, 7, 2, 6), { shape: [3, 2] });

const { cat, oneHot, stack, where } = ops;
const plain = (values: readonly number[]) => tensor(Int32Array.from(values));
const column = (i: number) => TABLE.slice([null, [i, i + 1]]).reshape([3]);

/** Ways to the column `i` of {@link TABLE}; `known` where the host can tell its values. */
const MADE: Record<string, { known: boolean; make: (i: number) => Tensor | Promise<Tensor> }> = {
  "as given": { known: true, make: (i) => plain([RIGHT, WRONG][i]) },
  "u8": { known: true, make: (i) => tensor(Uint8Array.from([RIGHT, WRONG][i])) },
  "a slice": { known: true, make: column },
  "a slice of a slice": {
    known: true,
    make: (i) => TABLE.slice([[0, 3], [i, i + 1]]).slice([null, [0, 1]]).squeeze(1),
  },
  "flipped twice": { known: true, make: (i) => column(i).flip().flip() },
  "a flipped table": { known: true, make: (i) => TABLE.flip([1]).slice([null, [1 - i, 2 - i]]).reshape([3]) },
  "every other element": { known: true, make: (i) => TABLE.reshape([6]).slice([[i, 6, 2]]) },
  "from the end": { known: true, make: (i) => TABLE.reshape([6]).slice([[4 + i, null, -2]]).flip() },
  "transposed": { known: true, make: (i) => TABLE.transpose(0, 1).slice([[i, i + 1]]).reshape([3]) },
  "expanded": {
    known: true,
    make: (i) => TABLE.unsqueeze(0).expand([2, 3, 2]).slice([[1, 2], null, [i, i + 1]]).reshape([3]),
  },
  "gathered": {
    known: true,
    make: (i) => TABLE.gather(tensor(Int32Array.of(i, i, i), { shape: [3, 1] }), { axis: 1 }).squeeze(1),
  },
  "selected": { known: true, make: (i) => TABLE.indexSelect(plain([i]), { axis: 1 }).squeeze(1) },
  "rows selected": { known: true, make: (i) => column(i).indexSelect(plain([2, 1, 0]), { axis: 0 }).flip() },
  "detached": { known: true, make: (i) => column(i).detach() },
  "u32": { known: true, make: (i) => column(i).cast("u32") },
  "by way of f32": { known: true, make: (i) => column(i).cast("f32").cast("i32") },
  "a loader's batch": {
    known: true,
    make: async (i) => {
      for await (const [t] of new DataLoader<[Tensor]>({ columns: [{ tensor: TABLE }], bs: 3 })) {
        return t.slice([null, [i, i + 1]]).squeeze(1);
      }
      throw new Error("no batch");
    },
  },
  "f32 cast": { known: false, make: (i) => tensor(Float32Array.from([RIGHT, WRONG][i])).cast("i32") },
  "a choice": { known: false, make: (i) => where(tensor([i === 0, i === 0, i === 0]), column(0), column(1)) },
  "masked": { known: false, make: (i) => column(1).mul(i).add(column(0).mul(1 - i)) },
  "the least": { known: false, make: (i) => i === 0 ? TABLE.min({ axis: 1 }) : TABLE.max({ axis: 1 }) },
  "a difference": { known: false, make: (i) => column(i).sub(0) },
  "negative": { known: false, make: (i) => column(0).sub(3 * i) },
  "counted": { known: false, make: (i) => TABLE.slice([null, [i, i + 1]]).sum({ axis: 1 }).cast("i32") },
  "one after the other": { known: false, make: (i) => cat([column(i).slice([[0, 1]]), column(i).slice([[1, 3]])]) },
  "stacked": { known: false, make: (i) => stack([column(1 - i), column(i)]).slice([[1, 2]]).reshape([3]) },
  "padded": {
    known: false,
    make: (i) => i === 0 ? column(0).slice([[1, 3]]).pad([[1, 0]]) : column(1).slice([[1, 3]]).pad([[0, 1]]),
  },
  "clamped": { known: false, make: (i) => i === 0 ? column(0).clamp({ min: 0, max: 2 }) : column(1).clamp({ min: 3 }) },
  "rolled": { known: false, make: (i) => column(i).roll(1).roll(-1) },
  "added up": { known: false, make: (i) => plain([i * 3, 1, 1]).cumsum({ axis: 0 }) },
  "of an argmax": {
    known: false,
    make: (i) => oneHot(plain([RIGHT, WRONG][i]), 9).argmax({ axis: 1 }), // of 9, of which only 3 are taken
  },
  "sorted": { known: false, make: (i) => column(i).topk(3).values.flip() },
  "read before": {
    known: false,
    make: async (i) => {
      const t = column(i);
      await t.data();
      return t;
    },
  },
};

const numbers = (shape: readonly number[]) =>
  tensor(new Rng(3).uniformArray(shape.reduce((a, b) => a * b, 1)), { shape });
const logits = numbers([3, CLASSES]), images = numbers([1, CLASSES, 3]);
const floats = numbers([CLASSES, 2]), whole = tensor(Int32Array.of(4, 5, 6));

/** What takes indices or labels of {@link CLASSES}. */
const CHECKED: Record<string, (t: Tensor) => Tensor> = {
  "oneHot": (t) => oneHot(t, CLASSES),
  "oneHot of f32": (t) => oneHot(t, CLASSES, { dtype: "f32" }),
  "Embedding": (t) => new nn.Embedding(CLASSES, 2, { rng: new Rng(1) }).forward(t),
  "Embedding with padding": (t) => new nn.Embedding(CLASSES, 2, { rng: new Rng(1), paddingIdx: 1 }).forward(t),
  "indexSelect": (t) => floats.indexSelect(t, { axis: 0 }),
  "indexSelect of whole numbers": (t) => whole.indexSelect(t, { axis: 0 }),
  "gather": (t) => floats.gather(t.unsqueeze(1), { axis: 0 }),
  "gather of whole numbers": (t) => whole.gather(t, { axis: 0 }),
  "scatterAdd": (t) => floats.scatterAdd(t.unsqueeze(1), numbers([3, 2]), { axis: 0 }),
  "CrossEntropyLoss": (t) => new nn.CrossEntropyLoss().forward(logits, t),
  "CrossEntropyLoss, each": (t) => new nn.CrossEntropyLoss({ reduction: "none" }).forward(logits, t),
  "CrossEntropyLoss, smoothed": (t) => new nn.CrossEntropyLoss({ labelSmoothing: 0.1 }).forward(logits, t),
  "CrossEntropyLoss, weighted": (t) => new nn.CrossEntropyLoss({ weight: numbers([3]) }).forward(logits, t),
  "CrossEntropyLoss, some ignored": (t) => new nn.CrossEntropyLoss({ ignoreIndex: 7 }).forward(logits, t),
  "LabelSmoothingCrossEntropy": (t) => new nn.LabelSmoothingCrossEntropy().forward(logits, t),
  "NLLLoss": (t) => new nn.NLLLoss().forward(logits, t),
  "FocalLoss": (t) => new nn.FocalLoss().forward(logits, t),
  "DiceLoss": (t) => new nn.DiceLoss().forward(images, t.unsqueeze(0)),
};

/** Whether a result says that an index was no index. */
function shows(values: ArrayLike<number>, dtype: string): boolean {
  return Array.from(values).some((v) => Number.isNaN(v) || dtype === "i32" && v === -(2 ** 31));
}

for (const [how, { known, make }] of Object.entries(MADE)) {
  onDevices(`indices ${how}: what is right is computed, what is wrong shows`, async () => {
    assertEquals(Array.from(await (await make(0)).data()), RIGHT);
    for (const [what, check] of Object.entries(CHECKED)) {
      const got = check(await make(0)), want = check(plain(RIGHT));
      assertClose(await got.data(), Float64Array.from(await want.data() as ArrayLike<number>), what);
      const run = async () => {
        const y = check(await make(1));
        assert(!known, `${what} took ${WRONG} and said nothing before it was computed`);
        // a flag has no number that says it: the row is false
        const values = await y.data();
        assert(y.dtype === "bool" ? !Array.from(values).some(Boolean) : shows(values, y.dtype), `${what}: ${values}`);
      };
      if (known) {
        const error = await assertRejects(run, AnnealError);
        assert(error instanceof (/Loss|Smoothing/.test(what) ? DataError : ShapeError), `${what}: ${error}`);
      } else await run();
    }
  });
}

Deno.test("a bound that some element left behind is no fault, one that is an element is told at once", async () => {
  await assertRejects(
    async () => await oneHot(arange(4), 3).data(),
    ShapeError,
    "Cannot encode element 3 of 3: indices go from 0 to 2",
  );
  await assertRejects(async () => await oneHot(column(1), 3).data(), ShapeError, "Cannot encode element 8 of 3");
  assertEquals((await oneHot(arange(9).slice([[2, 3]]), 3).data()).length, 3);
});
