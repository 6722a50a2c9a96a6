/**
 * Body, head and groups of a vision learner against fastai's.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConfigError } from "../../src/base/errors.ts";
import * as nn from "../../src/nn/mod.ts";
import { slice } from "../../src/optim/mod.ts";
import { readAll, Rng, setSeed, type Tensor, zeros } from "../../src/tensor/mod.ts";
import { silentLogger } from "../../src/train/mod.ts";
import { ImageDataLoaders, Resize } from "../../src/vision/data/mod.ts";
import { type VisionLearner, visionLearner } from "../../src/vision/mod.ts";
import {
  createBody,
  createHead,
  createVisionModel,
  defaultSplit,
  resnet18,
  splitterOf,
  xresnet18,
} from "../../src/vision/models/mod.ts";
import { onDevices } from "../support/devices.ts";
import { loadGolden } from "../support/golden.ts";
import { inFolder, noise, writePng } from "./support/images.ts";

interface RecordedLayer {
  readonly name: string;
  readonly class: string;
  readonly repr: string | null;
  readonly params: readonly (readonly [string, readonly number[]])[];
}

interface RecordedState {
  readonly index: number;
  readonly name: string;
  readonly keys: readonly string[];
  readonly doWd: boolean;
  readonly forceTrain: boolean;
  readonly step: number | null;
  readonly gradAvg: readonly number[] | null;
}

interface Golden {
  readonly createHead512x2: readonly RecordedLayer[];
  readonly createHead512x2linFtrs: readonly RecordedLayer[];
  readonly groups: { readonly resnetSplit: readonly number[]; readonly defaultSplit: readonly number[] };
  readonly bodyChildren: readonly (readonly [number, string])[];
  readonly stateDict: readonly (readonly [string, readonly number[]])[];
  readonly headInit: {
    readonly constants: Readonly<Record<string, number>>;
    readonly bodyConstants: Readonly<Record<string, number>>;
    readonly linear: Readonly<Record<string, { readonly expectedStd: number }>>;
  };
  readonly vocab: readonly string[];
  readonly trainableInitially: number;
  readonly trainableAfterFreeze: readonly string[];
  readonly optBeforeFit: readonly RecordedState[];
  readonly optAfterFrozenFit: readonly RecordedState[];
  readonly optAfterUnfrozenFit: readonly RecordedState[];
  readonly hypers: readonly Readonly<Record<string, number>>[];
  readonly hypersUnfrozen: readonly Readonly<Record<string, number>>[];
  readonly "hypersAfterFitOneCycleSlice1e-5to1e-3": readonly Readonly<Record<string, number>>[];
}

const golden = loadGolden<Golden>("vision_head.json");

/** Layers as the recording lists them: containers without their innards' parameters. */
function layersOf(head: nn.Sequential): { name: string; class: string; params: [string, readonly number[]][] }[] {
  return [...head.namedModules()].map(([name, m]) => ({
    name: name === "" ? "(root)" : name,
    class: m.constructor.name,
    params: Object.entries(m).flatMap(([key, value]): [string, readonly number[]][] =>
      value instanceof nn.Parameter ? [[key, value.shape]] : []
    ),
  }));
}

const HEADS = [
  ["two outputs", golden.createHead512x2, createHead(512, 2)],
  ["own sizes", golden.createHead512x2linFtrs, createHead(512, 3, { linFtrs: [256, 128], ps: 0.4 })],
] as const;

