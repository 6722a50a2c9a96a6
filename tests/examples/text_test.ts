/**
 * The examples of texts, on a part of their data.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { loadChapters, main as mobyDick } from "../../examples/moby_dick.ts";
import { loadMails, main as spam } from "../../examples/spam.ts";
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

Deno.test("the example of mails goes the way of ULMFiT, and says how many it tells right", async () => {
  const out = await Deno.makeTempDir(), lines: string[] = [], log = console.log;
  console.log = (...parts: unknown[]) => void lines.push(parts.join(" "));
  try {
    const { texts, labels } = await loadMails(40);
    assertEquals([labels.filter((l) => l === "spam").length, texts.length], [20, 40]);
    assert(!texts.some((text) => text.includes("Received: from")), "heads of mails are there");
    const learn = await spam({ way: "ulmfit", mails: 60, epochs: 1, size: 8, seqLen: 16, out });
    assertEquals(learn.textDls.vocab, ["ham", "spam"]);
    assert(lines.some((line) => /^ulmfit: [0-9.]+ % of 12 mails are told right$/.test(line)), lines.join("\n"));
  } finally {
    console.log = log;
    await Deno.remove(out, { recursive: true });
  }
});
