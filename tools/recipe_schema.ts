/**
 * Writes `examples/recipes/recipe.schema.json`, which editors check recipes with; `--check` fails where it is stale.
 *
 * @module
 */
import { recipeJsonSchema } from "../src/cli/recipe/schema.ts";

const path = new URL("../examples/recipes/recipe.schema.json", import.meta.url);

if (import.meta.main) {
  const text = JSON.stringify(recipeJsonSchema(), null, 2) + "\n";
  if (!Deno.args.includes("--check")) await Deno.writeTextFile(path, text);
  else if (await Deno.readTextFile(path).catch(() => "") !== text) {
    console.error("examples/recipes/recipe.schema.json is stale: run deno task recipe-schema");
    Deno.exit(1);
  }
}