for (const [what, recorded, head] of HEADS) {
  Deno.test(`createHead() has fastai's layers: ${what}`, () => {
    const want = recorded.map(({ name, class: kind, params }) => ({ name, class: kind, params }));
    assertEquals<unknown>(layersOf(head), want);
    for (const { name, repr } of recorded) {
      const p = repr?.match(/^Dropout\(p=([\d.]+)/)?.[1], found = head.namedModules().get(name);
      if (p !== undefined) assert(found instanceof nn.Dropout && found.p === Number(p), name);
    }
  });
}

Deno.test("createVisionModel() has fastai's names, first values and groups", async () => {
  const model = await createVisionModel(resnet18, 2, { pretrained: false, rng: new Rng(4) });
  const state = model.stateDict();
  assertEquals([...state.keys()], golden.stateDict.map(([name]) => name));
  for (const [name, shape] of golden.stateDict) assertEquals(state.get(name)!.shape, shape, name);
  assertEquals<unknown>(model.at(0).children().map((m, i) => [i, m.constructor.name]), golden.bodyChildren);
  const { constants, bodyConstants, linear } = golden.headInit;
  const names = [...Object.keys(constants), ...Object.keys(bodyConstants), ...Object.keys(linear)];
  const values = await readAll(names.map((name) => state.get(name)!));
  names.forEach((name, i) => {
    const want = constants[name] ?? bodyConstants[name];
    if (want !== undefined) return assert(values[i].every((v) => Math.abs(v - want) < 1e-9), name);
    const numbers = Array.from(values[i]), n = numbers.length;
    const mean = numbers.reduce((a, b) => a + b, 0) / n;
    const std = Math.sqrt(numbers.reduce((a, v) => a + (v - mean) ** 2, 0) / n), expected = linear[name].expectedStd;
    // six deviations of a mean and of a deviation of n draws
    assert(Math.abs(mean) < 6 * expected / Math.sqrt(n), `mean of ${name}: ${mean}`);
    assert(Math.abs(std / expected - 1) < 6 / Math.sqrt(2 * n), `deviation of ${name}: ${std}`);
  });
  assertEquals(splitterOf(resnet18)(model).map((g) => [g].flat().length), golden.groups.resnetSplit);
  assertEquals(defaultSplit(model).map((g) => g.length), golden.groups.defaultSplit);
});

const SNAKE: Readonly<Record<string, string>> = {
  gradAvg: "grad_avg",
  sqrAvg: "sqr_avg",
  doWd: "do_wd",
  forceTrain: "force_train",
};

/** What training does to the optimizer, as the recording tells it. */
function entriesOf(learn: VisionLearner): RecordedState[] {
  const names = new Map([...learn.model.namedParameters()].map(([name, p]) => [p, name]));
  const order = learn.groups().flat().map((p) => names.get(p)!);
  return learn.opt.stateDict().state.map((entry, index) => ({
    index,
    name: order[index],
    keys: Object.keys(entry).filter((key) => entry[key] !== undefined).map((key) => SNAKE[key] ?? key).sort(),
    doWd: entry.doWd ?? true,
    forceTrain: entry.forceTrain ?? false,
    step: entry.step ?? null,
    gradAvg: entry.gradAvg?.shape ?? null,
  }));
}

function hypersOf(learn: VisionLearner): Record<string, number>[] {
  return learn.opt.hypers.map(({ lr, mom, sqrMom, eps, wd }) => ({ lr, mom, sqr_mom: sqrMom, eps, wd }));
}

function nearHypers(got: readonly Record<string, number>[], want: readonly Readonly<Record<string, number>>[]): void {
  assertEquals(got.length, want.length);
  want.forEach((group, i) => {
    for (const [name, v] of Object.entries(group)) {
      assert(Math.abs(got[i][name] - v) <= 1e-6 * v, `${name} of group ${i}: got ${got[i][name]}, recorded ${v}`);
    }
  });
}

onDevices(
  "what trains in a frozen and an unfrozen vision learner is what trains in fastai's",
  () =>
    inFolder(async (folder) => {
      setSeed(3);
      const files: string[] = [];
      for (let i = 0; i < 12; i++) {
        files.push(await writePng(`${folder}/${i % 2 ? "cat" : "dog"}_${i}.png`, noise(40, 36, 6000 + i)));
      }
      const dls = await ImageDataLoaders.fromNameFunc(folder, files, (name) => name.split("_")[0], {
        validPct: 1 / 3,
        seed: 42,
        itemTfms: new Resize(32),
        bs: 4,
      });
      const learn = await visionLearner(dls, resnet18, { pretrained: false, logger: silentLogger });
      assertEquals(dls.vocab, golden.vocab);
      assertEquals(dls.batchTfms.length, 0); // nothing is normalised without published weights
      const trainable = () =>
        [...learn.model.namedParameters()].filter(([, p]) => p.requiresGrad).map(([name]) => name);
      assertEquals(trainable().length, golden.trainableInitially);
      learn.freeze();
      assertEquals(trainable(), golden.trainableAfterFreeze);
      assertEquals(entriesOf(learn), golden.optBeforeFit);
      await learn.fit(1);
      assertEquals(entriesOf(learn), golden.optAfterFrozenFit);
      nearHypers(hypersOf(learn), golden.hypers);
      learn.unfreeze();
      await learn.fit(1);
      assertEquals(entriesOf(learn), golden.optAfterUnfrozenFit);
      nearHypers(hypersOf(learn), golden.hypersUnfrozen);
      learn.createOpt();
      await learn.fitOneCycle(1, { lrMax: slice(1e-5, 1e-3) });
      nearHypers(hypersOf(learn), golden["hypersAfterFitOneCycleSlice1e-5to1e-3"]);
    }),
  { kinds: ["cpu", "webgpu"] },
);

Deno.test("xresnet18 has fastai's names, groups and head", async () => {
  const model = await createVisionModel(xresnet18, 5, { pretrained: false });
  const names = [...model.namedParameters().keys()];
  assertEquals(names.slice(0, 3), ["0.0.0.weight", "0.0.1.weight", "0.0.1.bias"]);
  assert(names.includes("0.5.0.convpath.1.1.weight") && names.includes("0.5.0.idpath.1.0.weight"));
  assertEquals(splitterOf(xresnet18)(model).map((g) => [g].flat().length), [9, 8 * 6 + 3 * 3, 6]);
  assertEquals(model.forward(zeros([2, 3, 64, 64])).shape, [2, 5]);
});

Deno.test("heads of other kinds", () => {
  const kinds = (head: nn.Sequential) => [...head].map((m: nn.Module) => m.constructor.name).join(" ");
  const bare = createHead(8, 2, { pool: false, linFtrs: [], firstBn: false, ps: 0 });
  assertEquals(kinds(bare), "Linear");
  assertEquals([...bare.namedParameters().keys()], ["0.weight", "0.bias"]);
  const linFirst = createHead(8, 2, { linFirst: true, concatPool: false, linFtrs: [6] });
  assertEquals(kinds(linFirst), "AdaptiveAvgPool2d Flatten Dropout Linear ReLU BatchNorm1d Dropout Linear");
  const ranged = createHead(8, 1, { bnFinal: true, yRange: [0, 5], linFtrs: [], ps: [0.1] });
  assertEquals(kinds(ranged).split(" ").slice(-2).join(" "), "BatchNorm1d SigmoidRange");
  assertThrows(
    () => createHead(8, 2, { ps: [0.1, 0.2, 0.3] }),
    ConfigError,
    "2 layers need one ps or 2 of them, got 3",
  );
  assertThrows(() => createHead(8, 2, { ps: 1.5 }), ConfigError, "from 0 to 1");
});

Deno.test("bodies are cut before the last pool, or where one says", async () => {
  const named = (body: nn.Module<[Tensor]>) => body.children().map((m) => m.constructor.name);
  const { simpleCnn } = await import("../../src/vision/models/mod.ts");
  assertEquals(named(await createBody(simpleCnn, { pretrained: false })), Array(4).fill("ConvLayer"));
  assertEquals(named(await createBody(resnet18, { pretrained: false, cut: 4 })).at(-1), "MaxPool2d");
  const own = await createBody(resnet18, { pretrained: false, cut: (m) => new nn.Sequential(m) });
  assertEquals(named(own), ["ResNet"]);
  await assertRejects(() => createBody(resnet18, { pretrained: false, cut: 99 }), ConfigError, "has 10 children");
  await assertRejects(() => createBody(xresnet18), ConfigError, "there are none, use { pretrained: false }");
});
