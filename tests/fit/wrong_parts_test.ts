/**
 * Parts of a learner that are something else than they should be: told by name, with what to write instead, before anything
 * is trained.
 */
import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  CheckpointError,
  ConfigError,
  CSVLogger,
  DataError,
  DataLoaders,
  Dice,
  DiceMulti,
  EarlyStopping,
  GradientAccumulation,
  GradientClip,
  JaccardCoeff,
  JsonLines,
  Learner,
  loadLearner,
  LrFinder,
  type Metric,
  MixUp,
  nn,
  ReduceLROnPlateau,
  silentLogger,
  type Tensor,
  valley,
} from "../../mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";
import { tempDir, tempFile } from "../support/temp.ts";

const here = { kinds: ["cpu"] } as const;
const dls = (): DataLoaders => {
  const x = { data: fillF32(1, 24), shape: [12, 2] };
  const y = { data: Int32Array.from({ length: 12 }, (_, i) => i % 2), shape: [12] };
  return DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 4 });
};
const learner = (options: object, model: nn.Module = new nn.Linear(2, 2)): Learner =>
  new Learner(dls(), model as nn.Linear, { lossFunc: new nn.CrossEntropyLoss(), logger: silentLogger, ...options });

onDevices("a loss or a model that gives no tensor is told", async () => {
  const entropy = new nn.CrossEntropyLoss();
  const losses: [unknown, string][] = [
    [async (p: Tensor, y: Tensor) => await entropy.forward(p, y), "got a promise: leave out async"],
    [() => 5, "it gives a tensor, got 5"],
    [() => undefined, "got undefined: is a return missing?"],
    [(p: Tensor) => [p], "got an array of 1"],
    [{ forward: () => null }, "Object: it gives a tensor, got null"],
  ];
  for (const [lossFunc, told] of losses) {
    await assertRejects(() => learner({ lossFunc }).fit(1), ConfigError, told);
    await assertRejects(() => learner({ lossFunc }).validate(), ConfigError, told);
  }
  class Pair extends nn.Module {
    readonly a = new nn.Linear(2, 2);
    override forward(x: Tensor): Tensor {
      return [this.a.forward(x), x] as unknown as Tensor;
    }
  }
  await assertRejects(
    () => learner({}, new Pair()).fit(1),
    ConfigError,
    "Pair.forward gives: a model gives one tensor",
  );
}, here);

onDevices("a learner without data or a model tells what comes where", () => {
  const make = (data: unknown, model: unknown) => () =>
    new Learner(data as DataLoaders, model as nn.Linear, { lossFunc: new nn.CrossEntropyLoss() });
  const linear = new nn.Linear(2, 2);
  assertThrows(make(undefined, linear), ConfigError, "data come first, new Learner(dls, model)");
  assertThrows(make(linear, dls()), ConfigError, "data come first");
  assertThrows(make(Promise.resolve(dls()), linear), ConfigError, "await it first");
  assertThrows(make(dls(), undefined), ConfigError, "the model comes second");
  assertThrows(make(dls(), nn.Linear), ConfigError, "got Linear: make one, new Linear(");
  assertThrows(make(dls(), (x: Tensor) => x), ConfigError, "new nn.Lambda(f) makes a module of a function");
}, here);

onDevices("the finder's suggestions are functions, and its learning rates grow", async () => {
  for (const suggestFuncs of ["valley", ["valley"], { v: "valley" }, [undefined]]) {
    await assertRejects(() => learner({}).lrFind({ suggestFuncs: suggestFuncs as never }), ConfigError, "suggestFuncs");
  }
  await assertRejects(() => learner({}).lrFind({ startLr: 1, endLr: 0.1 }), ConfigError, "startLr must be below endLr");
  assertThrows(() => new LrFinder({ startLr: [1e-4, 2], endLr: 1 }), ConfigError, "startLr must be below endLr");
  assertEquals(Object.keys(await learner({}).lrFind({ suggestFuncs: { mine: valley } })).slice(0, 1), ["mine"]);
}, here);

