/**
 * Training in half precision: PyTorch's losses and scales, steps that are skipped, and what else happens at a step.
 */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  GradientAccumulation,
  GradientClip,
  MixedPrecision,
  type MixedPrecisionOptions,
} from "../../src/callbacks/mod.ts";
import { bfloatToFloat, floatToBfloat, roundToHalf } from "../../src/base/half.ts";
import { encodeSafetensors, openSafetensors, parseSafetensors } from "../../src/io/safetensors.ts";
import { hostTensors } from "../../src/io/tensors.ts";
import { DataLoaders } from "../../src/data/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { Adam, Lamb, Lookahead, RAdam, SGD } from "../../src/optim/mod.ts";
import { autocast, deviceStats, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { Callback, type CallbackLike, CancelStep, type TrainLoopOptions } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";
import golden from "../golden/mixed_precision.json" with { type: "json" };

const lines: string[] = [];
const logger = { line: (text: string) => void lines.push(text) };

type Net = nn.Sequential;

/** The network and the data of the recording. */
function learnerOf(options: TrainLoopOptions<Net> = {}, pixels = fillF32(1, 64 * 64)): Learner<Net> {
  lines.length = 0;
  const x = { data: pixels, shape: [64, 1, 8, 8] };
  const y = { data: Int32Array.from({ length: 64 }, (_, i) => i * 5 % 4), shape: [64] };
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 16, shuffle: false });
  const model = new nn.Sequential(
    new nn.Conv2d(1, 6, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(96, 24),
    new nn.GELU(),
    new nn.Linear(24, 4),
  );
  model.parameters().forEach((p, i) => p.assign(tensor(fillF32(40 + i, p.size, 0.2), { shape: p.shape })));
  return new Learner(dls, model, {
    lossFunc: new nn.CrossEntropyLoss(),
    optFunc: Adam.with({ wd: 0 }),
    lr: 2e-3,
    logger: { ...logger, progress() {}, table() {} } as unknown as TrainLoopOptions<Net>["logger"] & object,
    ...options,
  });
}

const weightsOf = async ({ model }: Learner<Net>): Promise<number[]> =>
  (await Promise.all(model.parameters().map((p) => p.data()))).flatMap((d) => [...d]);
const told = (part: string): string[] => lines.filter((line) => line.includes(part));

/** Numbers of the mixed precision of a fit. */
async function fitOf(
  learn: Learner<Net>,
  nEpoch: number,
  options: MixedPrecisionOptions = {},
  cbs: CallbackLike[] = [],
) {
  const mixed = new MixedPrecision(options);
  await learn.fit(nEpoch, { cbs: [mixed, ...cbs] });
  return mixed;
}

onDevices("100 steps have the losses of PyTorch's autocast, to what f16 itself changes", async () => {
  for (const [want, initScale] of [[golden.f16, 65536], [golden.overflowing, 2 ** 24]] as const) {
    const learn = learnerOf();
    const mixed = await fitOf(learn, 25, { initScale, growthInterval: 40 });
    assertEquals(mixed.scales, want.scales);
    learn.recorder.rawLosses.forEach((loss, i) => assertAlmostEquals(loss, want.losses[i], 3 * CHANGED, `step ${i}`));
    const skipped = want.scales.filter((s, i) => s < (i === 0 ? initScale : want.scales[i - 1])).length;
    assertEquals([mixed.skipped, learn.recorder.skipped], [skipped, skipped]);
    if (skipped > 0) assertEquals(told(`${skipped} of 100 step`).length, 1, lines.join("\n"));
    assert(learn.steps.count > 80, `${learn.steps.count} of 100 steps were replayed`);
  }
}, { kinds: ["cpu", "webgpu"] });

onDevices("a first step that is skipped has not happened: weights, statistics and step counts", async () => {
  for (const optFunc of [Adam, SGD.with({ mom: 0.9 }), Lookahead(Adam, { k: 2 })]) {
    const learn = learnerOf({ optFunc });
    const before = await weightsOf(learn);
    const first: number[][] = [];
    class Look extends Callback {
      override async afterBatch(): Promise<void> {
        if (this.learn.training && first.length === 0) first.push(await weightsOf(learn));
      }
    }
    // the first of five overflows, and its scale leaves four that do not
    const mixed = await fitOf(learn, 1, { initScale: 2 ** 24, backoffFactor: 2 ** -14 }, [Look]);
    assertEquals([mixed.skipped, mixed.scale, first[0]], [1, 1024, before]);
    const after = await weightsOf(learn);
    const plain = learnerOf({ optFunc });
    // the same steps without the first
    class Skip extends Callback {
      override beforeStep(): void {
        if (this.learn.iter === 0) throw new CancelStep();
      }
    }
    await fitOf(plain, 1, { initScale: 1024 }, [Skip]);
    assertEquals(after, await weightsOf(plain));
  }
}, { kinds: ["cpu"] });

