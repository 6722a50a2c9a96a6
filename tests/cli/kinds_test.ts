/**
 * Everything that a recipe can name is made and trains.
 *
 * @module
 */
import { assert } from "@std/assert";
import { join } from "@std/path";
import { silentLogger } from "../../mod.ts";
import { trainRecipe } from "../../src/cli/train.ts";
import { checkRecipe } from "../../src/cli/recipe/check.ts";
import { LOSSES, METRICS, OPTIMIZERS } from "../../src/cli/recipe/schema.ts";
import { SMALL, smallData } from "./support.ts";

const ENTRY = JSON.stringify(new URL("../../mod.ts", import.meta.url).href);

/** Targets are classes, so these do not go with the small data as it is. */
const FOR_VALUES: ReadonlySet<string> = new Set([
  "bceWithLogits",
  "mse",
  "l1",
  "smoothL1",
  "huber",
  "accuracyMulti",
  "mae",
  "rmse",
  "r2Score",
]);

const POLICIES: readonly string[] = [
  "{ kind: fit, epochs: 1, lr: 0.01, wd: 0.1 }",
  "{ kind: oneCycle, epochs: 1, lrMax: { find: slide }, div: 10, pctStart: 0.3 }",
  "{ kind: oneCycle, epochs: 1, lrMax: [0.001, 0.01], moms: [0.9, 0.8, 0.9] }",
  "{ kind: flatCos, epochs: 1, lr: 0.01, pctStart: 0.5 }",
  "{ kind: sgdr, cycles: 2, cycleLen: 1, cycleMult: 1, lrMax: 0.01 }",
  "{ kind: fineTune, epochs: 1, baseLr: 0.01 }",
  "[{ kind: schedule, epochs: 1, hypers: { lr: { kind: poly, start: 0.01, end: 0.1, power: 2 }, wd: { kind: no, start: 0, end: 0 } } }, { kind: fit, epochs: 1 }]",
];

const CALLBACKS =
  `{ earlyStopping: { patience: 1 }, saveModel:, reduceLROnPlateau: { factor: 2 }, terminateOnNaN:, mixedPrecision: { initScale: 1024, growthInterval: 100 }, gradientClip: { maxNorm: 1 },
  gradientAccumulation: { nAcc: 32 }, tensorBoard:, checkpoint: { everySteps: 3, keep: 2 } }`;

const SETS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(LOSSES.filter((l) => !FOR_VALUES.has(l)).map((loss) => [`loss ${loss}`, [`loss=${loss}`]])),
  ...Object.fromEntries(OPTIMIZERS.map((kind) => [`optimizer ${kind}`, [`optimizer={ kind: ${kind}, wd: 0.01 }`]])),
  ...Object.fromEntries(POLICIES.map((policy) => [`policy ${policy.slice(0, 40)}`, [`policy=${policy}`]])),
  "all metrics of classes": [
    `metrics=[${METRICS.filter((m) => !FOR_VALUES.has(m) && m !== "mse" && m !== "topKAccuracy").join(", ")}]`,
  ],
  "all callbacks": [`callbacks=${CALLBACKS}`],
  "mixUp": ["callbacks={ mixUp: { alpha: 0.4 } }"],
  "a model of a module": ["model={ kind: module, file: model.ts }"],
  "data of a module": ["data={ kind: module, file: data.ts, outputs: 2 }"],
  "texts": [
    "data={ kind: text, file: texts.csv, minFreq: 1, bs: 4, seqLen: 8 }",
    "model={ kind: awdLstm, embSize: 4, hidden: 4, layers: 1 }",
    "metrics=[accuracy, perplexity]",
  ],
  "a language model": [
    "data={ kind: text, file: texts.csv, isLm: true, tokenizer: chars, bs: 2, seqLen: 8 }",
    "model={ kind: gpt, nLayer: 1, nHead: 1, nEmbd: 8, blockSize: 8 }",
    "metrics=[perplexity]",
    "callbacks={ sampleText: { start: a, n: 4 } }",
  ],
  "values": [
    "data={ kind: arrays, file: small.safetensors, y: x, validPct: 0.25, bs: 16 }",
    "loss=smoothL1",
    "metrics=[mse, mae, rmse]",
  ],
};

for (const [name, set] of Object.entries(SETS)) {
  Deno.test({
    name: `a recipe with ${name} trains`,
    sanitizeOps: false, // the device lives for the whole process
    sanitizeResources: false,
    fn: async () => {
      const folder = await smallData();
      await Deno.writeTextFile(
        join(folder, "model.ts"),
        `import { nn } from ${ENTRY};\nexport default ({ outputs }: { outputs: number }) => new nn.Sequential(new nn.Linear(6, outputs));\n`,
      );
      await Deno.writeTextFile(
        join(folder, "data.ts"),
        `import { DataLoaders, randn, Rng } from ${ENTRY};
const x = randn([64, 6], { rng: new Rng(1) });
const y = x.sum({ axis: 1 }).gt(0).cast("i32");
export default () => DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 16 });
`,
      );
      const lines = Array.from({ length: 40 }, (_, i) => `${i % 2 ? "good" : "bad"} film ${i % 5},${i % 2}`);
      await Deno.writeTextFile(join(folder, "texts.csv"), ["text,label", ...lines].join("\n"));
      const file = join(folder, "small.yaml");
      const recipe = checkRecipe(file, SMALL, ["policy.epochs=1", ...set]);
      const { rows } = await trainRecipe(recipe, file, { logger: silentLogger, out: join(folder, "run") });
      const values = Object.entries(rows.at(-1) ?? {}).filter(([, v]) => typeof v === "number" && !Number.isFinite(v));
      assert(rows.length > 0 && values.length === 0, JSON.stringify(rows));
    },
  });
}