onDevices("callbacks say what they take, and which column was meant", async () => {
  assertThrows(() => new GradientAccumulation({ nAcc: 64 } as never), ConfigError, "new GradientAccumulation(64)");
  assertThrows(() => new GradientAccumulation("64" as never), ConfigError, 'with "64"');
  const cbs = [new EarlyStopping({ monitor: "val_loss" })];
  await assertRejects(() => learner({}).fit(1, { cbs }), ConfigError, "did you mean valid_loss?");
}, here);

onDevices("arrays are named, there, and of as many classes as have names", () => {
  const x = { data: fillF32(1, 24), shape: [12, 2] }, y = { data: Int32Array.from([0, 1, 2]), shape: [3] };
  const load = (arrays: unknown, options: object = {}) => () => void DataLoaders.fromArrays(arrays as never, options);
  assertThrows(load(undefined), ConfigError, "options are named");
  assertThrows(load({}), ConfigError, "without x: inputs are x, targets y");
  assertThrows(load({ x }), ConfigError, "without y");
  assertThrows(load({ x, y: "labels" }), ConfigError, 'with y "labels": it takes a tensor, nested numbers or');
  assertThrows(load({ x, y, xvalid: x }), ConfigError, "did you mean xValid?");
  const three = { x: { data: fillF32(1, 6), shape: [3, 2] }, y };
  assertThrows(
    load(three, { vocab: ["a", "b"] }),
    DataError,
    "Cannot name class 2 of y: vocab names 2 classes, 0 to 1",
  );
  const held = { x: three.x, y: { data: Int32Array.from([0, 1, 0]), shape: [3] }, xValid: three.x, yValid: y };
  assertThrows(load(held, { vocab: ["a", "b"] }), DataError, "Cannot name class 2 of yValid");
  load(three, { vocab: ["a", "b", "c"] })();
}, here);

onDevices("an item that is none says how one is given", async () => {
  const learn = learner({});
  for (const item of [[], ["a"], [3], [null]]) {
    await assertRejects(() => learn.predict(...item as never[]), ConfigError, "is given as [2] numbers: nested");
  }
  const path = tempFile({ suffix: ".csv" });
  await Deno.writeTextFile(
    path,
    "a,my town,y\n" + Array.from({ length: 40 }, (_, i) => `${i / 7},${i % 3 ? "J" : "K"},${i}.5`).join("\n"),
  );
  const table = await DataLoaders.fromCsv(path, { target: "y" });
  const model = new nn.TabularModel(table.schema, 1);
  const rows = new Learner(table, model, { lossFunc: new nn.MSELoss(), logger: silentLogger });
  const form = 'a row by column name, as in { a: 1, "my town": "J" }';
  for (const item of [[[1, "J"]], ["a=1"], [null], []]) {
    await assertRejects(() => rows.predict(...item as never[]), ConfigError, form);
  }
  assertThrows(() => table.testDl({ a: 1 } as never), ConfigError, "rows are an array, as in [{ a: 1");
}, here);

onDevices("places where no model can be written or read are told", async () => {
  const folder = tempDir(), learn = learner({}), taken = `${folder}/m.safetensors`;
  await Deno.mkdir(taken);
  await assertRejects(() => learn.save(taken), CheckpointError, `Cannot write ${taken}: a folder lies in its place`);
  await assertRejects(() => learn.export(taken), CheckpointError, "a folder lies in its place");
  await assertRejects(() => learn.load(taken), DataError, "it is a folder");
  await assertRejects(() => loadLearner(folder), DataError, "it is a folder");
  await Deno.writeTextFile(`${folder}/f`, "");
  await assertRejects(() => learn.save(`${folder}/f/m`), CheckpointError, `Cannot write ${folder}/f/m.safetensors:`);
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["f", "m.safetensors"]);
}, here);

