import { assert, assertEquals } from "@std/assert";
import {
  Adam,
  DataLoaders,
  GradientClip,
  Lamb,
  Larc,
  Learner,
  nn,
  type OptFunc,
  RAdam,
  randn,
  ranger,
  RMSProp,
  Rng,
  SGD,
  silentLogger,
} from "../../../mod.ts";
import type { Program } from "../../../src/device/contract.ts";
import { openCpu } from "../../../src/device/cpu/mod.ts";
import { session } from "../../../src/graph/session.ts";
import { dawnIsInstalled, tintFaults } from "../../support/dawn.ts";
import { type KernelText, kernelTexts, recordPrograms } from "../../support/kernel_texts.ts";
import { programs } from "../../support/programs.ts";
import { failures, recordedCases } from "../../support/recorded.ts";
import { shaderFiles } from "../../support/shader_files.ts";

const installed = await dawnIsInstalled();

/** Registers a test that needs Dawn; where it is not installed the test is counted as ignored. */
function dawnTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `dawn: ${name}`, ignore: !installed, fn, sanitizeOps: false, sanitizeResources: false });
}

/** Trains pictures a little: convolutions, norms, dropout, metrics, a shorter last batch. */
async function train(optFunc: OptFunc): Promise<void> {
  const rng = new Rng(1);
  const x = randn([40, 3, 8, 8], { rng }), y = x.mean({ axis: [1, 2, 3] }).gt(0).cast("i32");
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 16, seed: 1 });
  const model = new nn.Sequential(
    new nn.Conv2d(3, 8, 3, { padding: 1 }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Dropout(0.1),
    new nn.Flatten(),
    new nn.Linear(128, 2),
  );
  const lossFunc = new nn.CrossEntropyLoss({ labelSmoothing: 0.1 });
  const learn = new Learner(dls, model, { lossFunc, optFunc, cbs: [new GradientClip()], logger: silentLogger });
  await learn.fitOneCycle(1, { lrMax: 1e-2 });
}

async function check(texts: readonly KernelText[], least: number): Promise<void> {
  assert(texts.length >= least, `${texts.length} different texts`);
  assertEquals(await tintFaults(texts), {});
}

dawnTest("Tint takes every shader file with every declared override set", async () => {
  const texts = shaderFiles().flatMap(({ name, text, variants, entryPoints }) =>
    variants.flatMap((constants) =>
      entryPoints.map((entryPoint) => ({
        label: `${name} ${entryPoint} ${JSON.stringify(constants)}`,
        text,
        entryPoint,
        constants,
      }))
    )
  );
  await check(texts, 20);
});

dawnTest("Tint takes the kernels of every hand-made program, of every strategy", async () => {
  await check(kernelTexts(programs.map(({ program }) => program)), 400);
});

dawnTest("Tint takes the kernels of every function, layer, loss and optimizer, of every strategy", async () => {
  const recorded = new Set<Program>();
  session.useDevice(recordPrograms(openCpu({ threads: 1 }), recorded));
  const wrong: string[] = [];
  const cases = recordedCases("random.json"), seen = new Map<string, number>();
  for (const c of cases) {
    const count = seen.get(c.fn) ?? 0;
    seen.set(c.fn, count + 1);
    if (count % 3 !== 0) continue;
    wrong.push(...await failures([c], { rel: 1e-5, whole: true }));
  }
  assertEquals(wrong, []);
  for (const optFunc of [Adam, RAdam, ranger, Lamb, Larc, RMSProp, SGD.with({ mom: 0.9 })]) await train(optFunc);
  await check(kernelTexts(recorded), 1000);
});
