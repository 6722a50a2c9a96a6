/**
 * Images a second from JPEG files to batches, beside Pillow in as many processes as there are processors: 500 x 375 pixels,
 * cut and resized to 224 x 224 as fastai's `Resize` does it. `deno run -A bench/images.ts`; Pillow is timed where
 * `python3` has it.
 *
 * @module
 */
import { join } from "@std/path";
import sharp from "sharp";
import { getImageFiles, ImageDataLoaders, Resize } from "../src/entry/vision.ts";
import { Rng } from "../src/tensor/mod.ts";

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

const WIDTH = 500, HEIGHT = 375, FILES = 400, ROUNDS = 7;

/** A picture of slopes, edges and some noise: a JPEG of about 45 kB, as a photograph of this size is. */
async function picture(seed: number): Promise<Uint8Array> {
  const rng = new Rng(seed),
    waves = Array.from({ length: 24 }, () => {
      const pitch = 2 ** (7 * rng.uniform()) / WIDTH, angle = 2 * Math.PI * rng.uniform();
      return {
        x: pitch * Math.cos(angle) * 6,
        y: pitch * Math.sin(angle) * 6,
        c: rng.integer(3),
        a: 30 / (1 + 40 * pitch),
      };
    });
  const data = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let y = 0, i = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const rgb = [128, 128, 128];
      for (const w of waves) {
        rgb[w.c] += w.a * Math.sign(Math.sin(w.x * x + w.y * y)) + w.a * Math.sin(w.y * x - w.x * y);
      }
      for (const v of rgb) data[i++] = Math.min(255, Math.max(0, v + 8 * (rng.uniform() - 0.5)));
    }
  }
  return await sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } }).jpeg({ quality: 90 }).toBuffer();
}

const PILLOW = `
import glob, os, random, sys, time
from multiprocessing import Pool
import numpy as np
from PIL import Image
def load(file):
    image = Image.open(file).convert("RGB")
    w, h = image.size
    side = min(w, h)
    left, top = random.randint(0, w - side), random.randint(0, h - side)
    return np.asarray(image.resize((224, 224), Image.BILINEAR, (left, top, left + side, top + side)))
def batch(files):
    return np.stack([load(f) for f in files])
if __name__ == "__main__":
    files = sorted(glob.glob(os.path.join(sys.argv[1], "*.jpg")))
    batches = [files[i:i + 50] for i in range(0, len(files), 50)]
    with Pool(os.cpu_count()) as pool:
        for _ in pool.imap(batch, batches): pass
        print("ready", flush=True)
        for line in sys.stdin:
            start = time.perf_counter()
            for _ in pool.imap(batch, batches): pass
            print(len(files) / (time.perf_counter() - start), flush=True)
`;

/** Pillow in processes of its own, which wait for their turn. */
async function pillow(folder: string): Promise<{ turn(): Promise<number>; end(): Promise<void> } | null> {
  const script = join(folder, "pillow.py");
  await Deno.writeTextFile(script, PILLOW);
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command("python3", { args: [script, folder], stdin: "piped", stdout: "piped", stderr: "null" })
      .spawn();
  } catch {
    return null;
  }
  let text = "";
  const line = async (): Promise<string | null> => {
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) return null;
      text += value;
    }
    const end = text.indexOf("\n"), first = text.slice(0, end);
    text = text.slice(end + 1);
    return first;
  };
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader(), writer = child.stdin.getWriter();
  if (await line() === null) return null; // no Pillow
  return {
    turn: async () => {
      await writer.write(new TextEncoder().encode("\n"));
      return Number(await line());
    },
    end: async () => {
      await writer.close();
      await child.status;
    },
  };
}

const folder = await Deno.makeTempDir();
try {
  const pictures = await Promise.all(Array.from({ length: 8 }, (_, i) => picture(i)));
  for (let i = 0; i < FILES; i++) {
    await Deno.writeFile(join(folder, `${i % 2 === 0 ? "even" : "odd"}_${i}.jpg`), pictures[i % pictures.length]);
  }
  console.log(
    `${FILES} files of ${Math.round(pictures.reduce((n, p) => n + p.length, 0) / pictures.length / 1000)} kB`,
  );
  const files = await getImageFiles(folder);
  const dls = await ImageDataLoaders.fromNameFunc(folder, files, (name) => name.startsWith("even"), {
    itemTfms: [new Resize(224)],
    bs: 50,
    validPct: 0,
    seed: 1,
    cacheBytes: 0,
    resident: false,
  });
  const epoch = async (): Promise<number> => {
    const start = performance.now();
    let images = 0;
    for await (const batch of dls.train) {
      images += batch[0].shape[0];
      for (const t of batch) t.dispose();
    }
    return images / (performance.now() - start) * 1000;
  };
  await epoch();
  const peer = await pillow(folder);
  const own: number[] = [], others: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await epoch());
    if (peer !== null) others.push(await peer.turn());
  }
  await peer?.end();
  console.log(`Anneal: ${median(own).toFixed(0)} images/s`);
  if (peer === null) console.log("Pillow: not there");
  else {
    const ratios = own.map((v, i) => v / others[i]);
    console.log(`Pillow, ${navigator.hardwareConcurrency} processes: ${median(others).toFixed(0)} images/s`);
    console.log(`ratio ${median(ratios).toFixed(2)} (${ratios.map((r) => r.toFixed(2)).join(", ")})`);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
