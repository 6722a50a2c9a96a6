/**
 * The document's vision script, against a local server with a small archive of the same layout, and drawn weights.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { pack } from "tar-stream";
import { encodeSafetensors, type OutTensor } from "../../src/io/safetensors.ts";
import { init, readAll, Rng } from "../../src/tensor/mod.ts";
import { resnet18 } from "../../src/vision/models/mod.ts";
import { inFolder, noise } from "../vision/support/images.ts";
import { withServer } from "../vision/support/server.ts";

/** `oxford-iiit-pet.tgz` with 20 images of different sizes, and what else lies in it. */
async function archive(): Promise<Uint8Array<ArrayBuffer>> {
  const tar = pack();
  const add = (name: string, data: Uint8Array | string) =>
    tar.entry({ name: `oxford-iiit-pet/${name}` }, typeof data === "string" ? data : Uint8Array.from(data));
  add("annotations/list.txt", "#Image CLASS-ID SPECIES BREED ID\n");
  for (let i = 0; i < 20; i++) {
    const { data, width, height } = noise(50 + i, 70 - i, 70 + i);
    const jpg = await sharp(data, { raw: { width, height, channels: 3 } }).jpeg().toBuffer();
    add(`images/${i % 3 === 0 ? "Abyssinian" : "beagle"}_${i}.jpg`, jpg);
  }
  add("images/Abyssinian_100.mat", "no image");
  tar.finalize();
  return Uint8Array.from(gzipSync(await buffer(tar)));
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Weights as they are published: of 1,000 classes, with a counter of 64 bits. */
async function published(): Promise<Uint8Array<ArrayBuffer>> {
  await init({ device: "cpu" });
  const state = resnet18({ rng: new Rng(8) }).stateDict();
  const values = await readAll([...state.values()]);
  const tensors = new Map([...state].map(([name, { shape, dtype }], i): [string, OutTensor] => [
    name,
    dtype === "i32"
      ? { dtype: "i32", shape, data: Int32Array.from(values[i]), as: "I64" }
      : { dtype: "f32", shape, data: values[i] },
  ]));
  return joined(encodeSafetensors(tensors, { format: "pt" }));
}

Deno.test({
  name: "examples/pets.ts trains the norm layers of a frozen body",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    inFolder((base) =>
      withServer(new Uint8Array(0), async (images) => {
        images.body = await archive();
        await withServer(await published(), async (weights) => {
          const script = new URL("../../examples/pets.ts", import.meta.url).pathname;
          const url = images.url.replace("set.tgz", "oxford-iiit-pet.tgz");
          const model = weights.url.replace("set.tgz", "timm/resnet18/resolve/main/model.safetensors");
          const run = async () => {
            const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
              args: ["run", "-A", script, "--url", url, "--base", base, "--weights", model, "--size", "64", "--bs", "4"]
                .concat("--device", "cpu"),
              env: { FASTAI_HOME: base },
            }).output();
            const text = new TextDecoder().decode(stdout);
            assertEquals(code, 0, new TextDecoder().decode(stderr) + text);
            return text;
          };
          const text = await run();
          const numbers = text.trim().split("\n").at(-1)!.split(" ").map(Number);
          assertEquals(numbers.length, 64);
          assert(numbers.every(Number.isFinite) && numbers.some((v) => v !== 0), text);
          assert((await Deno.stat(join(base, "models", "timm--resnet18--model.safetensors"))).isFile);
          assertEquals([images.ranges.length, weights.ranges.length], [1, 1]);
          assertEquals((await run()).trim().split("\n").at(-1), text.trim().split("\n").at(-1)); // the same bits again
          assertEquals([images.ranges.length, weights.ranges.length], [1, 1]); // and nothing is fetched twice
        });
      })
    ),
});
