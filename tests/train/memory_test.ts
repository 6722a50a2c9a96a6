/**
 * What a fit costs the device: in the steady state nothing is compiled, and memory stays level.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { DataLoader, DataLoaders } from "../../src/data/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { accuracy, silentLogger } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32, fillInts } from "../support/fill.ts";

const model = () => new nn.Linear(4, 220);
const lossFunc = new nn.CrossEntropyLoss();

onDevices("1,000 steps on resident data leave as many bytes as before, and compile nothing", async (device) => {
  const x = { data: fillF32(1, 100 * 4), shape: [100, 4] }, y = { data: fillInts(2, 100, 200), shape: [100] };
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 20, seed: 1 }); // predictions of 17 KB
  const learn = new Learner(dls, model(), { lossFunc, metrics: [accuracy], logger: silentLogger });
  await learn.fitOneCycle(20);
  const before = device.stats();
  await learn.fitOneCycle(200);
  const after = device.stats();
  assertEquals(after.runs - before.runs, 200 * 10, "one program a batch");
  assertEquals(after.programs, before.programs);
  assertEquals(after.reads - before.reads, 200, "one read an epoch");
  assertEquals(after.liveBytes, before.liveBytes);
  assertEquals(after.peakBytes, before.peakBytes);
}, { kinds: ["reference", "cpu"] });

onDevices("the finder runs the program of an ordinary fit", async (device) => {
  const x = { data: fillF32(1, 100 * 4), shape: [100, 4] }, y = { data: fillInts(2, 100, 200), shape: [100] };
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 20, seed: 1 });
  const learn = new Learner(dls, model(), { lossFunc, logger: silentLogger });
  await learn.fit(2);
  const { programs } = device.stats();
  await learn.lrFind({ numIt: 20 });
  const once = device.stats().programs;
  await learn.lrFind({ numIt: 20 });
  await learn.fit(2);
  assertEquals(device.stats().programs, once);
  assertEquals(once - programs, 3, "copies of the weights and of the statistics, and their way back");
}, { kinds: ["reference", "cpu"] });

onDevices("batches that are made one by one are given back", async (device) => {
  const items = (n: number, seed: number) => ({
    length: n,
    get: (i: number) => [fillF32(seed + i, 4), i % 200],
  });
  const loader = (n: number, seed: number) => new DataLoader({ dataset: items(n, seed), bs: 20, seed: 1 });
  const learn = new Learner(new DataLoaders(loader(100, 100), loader(20, 5000)), model(), {
    lossFunc,
    logger: silentLogger,
  });
  await learn.fit(4);
  const before = device.stats().liveBytes;
  await learn.fit(20);
  assertEquals(device.stats().liveBytes, before);
}, { kinds: ["reference", "cpu"] });
