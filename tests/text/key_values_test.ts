/**
 * Keys and values that a GPT keeps of a text that it writes on: the same text as without, past its context, by two programs.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  applyLora,
  ConfigError,
  gptModel,
  hookOutputs,
  languageModelLearner,
  noGrad,
  setSeed,
  ShapeError,
  tensor,
  TextDataLoaders,
  Tokenizer,
} from "../../mod.ts";
import type { Gpt } from "../../src/text/models/gpt.ts";
import { silentLogger } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";

const lines = Array.from({ length: 24 }, (_, i) => `the ${["cat", "dog", "bird"][i % 3]} sings ${i * 7 % 10} songs.`);

async function learner(blockSize: number) {
  setSeed(6);
  const tokenizer = Tokenizer.chars(), logger = silentLogger;
  const dls = await TextDataLoaders.fromTexts(lines, { isLm: true, bs: 4, seqLen: 16, seed: 1, tokenizer });
  const learn = await languageModelLearner(dls, gptModel({ nLayer: 2, nHead: 2, nEmbd: 16, blockSize }), { logger });
  await learn.fit(1, { lr: 1e-2 });
  for (const { attn } of (learn.model.encoder as Gpt).h) { // so that what a token sees changes what comes next
    attn.cAttn.weight.assign(attn.cAttn.weight.mul(8));
    attn.cProj.weight.assign(attn.cProj.weight.mul(8));
  }
  return learn;
}

onDevices("a GPT that keeps keys and values writes what it writes without, also past its context", async (device) => {
  const learn = await learner(40), { encoder } = learn.model, keeps = encoder.cache.bind(encoder);
  let kept = 0;
  for (
    const [start, n, options] of [
      ["the", 50, { temperature: 0 }], // from position 40 on the window moves
      ["the cat sings, the bird sings", 8, { seed: 3 }], // a start that is longer than the shortest width
      ["", 30, { seed: 4, temperature: 1.5 }],
      [lines.join(" "), 3, { seed: 5 }], // a start beyond the context
    ] as const
  ) {
    encoder.cache = (positions) => {
      kept++;
      return keeps(positions);
    };
    const text = await learn.predict(start, n, options);
    encoder.cache = () => null;
    assertEquals(text, await learn.predict(start, n, options), JSON.stringify(options));
  }
  assertEquals(kept, 4);
  encoder.cache = keeps;
  const before = device.stats();
  for (let n = 1; n < 30; n += 7) await learn.predict("the cat".slice(0, n), n + 3, { seed: n });
  assertEquals(device.stats().programs, before.programs, "no length has a program of its own");
}, { kinds: ["cpu", "webgpu"] });

onDevices("token by token a GPT gives the features of the whole text, with LoRA, too", async (device) => {
  setSeed(7);
  const gpt = await gptModel({ nLayer: 2, nHead: 2, nEmbd: 12, blockSize: 20 })(30);
  const lora = applyLora(gpt, { rank: 2 });
  for (const p of lora.parameters()) {
    p.assign(tensor(Float32Array.from({ length: p.size }, (_, i) => Math.sin(i)), { shape: [...p.shape] }));
  }
  gpt.eval();
  const ids = Int32Array.from({ length: 18 }, (_, i) => i * 11 % 30), cache = gpt.cache(18)!;
  const row = (from: number, to: number) => tensor(ids.slice(from, to), { shape: [1, to - from] });
  const want = await noGrad(() => gpt.forward(row(0, 18))).data();
  const padded = Int32Array.from({ length: 8 }, (_, i) => i < 5 ? ids[i] : 29); // three are no part of the text
  const got = [...(await noGrad(() => cache.start(tensor(padded, { shape: [1, 8] }))).data()).slice(0, 5 * 12)];
  for (let at = 5; at < 18; at++) got.push(...await noGrad(() => cache.next(row(at, at + 1), at)).data());
  assertEquals(got.length, want.length);
  got.forEach((v, i) => assert(Math.abs(v - want[i]) < 1e-5, `feature ${i} is ${v}, not ${want[i]}`));
  const live = device.stats().liveBytes;
  cache.dispose();
  assert(live - device.stats().liveBytes >= 2 * 2 * 18 * 12 * 4, "the memory of two layers is given back");
});

Deno.test("what cannot be kept is refused, and who watches a GPT sees every token go through it", async () => {
  const learn = await learner(24), { encoder } = learn.model;
  assertThrows(() => encoder.cache(25), ShapeError, "it has 24");
  assertThrows(() => encoder.cache(0), ConfigError, "positions");
  let calls = 0;
  const hook = hookOutputs([encoder], { transform: () => ++calls });
  assertEquals(encoder.cache(8), null);
  const text = await learn.predict("the", 5, { seed: 1 });
  assertEquals(calls, 5);
  hook.remove();
  assertEquals(await learn.predict("the", 5, { seed: 1 }), text);
});
