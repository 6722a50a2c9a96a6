/**
 * The recipes of the examples, shortened; the schema that editors check recipes with.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { trainRecipe } from "../../src/cli/train.ts";
import { type PredictionLine, predictRun } from "../../src/cli/inspect.ts";
import { readRecipe } from "../../src/cli/run_folder.ts";
import { recipeJsonSchema } from "../../src/cli/recipe/schema.ts";
import { silentLogger } from "../../mod.ts";
import { tempDir } from "../support/temp.ts";

const FOLDER = fromFileUrl(new URL("../../examples/recipes/", import.meta.url));

/** What makes each recipe short. */
const SHORT: Readonly<Record<string, readonly string[]>> = {
  "mnist_mlp.yaml": ["data.items=640", "policy.epochs=1"],
  "mnist_schedule.yaml": ["data.items=640"],
  "weather.yaml": ["policy.epochs=2"],
};

Deno.test("every recipe of the examples has its place in the table", async () => {
  const files = (await Array.fromAsync(Deno.readDir(FOLDER))).map(({ name }) => name).filter((name) =>
    name.endsWith(".yaml")
  );
  assertEquals(files.sort(), Object.keys(SHORT).sort());
});

for (const [name, set] of Object.entries(SHORT)) {
  Deno.test({
    name: `${name} trains`,
    sanitizeOps: false, // the device lives for the whole process
    sanitizeResources: false,
    fn: async () => {
      const file = join(FOLDER, name);
      const out = join(tempDir(), "run");
      const { rows } = await trainRecipe(await readRecipe(file, [...set, "device=cpu"]), file, {
        logger: silentLogger,
        out,
      });
      assert(Number.isFinite(rows.at(-1)?.valid_loss), JSON.stringify(rows));
      if (name === "weather.yaml") await predictsTables(out);
    },
  });
}

/** Rows of a file in another order of columns, with one missing cell and one column too many. */
async function predictsTables(run: string): Promise<void> {
  const file = join(run, "new.csv");
  await Deno.writeTextFile(
    file,
    "wind,location,note,temp_max,temp_min,precipitation\n4.7,Seattle,x,12.8,5,0\n2,New York,y,,20,0\n",
  );
  const found = await predictRun(run, [file], [], silentLogger) as PredictionLine[];
  assertEquals(found.map(({ input }) => input), [`${file} row 1`, `${file} row 2`]);
  const pairs = ["wind=4.7", "location=Seattle", "temp_max=12.8", "temp_min=5", "precipitation=0"];
  const [single] = await predictRun(run, pairs, [], silentLogger) as PredictionLine[];
  assertEquals(found[0].prediction, single.prediction);
  assert(Math.abs(found[0].probability! - single.probability!) < 1e-6);
}

Deno.test("the published JSON Schema is that of the code", async () => {
  const published = JSON.parse(await Deno.readTextFile(join(FOLDER, "recipe.schema.json")));
  assertEquals(published, JSON.parse(JSON.stringify(recipeJsonSchema())));
  assertEquals(published.required.sort(), ["data", "model", "policy"]);
});
