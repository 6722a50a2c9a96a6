/**
 * A prediction that is NaN is no class: it is refused, with the cause.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../../src/base/errors.ts";
import { DataLoaders } from "../../src/data/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { Rng, tensor } from "../../src/tensor/mod.ts";
import { silentLogger } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";

onDevices("an item with NaN, and weights that are none, have no prediction", async () => {
  const x = { data: new Rng(1).uniformArray(30), shape: [10, 3] };
  const y = { data: Int32Array.from({ length: 10 }, (_, i) => i % 2), shape: [10] };
  const model = new nn.Linear(3, 2, { rng: new Rng(2) });
  const learn = new Learner(DataLoaders.fromArrays({ x, y }, { bs: 4 }), model, {
    lossFunc: new nn.CrossEntropyLoss(),
    logger: silentLogger,
  });
  assertEquals((await learn.predict(tensor([1, 2, 3]))).pred.shape, [2]);
  await assertRejects(() => learn.predict(tensor([1, NaN, 3])), DataError, "the item has NaN at element 1");
  await assertRejects(() => learn.predict(tensor([1, 2, -Infinity])), DataError, "has -Infinity at element 2");
  model.weight.assign(model.weight.mul(NaN));
  await assertRejects(() => learn.predict(tensor([1, 2, 3])), DataError, "the model's weights have none");
});
