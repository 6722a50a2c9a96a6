/**
 * Thresholds of several labels: the best there are, by trying all, and what decides by them.
 */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import {
  chooseThresholds,
  ConfigError,
  DataError,
  DataLoaders,
  Learner,
  loadLearner,
  nn,
  Rng,
  ShapeError,
  silentLogger,
  tensor,
} from "../../mod.ts";
import { onDevices } from "../support/devices.ts";

const here = { kinds: ["cpu"] } as const;

/** A learner whose logits are its inputs: probabilities are chosen by the data. */
function asIs(logits: number[][], targets: number[][], vocab: string[]) {
  const data = { x: logits, y: targets, xValid: logits, yValid: targets };
  const y = tensor(Float32Array.from(targets.flat()), { shape: [targets.length, targets[0].length] });
  const dls = DataLoaders.fromArrays({ ...data, y, yValid: y }, { bs: 4, vocab: [] });
  Object.defineProperty(dls, "vocab", { value: vocab });
  return new Learner(dls, new nn.Identity(), { lossFunc: new nn.BCEWithLogitsLoss(), logger: silentLogger });
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

function f1(p: number[], t: number[], thresh: number): number {
  let tp = 0, wrong = 0;
  p.forEach((v, i) => v > thresh && t[i] === 1 ? tp++ : v > thresh !== (t[i] === 1) ? wrong++ : 0);
  return tp === 0 ? 0 : 2 * tp / (2 * tp + wrong);
}
const right = (p: number[], t: number[], thresh: number) => p.filter((v, i) => v > thresh === (t[i] === 1)).length;

onDevices("thresholds are the best of all that there could be, for each label or one for all", async () => {
  for (let seed = 0; seed < 12; seed++) {
    const rng = new Rng(seed), n = 5 + 3 * seed, width = 1 + seed % 3;
    const targets = Array.from({ length: n }, () => Array.from({ length: width }, () => rng.uniform() < 0.4 ? 1 : 0));
    for (let c = 0; c < width; c++) targets[0][c] = 1; // every label occurs
    const logits = targets.map((row) => row.map((t) => Math.round(8 * (rng.normal() + t - 1.5)) / 4)); // with ties
    const column = (rows: number[][], c: number) => rows.map((row) => row[c]);
    const p = logits.map((row) => row.map((x) => Math.fround(sigmoid(x))));
    const cuts = [0, 1, ...p.flat().flatMap((v) => [v - 1e-5, v + 1e-5])];
    const mean = (f: (c: number) => number) =>
      Array.from({ length: width }, (_, c) => f(c)).reduce((a, b) => a + b) / width;
    for (const by of ["f1", "accuracy"] as const) {
      const of = (c: number, t: number) =>
        by === "f1" ? f1(column(p, c), column(targets, c), t) : right(column(p, c), column(targets, c), t) / n;
      const each = await chooseThresholds(asIs(logits, targets, []), { by });
      assertAlmostEquals(each.score, mean((c) => Math.max(...cuts.map((t) => of(c, t)))), 1e-9, `${seed} ${by}`);
      assertAlmostEquals(each.score, mean((c) => of(c, each.values[c])), 1e-9);
      const one = await chooseThresholds(asIs(logits, targets, []), { by, perLabel: false });
      assertAlmostEquals(one.score, Math.max(...cuts.map((t) => mean((c) => of(c, t)))), 1e-9, `${seed} ${by}`);
      assertEquals(new Set(one.values).size, 1);
      assertAlmostEquals(one.before, mean((c) => of(c, 0.5)), 1e-9);
    }
  }
}, here);

onDevices("what was chosen decides: predictions, decisions of a set, an exported learner", async () => {
  const logits = [[-2, 1], [-1, 2], [-3, 3], [-4, -1]], targets = [[1, 0], [1, 0], [0, 1], [0, 0]];
  const learn = asIs(logits, targets, ["cat", "dog"]);
  const before = await learn.predict(tensor([-1, 2]));
  assertEquals([before.label, before.labels], [null, ["dog"]]);
  const found = await chooseThresholds(learn);
  assertEquals([found.labels, found.score, found.untold], [["cat", "dog"], 1, []]);
  assertAlmostEquals(found.values[0], (sigmoid(-2) + sigmoid(-3)) / 2, 1e-6);
  assert(sigmoid(2) < found.values[1] && found.values[1] < sigmoid(3));
  assertEquals((await learn.predict(tensor([-1, 2]))).labels, ["cat"]);
  const { decoded } = await learn.getPreds({ withDecoded: true });
  assertEquals(Array.from(await decoded!.data(), Number), targets.flat());
  const svg = await found.plot().svg();
  assert(svg.includes("cat") && svg.match(/class="marker"/g)?.length === 2);

  const dir = await Deno.makeTempDir(), again = await loadLearner(await learn.export(join(dir, "learner")));
  assertEquals((again.lossFunc as nn.BCEWithLogitsLoss).thresh, found.values);
  await Deno.remove(dir, { recursive: true });

  const kept = asIs(logits, targets, ["cat", "dog"]);
  await chooseThresholds(kept, { apply: false });
  assertEquals((kept.lossFunc as nn.BCEWithLogitsLoss).thresh, 0.5);
  await chooseThresholds(kept, { perLabel: false });
  assertEquals(typeof (kept.lossFunc as nn.BCEWithLogitsLoss).thresh, "number");
  // training goes on as before
  assertEquals(
    await (learn.lossFunc as nn.Loss).forward(tensor([[1, 2]]), tensor([[1, 0]])).item(),
    await new nn.BCEWithLogitsLoss().forward(tensor([[1, 2]]), tensor([[1, 0]])).item(),
  );
}, here);

onDevices("a label that nothing has keeps its threshold by F1; what can't be chosen is refused", async () => {
  const found = await chooseThresholds(asIs([[1, 2], [0, 1]], [[1, 0], [0, 0]], ["a", "b"]));
  assertEquals([found.untold, found.values[1]], [["b"], 0.5]);
  const none = await chooseThresholds(asIs([[1, 2], [0, 1]], [[1, 0], [0, 0]], ["a", "b"]), { by: "accuracy" });
  assert(none.values[1] >= sigmoid(2)); // never given
  assertEquals([none.score, none.untold], [1, []]);
  const one = asIs([[3], [-3]], [[1], [0]], ["yes"]); // one label: none is given, and not the class of number 0
  assertEquals((await one.predict(tensor([-3]))).labels, []);
  assertEquals((await one.predict(tensor([-3]))).label, null);

  const nan = asIs([[NaN, 2], [0, 1]], [[1, 0], [0, 0]], ["a", "b"]);
  await assertRejects(() => chooseThresholds(nan), DataError, "the prediction for item 0 is no number");
  const classes = new Learner(DataLoaders.fromArrays({ x: [[1, 2]], y: [0] }), new nn.Identity(), {
    lossFunc: new nn.CrossEntropyLoss(),
    logger: silentLogger,
  });
  await assertRejects(() => chooseThresholds(classes), ConfigError, "this learner has CrossEntropyLoss");
  const x = tensor([[1, 2]]), empty = DataLoaders.fromArrays({ x, y: x });
  const unseen = new Learner(empty, new nn.Identity(), { lossFunc: new nn.BCEWithLogitsLoss(), logger: silentLogger });
  await assertRejects(() => chooseThresholds(unseen), DataError, "no items");
  await assertRejects(() => chooseThresholds(one, { by: "auc" as never }), ConfigError, "by");
  assertThrows(
    () => new nn.BCEWithLogitsLoss({ thresh: [0.1, 0.2] }).decodes(tensor([[1, 2, 3]])),
    ShapeError,
    "2 thresholds",
  );
}, here);
