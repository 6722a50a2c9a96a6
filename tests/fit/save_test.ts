/**
 * Where models are saved, and found again.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { isAbsolute, join } from "@std/path";
import { CheckpointError } from "../../src/base/errors.ts";
import { readAll, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { linearLearner } from "../train/learners.ts";

onDevices("names lie in modelDir, absolute paths where they say, and load takes what save gave", async () => {
  const here = await Deno.makeTempDir(), before = Deno.cwd();
  Deno.chdir(here); // relative paths are relative to it
  try {
    for (
      const [name, path] of [
        ["one", join("models", "one.safetensors")],
        ["in/two.safetensors", join("models", "in", "two.safetensors")],
        [join(here, "far", "three"), join(here, "far", "three.safetensors")],
      ]
    ) {
      const learn = linearLearner();
      await learn.fit(1);
      assertEquals(await learn.save(name), path);
      assertEquals((await Deno.stat(isAbsolute(path) ? path : join(here, path))).isFile, true);
      const want = await readAll(learn.model.parameters());
      for (const from of [name, path]) {
        for (const p of learn.model.parameters()) p.assign(tensor(new Float32Array(p.size), { shape: [...p.shape] }));
        await learn.load(from);
        assertEquals(await readAll(learn.model.parameters()), want);
      }
      assertEquals(learn.opt.stateDict().state.length, 2);
    }
    const error = await assertRejects(() => linearLearner().load("none.safetensors"), CheckpointError);
    assertEquals(error.message, `Cannot load ${join("models", "none.safetensors")}: there is no such file`);
  } finally {
    Deno.chdir(before);
    await Deno.remove(here, { recursive: true });
  }
}, { kinds: ["reference"] });
