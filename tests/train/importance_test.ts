/**
 * What a learner makes of a table: columns that matter, rows with the largest losses, predictions over targets.
 */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  accuracy,
  ConfigError,
  DataError,
  DataLoaders,
  featureImportance,
  Interpretation,
  Learner,
  nn,
  silentLogger,
  tabularLearner,
  tensor,
} from "../../mod.ts";
import { onDevices } from "../support/devices.ts";

const here = { kinds: ["cpu"] } as const;

/** A table whose target is `2 a` and a word's number, whatever `noise` says; some cells of `a` are missing. */
const rows = Array.from({ length: 120 }, (_, i) => {
  const a = (i * 37 % 120) / 10, word = ["x", "y", "z"][i % 3];
  return { a: i % 10 === 4 ? null : a, noise: (i * 53 % 97) / 7, word, y: 2 * a + 5 * (i % 3) };
});

/** Predictions are `weight` times the scaled inputs: of two columns of numbers, and of a word's number. */
class Fixed extends nn.Module<[ReturnType<typeof tensor>, ReturnType<typeof tensor>]> {
  constructor(readonly numbers: readonly number[], readonly word: number) {
    super();
  }
  override forward(words: ReturnType<typeof tensor>, numbers: ReturnType<typeof tensor>) {
    const n = words.shape[0];
    const own = numbers.mul(tensor(Float32Array.from(this.numbers), { shape: [1, this.numbers.length] })).sum({
      axis: 1,
    });
    return own.add(words.slice([null, [0, 1]]).reshape([n]).cast("f32").mul(this.word)).reshape([n, 1]);
  }
}

onDevices(
  "importance is what permuting a column costs, seeded, and 0 for what the model does not look at",
  async () => {
    const dls = await DataLoaders.fromTable(rows, { target: "y", seed: 3, bs: 16 });
    assertEquals(dls.schema.numeric.map((c) => c.name), ["a", "noise"]);
    const learn = new Learner(dls as never, new Fixed([1, 0], 0.2) as never, {
      lossFunc: new nn.MSELoss(),
      logger: silentLogger,
    });
    const found = await featureImportance(learn, { repeats: 4, seed: 5 });
    assertEquals(found.columns.map((c) => c.name), ["a", "word", "noise"]);
    assertEquals(found.columns[2], { name: "noise", mean: 0, std: 0, values: [0, 0, 0, 0] });
    assert(found.columns[0].mean > found.columns[1].mean && found.columns[1].mean > 0);
    assertAlmostEquals(found.base, (await learn.validate())[0]!, 1e-6);
    assertEquals(await featureImportance(learn, { repeats: 4, seed: 5 }), found);
    const untold = dls.testDl([{ a: 1, noise: 2, word: "x" }]);
    await assertRejects(() => featureImportance(learn, { dl: untold as never }), DataError, "rows without targets");
    assert((await featureImportance(learn, { repeats: 4, seed: 6 })).columns[0].mean !== found.columns[0].mean);
    // in expectation permuting `a` costs twice its deviation squared: E (x - x')² = 2 var
    const many = await featureImportance(learn, { repeats: 60 });
    const inputs = (await dls.valid.inOrder({ bs: 200 }).peek())!,
      [numbers, targets, words] = await Promise.all(
        [inputs[1], inputs[2], inputs[0]].map((t) => t.data()),
      );
    const m = targets.length, x = Array.from(targets, (_, i) => numbers[2 * i]);
    const r = Array.from(targets, (y, i) => y - 0.2 * words[2 * i]);
    const mean = (v: readonly number[]) => v.reduce((a, b) => a + b, 0) / v.length;
    const cov = mean(x.map((v, i) => v * r[i])) - mean(x) * mean(r);
    const { std } = dls.targetScale!; // E (r - x')² - E (r - x)² = 2 cov(r, x)
    assertAlmostEquals(many.columns[0].mean / (2 * cov * std ** 2), 1, 0.1, `of ${m} rows`);

    const text = found.plot().text({ columns: 60 });
    assert(/a █+ \d/.test(text) && text.includes("noise  0"), text);
    const svg = await found.plot().svg();
    assertEquals(svg.match(/class="bar"/g)?.length, 3);
    assert(svg.includes("valid_loss gets worse by, shuffled"));
    await assertRejects(
      () => featureImportance(learn, { metric: "accuracy" }),
      ConfigError,
      "the learner has valid_loss",
    );
    await assertRejects(() => featureImportance(learn, { repeats: 0 }), ConfigError, "repeats");
    await assertRejects(() => featureImportance({} as never), ConfigError, "a Learner");
  },
  here,
);

