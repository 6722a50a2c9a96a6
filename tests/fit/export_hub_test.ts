/**
 * Learners as repositories of the hub.
 *
 * @module
 */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  ConfigError,
  DataLoaders,
  Learner,
  loadLearner,
  nn,
  openSafetensors,
  setSeed,
  silentLogger,
} from "../../mod.ts";
import { onDevices } from "../support/devices.ts";
import { tempDir } from "../support/temp.ts";

onDevices("weights under PyTorch's names, a config with the classes, and a learner again", async () => {
  setSeed(1);
  const rows = Array.from({ length: 60 }, (_, i) => ({ x: i + 0.5, word: "pqr"[i % 3], y: ["no", "yes"][i % 2] }));
  const dls = await DataLoaders.fromTable(rows, { target: "y" });
  const learn = new Learner(dls, new nn.TabularModel(dls.schema, 2, { layers: [8] }), {
    lossFunc: new nn.CrossEntropyLoss(),
    logger: silentLogger,
  });
  const dir = tempDir();
  const [weights, config] = await learn.exportHub(join(dir, "repo"), { config: { model_type: "mine", hidden: [8] } });
  assertEquals([weights, config], [join(dir, "repo", "model.safetensors"), join(dir, "repo", "config.json")]);
  const json = JSON.parse(await Deno.readTextFile(config));
  assertEquals(
    [json.architectures, json.id2label, json.label2id, json.num_labels, json.torch_dtype, json.model_type, json.hidden],
    [["TabularModel"], { 0: "no", 1: "yes" }, { no: 0, yes: 1 }, 2, "float32", "mine", [8]],
  );
  const file = await openSafetensors(weights);
  assertEquals([...file.names].sort(), [...learn.model.stateDict().keys()].sort());
  assertEquals(file.metadata.get("format"), "pt");
  const row = { x: 3, word: "q" }, want = await (await learn.predict(row)).pred.data();
  assertEquals(await (await (await loadLearner(weights, { logger: silentLogger })).predict(row)).pred.data(), want);
  for (const dtype of ["f16", "bf16"] as const) {
    const [half] = await learn.exportHub(join(dir, dtype), { dtype });
    const opened = await openSafetensors(half);
    const types = new Set(opened.names.map((name) => opened.info(name).dtype));
    assert(types.has(dtype.toUpperCase()) && !types.has("F32"), [...types].join());
    const got = await (await (await loadLearner(half, { logger: silentLogger })).predict(row)).pred.data();
    assertAlmostEquals(got[0], want[0], 0.02);
  }
  await assertRejects(
    () => learn.exportHub(dir, { config: { a: { b: [1, NaN] } } }),
    ConfigError,
    "config.a.b[1] as JSON: it is NaN",
  );
  await assertRejects(
    () => learn.exportHub(dir, { config: { f: () => 1 } }),
    ConfigError,
    "config.f as JSON: it is a function",
  );
}, { kinds: ["cpu"] });
