/**
 * Writes `tests/fit/exported_names.txt`, the snapshot of what `mod.ts` exports; `--check` only says whether it is fresh.
 *
 *     deno task names
 *
 * @module
 */
import * as anneal from "../mod.ts";

const file = new URL("../tests/fit/exported_names.txt", import.meta.url);
const names = Object.keys(anneal).sort().join("\n") + "\n";
if (!Deno.args.includes("--check")) await Deno.writeTextFile(file, names);
else if (await Deno.readTextFile(file) !== names) {
  console.error("tests/fit/exported_names.txt is not what mod.ts exports: deno task names writes it");
  Deno.exit(1);
}