onDevices("importance by a metric that should be large is positive too", async () => {
  const classes = rows.map(({ word, noise }) => ({ word, noise, y: word === "x" ? "yes" : "no" }));
  const dls = await DataLoaders.fromTable(classes, { target: "y", seed: 1, bs: 32 });
  const learn = tabularLearner(dls, { layers: [8], metrics: [accuracy], logger: silentLogger });
  await learn.fitOneCycle(8, { lrMax: 3e-2 });
  const found = await featureImportance(learn, { metric: "accuracy" });
  assertEquals([found.columns[0].name, found.base], ["word", 1]);
  assert(found.columns[0].mean > 0.1, `${found.columns[0].mean}`);

  const judged = await Interpretation.fromLearner(learn);
  const matrix = judged.confusionMatrix();
  assertEquals([judged.vocab, matrix[0][1], matrix[1][0]], [["no", "yes"], 0, 0]);
  assertEquals(matrix[0][0] + matrix[1][1], judged.length);
  assertEquals(judged.mostConfused(), []);
  const [worst] = await judged.topLosses(1);
  assertEquals(worst.predicted, worst.actual);
  assertEquals(Object.keys(worst.item as object), ["noise", "word"]);
  assertThrows(() => judged.residuals(), ConfigError, "this learner predicts classes");
}, here);

onDevices(
  "interpretation of numbers: rows with the largest losses, residuals, pictures, in the unit of the data",
  async () => {
    const dls = await DataLoaders.fromTable(rows, { target: "y", seed: 3, bs: 16 });
    const learn = new Learner(dls as never, new Fixed([1, 0], 0) as never, {
      lossFunc: new nn.MSELoss(),
      logger: silentLogger,
    });
    const found = await Interpretation.fromLearner(learn), top = await found.topLosses();
    assertEquals(top.length, dls.valid.size);
    const left = found.residuals();
    top.forEach(({ index, loss, predicted, actual, item }, k) => {
      assertAlmostEquals(left[index], Number(predicted) - Number(actual), 1e-9);
      assertAlmostEquals(loss, left[index] ** 2, 1e-3 * (1 + loss));
      assert(k === 0 || loss <= top[k - 1].loss);
      // the row is one of the table's, cell by cell
      const row = item as (typeof rows)[number];
      const same = rows.filter((r) => r.a === row.a && Math.abs(r.noise - row.noise) < 1e-5 && r.word === row.word);
      assert(same.some((r) => Math.abs(r.y - Number(actual)) < 1e-4), JSON.stringify(row));
    });
    assert(top.some(({ item }) => (item as { a: unknown }).a === null));
    const svg = await found.plotPredictions({ title: "Prices" }).svg();
    assertEquals(svg.match(/class="point"/g)?.length, top.length);
    assert((await found.plotResiduals().svg()).includes("predicted - actual"));
    assertThrows(() => found.confusionMatrix(), ConfigError, "does not predict one class");

    const arrays = DataLoaders.fromArrays({ x: [[1], [2]], y: [[1, 2], [3, 4]], xValid: [[1]], yValid: [[1, 5]] });
    const two = new Learner(arrays, new nn.Linear(1, 2), { lossFunc: new nn.MSELoss(), logger: silentLogger });
    const [item] = await (await Interpretation.fromLearner(two)).topLosses();
    assertEquals([item.item, (item.actual as number[]).length], [0, 2]);
    // one logit an item is a decision between two classes
    const y = tensor(Float32Array.of(1, 0, 1)), x = tensor([[3], [2], [-1]]);
    const yes = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { vocab: ["no", "yes"] });
    const lossFunc = new nn.BCEWithLogitsLoss();
    const logit = await Interpretation.fromLearner(
      new Learner(yes, new nn.Identity(), { lossFunc, logger: silentLogger }),
    );
    assertEquals(logit.confusionMatrix(), [[0, 1], [1, 1]]);
    assertEquals((await logit.topLosses(2)).map((t) => [t.index, t.predicted, t.actual]), [[1, "yes", "no"], [
      2,
      "no",
      "yes",
    ]]);
    await assertRejects(() => Interpretation.fromLearner({} as never), ConfigError, "a Learner");
  },
  here,
);
