// Paths that are none, names that say another format, and disks that take nothing.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  Checkpoint,
  CheckpointError,
  ConfigError,
  DataError,
  DataLoaders,
  getImageFiles,
  ImageDataLoaders,
  Learner,
  loadLearner,
  nn,
  openSafetensors,
  silentLogger,
  TextDataLoaders,
  writeProjector,
  zeros,
} from "../../mod.ts";
import { main } from "../../src/cli/main.ts";
import { onDevices } from "../support/devices.ts";
import { tempDir } from "../support/temp.ts";

const here = { kinds: ["cpu"] } as const;

function learner(path: string): Learner {
  const x = { data: Float32Array.from({ length: 32 }, (_, i) => i % 5), shape: [16, 2] };
  const y = { data: Int32Array.from({ length: 16 }, (_, i) => i % 2), shape: [16] };
  const dls = DataLoaders.fromArrays({ x, y, xValid: x, yValid: y }, { bs: 8, seed: 1 });
  return new Learner(dls, new nn.Linear(2, 2), {
    lossFunc: new nn.CrossEntropyLoss(),
    path,
    logger: silentLogger,
  });
}

onDevices("whatever takes a path refuses URLs, empty names and what is no string, and leaves nothing", async () => {
  const dir = tempDir(), learn = learner(dir);
  await learn.fit(1);
  const takers: readonly ((path: string) => unknown)[] = [
    (path) => learn.save(path),
    (path) => learn.load(path),
    (path) => learn.export(path),
    (path) => loadLearner(path),
    (path) => openSafetensors(path),
    (path) => learn.recorder.plotLoss().save(path),
    (path) => DataLoaders.fromCsv(path, { target: "y" }),
    (path) => ImageDataLoaders.fromFolder(path, { validPct: 0.2 }),
    (path) => TextDataLoaders.fromFolder(path, { validPct: 0.2 }),
    (path) => getImageFiles(path),
    (path) => new Checkpoint({ dir: path }),
  ];
  for (const take of takers) {
    for (const path of ["https://example.org/a.csv", "file:///tmp/a.csv", "", 3]) {
      await assertRejects(async () => void await take(path as string), ConfigError, undefined, `${take} ${path}`);
    }
    const error = await assertRejects(async () => void await take("file:///tmp/a.csv"), ConfigError);
    assert(/fromFileUrl\(\)|a path, not a URL/.test(error.message), error.message);
  }
  assertEquals([...Deno.readDirSync(dir)], []);
}, here);

onDevices("a name that says another format than the file has is refused", async () => {
  const dir = tempDir(), learn = learner(dir);
  for (const name of ["m.pth", "m.pt", "export.pkl", "m.ckpt", "m.H5", join(dir, "m.bin")]) {
    await assertRejects(() => learn.save(name), ConfigError, "leave the ending out");
    await assertRejects(() => learn.export(name), ConfigError, "leave the ending out");
  }
  await learn.save("model.v1.5"); // a dot makes no ending
  await learn.load("model.v1.5");
}, here);

onDevices("a file that cannot be written is told with its path, and what was there stays", async () => {
  const dir = tempDir(), learn = learner(dir);
  await learn.fit(1);
  const file = join(dir, "file");
  await Deno.writeTextFile(file, "here before");
  for (const ending of ["png", "svg"]) await Deno.mkdir(join(dir, `folder.${ending}`));
  const inside = (name: string) => assertRejectsAt(join(file, name));
  const assertRejectsAt = (path: string) => (body: (path: string) => Promise<unknown>) =>
    assertRejects(() => body(path), CheckpointError, `Cannot write ${path}`);
  await assertRejects(() => learn.recorder.plotLoss().save(join(file, "l.svg")), ConfigError, "no folder");
  await inside("p.csv")((path) => learn.savePreds(path));
  await inside("p.parquet")((path) => learn.savePreds(path));
  await inside("m.safetensors")((path) => learn.save(path));
  await inside("m.onnx")((path) => learn.export(path));
  await assertRejects(() => writeProjector(file, zeros([2, 2])), CheckpointError, "Cannot write ");
  await assertRejects(() => learn.recorder.plotLoss().save(join(dir, "folder.svg")), ConfigError, "a folder lies");
  assertEquals(await Deno.readTextFile(file), "here before");
}, here);

Deno.test("a picture that does not fit on the disk leaves the one before it", async () => {
  const dir = tempDir(), mod = new URL("../../mod.ts", import.meta.url).href;
  const script = `import { plotLines } from ${JSON.stringify(mod)};
    const lines = (n) => plotLines({ a: Array.from({ length: n }, (_, i) => Math.sin(i * i)) });
    await lines(3).save("a.svg");
    const before = Deno.statSync("a.svg").size;
    const error = await lines(5000).save("a.svg").catch((e) => e);
    console.log(error.name, error.message, before === Deno.statSync("a.svg").size, [...Deno.readDirSync(".")].length);`;
  await Deno.writeTextFile(join(dir, "s.ts"), script);
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const run = `trap '' XFSZ; ulimit -f 16; exec '${Deno.execPath()}' run -A --no-check --config '${config}' s.ts`;
  const { stdout, stderr } = await new Deno.Command("bash", { args: ["-c", run], cwd: dir }).output();
  const said = new TextDecoder().decode(stdout);
  assert(
    /^ConfigError Cannot save a figure as a\.svg: File too large.* true 2\n$/.test(said),
    said + new TextDecoder().decode(stderr),
  );
});

onDevices("folders of classes without a part to validate on: the error says how to split them", async () => {
  const dir = tempDir();
  for (const kind of ["cat", "dog"]) {
    await Deno.mkdir(join(dir, kind));
    await Deno.writeTextFile(join(dir, kind, "1.pgm"), "P2 1 1 9 1");
    await Deno.writeTextFile(join(dir, kind, "1.txt"), kind);
  }
  await assertRejects(() => ImageDataLoaders.fromFolder(dir), DataError, "give { validPct: 0.2 }");
  await assertRejects(() => TextDataLoaders.fromFolder(dir), DataError, "give { validPct: 0.2 }");
}, here);

Deno.test("the command line refuses a folder without a name and a model's file of another format", async () => {
  const dir = tempDir(), recipe = join(dir, "r.yaml"), said: string[] = [], error = console.error;
  await Deno.writeTextFile(
    join(dir, "t.csv"),
    "a,b\n" + Array.from({ length: 20 }, (_, i) => `${i},${i % 2}`).join("\n"),
  );
  await Deno.writeTextFile(
    recipe,
    "data: { kind: csv, file: t.csv, target: b }\nmodel: { kind: tabular }\npolicy: { kind: fit, epochs: 1 }\n",
  );
  console.error = (text: string) => void said.push(text);
  try {
    assertEquals(await main(["train", recipe, "--out", ""]), 2);
    assertEquals(await main(["export", join(dir, "run"), join(dir, "m.pth")]), 2);
  } finally {
    console.error = error;
  }
  assert(said[0].includes("--out"), said[0]);
  assert(said[1].includes("leave the ending out"), said[1]);
});
