/**
 * The example of schedules runs: every check in it holds and every picture is there.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";

const PICTURES = [
  "annealers",
  "poly",
  "combined",
  "combined_cos",
  "one_cycle",
  "flat_cos",
  "sgdr",
  "resume",
  "lr_find",
];
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

Deno.test("examples/callback_schedule.ts holds all its checks and draws its pictures", async () => {
  const out = await Deno.makeTempDir();
  try {
    const script = new URL("../../examples/callback_schedule.ts", import.meta.url).pathname;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", script, "--out", out],
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    assert(new TextDecoder().decode(stdout).includes("Vision (PETS, vision_learner): examples/pets.ts"));
    const files = [...Deno.readDirSync(out)].map((f) => f.name).sort();
    assertEquals(files, PICTURES.map((name) => `${name}.png`).sort());
    for (const name of files) {
      const bytes = await Deno.readFile(join(out, name));
      assertEquals([...bytes.subarray(0, 8)], PNG, name);
      assert(bytes.length > 2000, `${name} has ${bytes.length} bytes`);
    }
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});
