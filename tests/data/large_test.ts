/**
 * Arrays that are larger than what the device allocates at once: their batches are cut out on the host.
 */
import { assertEquals } from "@std/assert";
import { DataLoaders } from "../../src/data/mod.ts";
import { Learner } from "../../src/learner/mod.ts";

import * as nn from "../../src/nn/mod.ts";
import { currentDevice, readAll, setSeed } from "../../src/tensor/mod.ts";
import { silentLogger } from "../../src/train/mod.ts";
import { fillF32 } from "../support/fill.ts";
import { onDevices } from "../support/devices.ts";

/** Runs `body` while the device says that it allocates `bytes` at most. */
async function atMost<T>(bytes: number, body: () => Promise<T>): Promise<T> {
  const device = currentDevice()!, { profile } = device;
  Object.defineProperty(device, "profile", { value: { ...profile, maxBufferBytes: bytes }, configurable: true });
  try {
    return await body();
  } finally {
    Object.defineProperty(device, "profile", { value: profile, configurable: true });
  }
}

onDevices("large arrays train to the same bits, normalized, u8 and labels too", async () => {
  const n = 60;
  const floats = { data: fillF32(1, n * 6), shape: [n, 6] };
  const bytes = { data: Uint8Array.from({ length: n * 6 }, (_, i) => i * 37), shape: [n, 6] };
  const y = { data: Int32Array.from({ length: n }, (_, i) => i % 2), shape: [n] };
  for (const x of [floats, bytes]) {
    const train = async () => {
      setSeed(1);
      const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 8, seed: 2, normalize: true });
      const learn = new Learner(dls, new nn.Linear(6, 2), {
        lossFunc: new nn.CrossEntropyLoss(),
        logger: silentLogger,
      });
      await learn.fit(2);
      const facts = await dls.train.fingerprint();
      return {
        weights: await readAll(learn.model.parameters()),
        rows: learn.recorder.rows.map((r) => r.valid_loss),
        facts,
        dls,
      };
    };
    const whole = await train();
    const cut = await atMost(200, train);
    assertEquals(cut.weights, whole.weights);
    assertEquals(cut.rows, whole.rows);
    assertEquals(cut.facts, whole.facts, "checksums do not say where the array lies");
    const [xb] = [...cut.dls.valid][0], [want] = [...whole.dls.valid][0];
    assertEquals(await xb.data(), await want.data());
  }
}, { kinds: ["cpu", "webgpu"] });
