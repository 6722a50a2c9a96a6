/**
 * The hardest items.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { DataLoaders } from "../../src/data/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import { topLosses } from "../../src/live/top_losses.ts";
import * as nn from "../../src/nn/mod.ts";
import { type Tensor, tensor } from "../../src/tensor/mod.ts";
import { silentLogger } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";

const N = 23, SIDE = 6;

/** Pictures whose first pixel is their number; the model gives it, so the squared error is known. */
function numbered(shape: number[], lossFunc: nn.MSELoss | ((p: Tensor, y: Tensor) => Tensor) = new nn.MSELoss()) {
  const size = shape.reduce((a, b) => a * b, 1);
  const x = { data: new Float32Array(N * size), shape: [N, ...shape] };
  for (let i = 0; i < N; i++) x.data[i * size] = i;
  const y = { data: Float32Array.from({ length: N }, (_, i) => i + (i * 7 % N) / 10), shape: [N] };
  class First extends nn.Module {
    readonly one = new nn.Linear(1, 1);
    override forward(x: Tensor): Tensor {
      return x.reshape([x.shape[0], -1]).slice([null, [0, 1]]).mul(this.one.weight).reshape([-1]);
    }
  }
  const model = new First();
  model.one.weight.assign(tensor([[1]]));
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 5 });
  return new Learner(dls, model, { lossFunc, logger: silentLogger });
}

onDevices("topLosses finds the items with the largest losses, over all batches", async () => {
  for (const shape of [[SIDE, SIDE], [1, SIDE, SIDE], [3, SIDE, SIDE]]) {
    const { items, note } = await topLosses(numbered(shape), 4);
    const by = Array.from({ length: N }, (_, i) => ({ i, off: (i * 7 % N) / 10 })).sort((a, b) => b.off - a.off);
    assertEquals(note, "");
    assertEquals(items.length, 4);
    items.forEach(({ title, loss, src }, k) => {
      const { i, off } = by[k];
      assertEquals(title.split(",")[0], String(i));
      assertEquals(Math.abs(loss - off ** 2) < 1e-4, true, `${loss} for ${off ** 2}`);
      assertEquals(src.startsWith("data:image/png;base64,iVBOR"), true);
    });
  }
});

onDevices("topLosses says why there is nothing to show", async () => {
  assertEquals((await topLosses(numbered([SIDE]), 4)).note, "The inputs are no pictures.");
  assertEquals((await topLosses(numbered([2, SIDE, SIDE]), 4)).note, "The inputs are no pictures.");
  const plain = numbered([SIDE, SIDE], (p, y) => p.sub(y).square().mean());
  assertEquals((await topLosses(plain, 4)).note.startsWith("The loss is a plain function"), true);
  assertEquals((await topLosses(numbered([SIDE, SIDE]), 99)).items.length, N);
}, { kinds: ["reference"] });