onDevices("replayed steps have the bits of built ones, and another scale needs no other program", async () => {
  const run = async (enabled: boolean) => {
    const learn = learnerOf();
    learn.steps.enabled = enabled;
    await fitOf(learn, 2, { initScale: 2 ** 21, growthInterval: 2 });
    const { programs } = deviceStats();
    const mixed = await fitOf(learn, 3, { initScale: 2 ** 21, growthInterval: 2 });
    return { weights: await weightsOf(learn), scales: mixed.scales.length, more: deviceStats().programs - programs };
  };
  const replayed = await run(true), built = await run(false);
  assertEquals(replayed.weights, built.weights);
  assertEquals([replayed.scales, replayed.more], [12, 0]);
}, { kinds: ["cpu"] });

onDevices("gradients are clipped once they are those of the loss, and add up over batches", async () => {
  const run = async (cbs: () => Callback[], half: boolean) => {
    const learn = learnerOf({ optFunc: SGD, lr: 0.5 });
    await learn.fit(1, { cbs: [...(half ? [new MixedPrecision({ lossScale: 4096 })] : []), ...cbs()] });
    return await weightsOf(learn);
  };
  for (const cbs of [() => [new GradientClip(0.01)], () => [new GradientAccumulation(32)]]) {
    const [half, wide] = [await run(cbs, true), await run(cbs, false)];
    half.forEach((w, i) => assertAlmostEquals(w, wide[i], 2e-3));
  }
}, { kinds: ["cpu"] });

onDevices("who measures gradients while they add up changes nothing, and sees them without the scale", async () => {
  const run = async (half: boolean) => {
    const norms: number[] = [];
    class Measure extends Callback {
      override async afterBackward(): Promise<void> {
        norms.push(await this.learn.opt.gradNorm().item());
      }
      override async afterStep(): Promise<void> {
        norms.push(await this.learn.opt.gradNorm().item());
      }
    }
    const learn = learnerOf({ optFunc: SGD, lr: 0.5 });
    const cbs = [new Measure(), new GradientAccumulation(32)];
    await learn.fit(1, { cbs: half ? [new MixedPrecision({ lossScale: 4096 }), ...cbs] : cbs });
    return { norms, weights: await weightsOf(learn) };
  };
  const [half, wide] = [await run(true), await run(false)];
  assertEquals(half.norms.length, 6);
  half.norms.forEach((norm, i) => assertAlmostEquals(norm, wide.norms[i], 4e-3 * wide.norms[i]));
  half.weights.forEach((w, i) => assertAlmostEquals(w, wide.weights[i], 2e-3));
}, { kinds: ["cpu"] });

/** What f16 changes in losses of this network, as PyTorch has it. */
const CHANGED = Math.max(...golden.f32.map((loss, i) => Math.abs(loss - golden.f16.losses[i])));

onDevices(
  "every optimizer has its losses of f32 by fitFlatCos and fineTune, with clipped gradients and frozen groups",
  async () => {
    for (const optFunc of [SGD.with({ mom: 0.9 }), Adam, Lamb, RAdam]) {
      const run = async (half: boolean) => {
        const splitter = (m: Net) => [m.parameters().slice(0, 2), m.parameters().slice(2)];
        const learn = learnerOf({ optFunc, splitter });
        if (half) learn.toFp16();
        const first = await weightsOf(learn);
        await learn.fitFlatCos(1);
        const { rawLosses } = learn.recorder;
        await learn.fineTune(2, { cbs: [new GradientClip(0.5)] });
        const after = await weightsOf(learn);
        assert([3, 2000].every((i) => after[i] !== first[i]), "both groups were trained at last");
        return [...rawLosses, ...learn.recorder.rawLosses];
      };
      const [half, wide] = [await run(true), await run(false)];
      half.forEach((loss, i) => assertAlmostEquals(loss, wide[i], 3 * CHANGED, `step ${i}`));
      assert(half.some((loss, i) => loss !== wide[i]), "nothing was rounded");
    }
  },
  { kinds: ["cpu"] },
);

onDevices("gradients below what f16 has are 0 without a scale, and are there with one", async () => {
  const moved = async (lossScale: number) => {
    const learn = learnerOf({ optFunc: SGD, lr: 1e9, lossFunc: (pred: Tensor) => pred.mul(1e-9).mean() });
    const before = await weightsOf(learn);
    await fitOf(learn, 1, { lossScale });
    return (await weightsOf(learn)).filter((w, i) => w !== before[i]).length;
  };
  assertEquals([await moved(1), await moved(2 ** 16) > 500], [0, true]);
}, { kinds: ["cpu"] });

onDevices("a fit of which every step is skipped ends with an error that says so", async () => {
  const large = fillF32(1, 64 * 64).map((v) => v * 1e6); // beyond f16 as inputs of the first product
  const learn = learnerOf({}, large);
  const before = await weightsOf(learn);
  await assertRejects(
    () => fitOf(learn, 1),
    Error,
    "Cannot train in half precision: all 4 steps of the fit were skipped",
  );
  await assertRejects(() => fitOf(learn, 20), Error, "32 steps in a row were skipped");
  assertEquals(await weightsOf(learn), before);
  assertEquals((await autocast(() => tensor([[300]]).matmul(tensor([[300]]))).data())[0], Infinity);
  await learn.fit(1); // f32 again, and nothing is left of the scale
  assertEquals((await weightsOf(learn)).every(Number.isFinite), true);
}, { kinds: ["cpu"] });