onDevices("logs lie where an absolute path says", async () => {
  const folder = tempDir(), csv = `${folder}/a/h.csv`, json = `${folder}/b/l.jsonl`;
  const learn = learner({ path: tempDir() });
  await learn.fit(1, { cbs: [new CSVLogger({ fname: csv }), new JsonLines({ fname: json })] });
  assertMatch(await Deno.readTextFile(csv), /^epoch,train_loss/);
  assertMatch(await Deno.readTextFile(json), /"epoch":0/);
}, here);

onDevices("numbers of callbacks that would do the contrary are refused", () => {
  for (const patience of [0, 1.5, -1]) {
    assertThrows(() => new EarlyStopping({ patience }), ConfigError, "it takes a whole number from 1");
  }
  assertThrows(() => new ReduceLROnPlateau({ factor: 0.1 }), ConfigError, "above 1: 10 where PyTorch has 0.1");
  assertThrows(() => new ReduceLROnPlateau({ minLr: -1 }), ConfigError, "it takes a number from 0");
  assertThrows(() => new GradientClip("1" as never), ConfigError, 'to norm "1"');
  assertThrows(() => new GradientClip({ maxNorm: 1 } as never), ConfigError, "new GradientClip(0.5)");
  assertThrows(() => new MixUp("0.4" as never), ConfigError, 'alpha "0.4"');
}, here);

onDevices("scores of masks of two classes refuse more", async () => {
  const x = { data: fillF32(1, 24), shape: [12, 2] },
    y = { data: Int32Array.from({ length: 12 }, (_, i) => i % 3), shape: [12] };
  const three = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 4 });
  const fit = (metric: Metric) =>
    new Learner(three, new nn.Linear(2, 3), {
      lossFunc: new nn.CrossEntropyLoss(),
      metrics: [metric],
      logger: silentLogger,
    }).fit(1);
  await assertRejects(() => fit(new Dice()), ConfigError, "use DiceMulti for the mean over the classes");
  await assertRejects(() => fit(new JaccardCoeff()), ConfigError, "use JaccardCoeffMulti");
  await fit(new DiceMulti());
}, here);

onDevices("words that training has not seen are told once, for rows and files", async () => {
  const folder = tempDir(), path = `${folder}/t.csv`, said: string[] = [];
  const cells = Array.from({ length: 40 }, (_, i) => `${i / 7},${i % 3 ? "Jena" : "Ulm"},${i}.5`);
  await Deno.writeTextFile(path, "a,town,y\n" + cells.join("\n"));
  const table = await DataLoaders.fromCsv(path, { target: "y" });
  const logger = { line: (text: string) => void said.push(text) };
  const learn = new Learner(table, new nn.TabularModel(table.schema, 1), { lossFunc: new nn.MSELoss(), logger });
  const told = async (look: () => Promise<unknown>): Promise<string[]> => {
    said.length = 0;
    await look();
    return [...said];
  };
  const counts = "did not occur in training and counts as missing; its words are Jena, Ulm";
  assertEquals(await told(() => learn.predict({ a: 1, town: "Ulm" })), []);
  assertEquals(await told(() => learn.predict({ a: 1 })), []);
  assertEquals(await told(() => learn.predict({ a: 1, town: "Jean" })), [`Column town: "Jean" ${counts}`]);
  assertEquals(await told(() => learn.predict({ a: 2, town: "Jean" })), []);
  const rows = table.testDl([{ town: "Bonn" }, { town: "Jean" }, { town: "Bonn" }]);
  assertEquals(await told(() => learn.getPreds({ dl: rows })), [
    `Column town: "Bonn" ${counts}`,
    "Column a: a number is missing, as none was in training; it counts as 2.78571",
  ]);
  await Deno.writeTextFile(
    `${folder}/new.csv`,
    "town,a\nUlm,1\n" + Array.from({ length: 9 }, (_, i) => `T${i},1`).join("\n"),
  );
  const file = await table.testCsv(`${folder}/new.csv`);
  assertEquals(await told(() => learn.getPreds({ dl: file })), [
    'Column town: "T0", "T1", "T2", "T3", "T4" and 4 more did not occur in training and count as missing; its words are Jena, Ulm',
  ]);
}, here);
