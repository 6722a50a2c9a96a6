/**
 * The examples of texts, on a part of their data.
 *
 * @module
 */
import { assert } from "@std/assert";
import { join } from "@std/path";
import { loadChapters, main as mobyDick } from "../../examples/moby_dick.ts";
import { LmLearner, loadLearner } from "../../mod.ts";

Deno.test("the example of Moby Dick trains, writes on, and leaves a plot, an encoder and a learner", async () => {
  const out = await Deno.makeTempDir(), lines: string[] = [], log = console.log;
  console.log = (...parts: unknown[]) => void lines.push(parts.join(" "));
  try {
    const [first] = await loadChapters();
    assert(first.includes("Call me Ishmael. Some years ago—never mind how long precisely—having"), first.slice(0, 200));
    const learn = await mobyDick({
      epochs: 1,
      chapters: 12,
      size: 8,
      bs: 8,
      words: 6,
      start: "The whale",
      device: "cpu",
      out,
    });
    const row = learn.recorder.rows.at(-1)!;
    assert(
      row.perplexity !== null && row.perplexity < learn.textDls.textVocab.length,
      `the perplexity is ${row.perplexity}`,
    );
    assert(lines.some((line) => line.includes("The whale")), "nothing was written");
    for (const file of ["moby_loss.png", "models/moby.safetensors", "moby.safetensors"]) {
      assert((await Deno.stat(join(out, file))).size > 1000, file);
    }
    assert(await loadLearner(join(out, "moby.safetensors")) as unknown instanceof LmLearner);
  } finally {
    console.log = log;
    await Deno.remove(out, { recursive: true });
  }
});