onDevices("toFp16 and toFp32, finder and validation", async () => {
  const learn = learnerOf().toFp16({ initScale: 2 ** 24, backoffFactor: 2 ** -14 });
  await learn.fit(1);
  const mixed = learn.findCb(MixedPrecision)!,
    known = () => [mixed.scale, mixed.skipped, mixed.scales, learn.recorder.skipped];
  const before = structuredClone(known());
  await learn.lrFind({ numIt: 9 });
  assertEquals(known(), before);
  assertEquals(learn.toFp16({ lossScale: 128 }).cbs.filter((cb) => cb instanceof MixedPrecision).length, 1);
  const { valley, curve } = await learn.lrFind({ numIt: 20 });
  assert((valley === null || valley > 0) && curve.losses.length > 10);
  await learn.fitOneCycle(1);
  assertEquals(learn.findCb(MixedPrecision)!.scale, 128);
  const [half] = await learn.validate();
  const { preds } = await learn.getPreds(), one = await learn.predict(tensor(fillF32(1, 64), { shape: [1, 8, 8] }));
  assertEquals([preds.dtype, autocast(() => 1)], ["f32", 1]);
  assertEquals(tensor([[1]]).matmul(tensor([[1]])).dtype, "f32");
  const [wide] = await learn.toFp32().validate(),
    again = await learn.predict(tensor(fillF32(1, 64), { shape: [1, 8, 8] }));
  assertEquals(await one.pred.data(), await again.pred.data());
  assertEquals(learn.findCb(MixedPrecision), null);
  assertAlmostEquals(half!, wide!, 2e-3);
  assert(half !== wide, "validation was in f32");
}, { kinds: ["cpu"] });

onDevices("a loss is scaled once: a second MixedPrecision is refused, and the first one stays", async () => {
  const learn = learnerOf().toFp16({ lossScale: 1024 });
  await assertRejects(
    () => learn.fit(1, { cbs: [new MixedPrecision({ lossScale: 512 })] }),
    Error,
    "Cannot train with two MixedPrecision: a loss has one scale",
  );
  await learn.fit(1);
  assertEquals(learn.findCb(MixedPrecision)!.scale, 1024);
}, { kinds: ["cpu"] });

onDevices("what is saved after a step that was skipped counts the steps that were taken", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const learn = learnerOf();
    class Save extends Callback {
      override async afterBatch(): Promise<void> {
        if (this.learn.training && this.learn.iter < 2) await learn.save(`${dir}/${this.learn.iter}`);
      }
    }
    await fitOf(learn, 1, { initScale: 2 ** 24, backoffFactor: 2 ** -14 }, [new Save()]);
    const steps: unknown[] = [];
    for (const i of [0, 1]) {
      await learn.load(`${dir}/${i}`);
      steps.push(...learn.opt.stateDict().state.map(({ step = 0 }) => step));
    }
    assertEquals(steps, [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}, { kinds: ["cpu"] });

Deno.test("what MixedPrecision refuses", () => {
  for (
    const [options, text] of [
      [{ lossScale: 0 }, "Cannot make MixedPrecision with lossScale 0: it must be a finite number above 0"],
      [{ lossScale: 8, initScale: 4 }, "both lossScale and initScale: a lossScale does not move"],
      [{ backoffFactor: 2 }, "backoffFactor 2: it must be above 0 and at most 1"],
      [{ growthInterval: 0.5 }, "growthInterval 0.5: it must be a whole number above 0"],
    ] as const
  ) assertThrows(() => new MixedPrecision(options), Error, text);
});

onDevices("weights are saved in 16 bits, tensors of f16 as they are, and load again", async () => {
  const dir = await Deno.makeTempDir();
  try {
    for (const [dtype, type, rounded] of [["f16", "F16", roundToHalf], ["bf16", "BF16", toBfloat]] as const) {
      const learn = learnerOf();
      await learn.fit(1);
      const before = await weightsOf(learn);
      const path = await learn.save(`${dir}/${dtype}`, { dtype });
      const file = await openSafetensors(path);
      assertEquals(file.info("0.weight"), { dtype: type, shape: [6, 1, 3, 3] });
      await learn.load(path);
      assertEquals(await weightsOf(learn), before.map(rounded));
    }
    const out = await hostTensors(new Map([["x", tensor([0.1, 65504], { dtype: "f16" })]]));
    const file = await parseSafetensors(joined(encodeSafetensors(out)));
    assertEquals([file.info("x").dtype, [...(await file.tensor("x")).data]], ["F16", [0.1, 65504].map(roundToHalf)]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}, { kinds: ["cpu"] });

const toBfloat = (x: number): number => bfloatToFloat(floatToBfloat(Float32Array.of(x)))[0];

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
