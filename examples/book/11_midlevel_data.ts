/**
 * Chapter 11, "Data munging with the mid-level API": when no ready loader fits. Transforms that can be undone, transforms of
 * pictures of one's own, and a set of pairs, of which a net is to say whether both show the same digit (chapter 15 trains it).
 *
 *     deno run -A examples/book/11_midlevel_data.ts
 */
import { join } from "@std/path";
import {
  BatchTransform,
  DataLoader,
  DataLoaders,
  type Dataset,
  ImageDataLoaders,
  type ImageSize,
  type ItemPart,
  ItemTransform,
  type PixelOp,
  plotImages,
  Rng,
  type Tensor,
  Tokenizer,
} from "../../mod.ts";
import { loadChapters } from "../moby_dick.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";
import { type Digits, loadDigits } from "./support/digits.ts";
import { drawShapes } from "./support/shapes.ts";

/** What came out. */
export interface Result {
  /** Whether a sentence came back from its numbers. */
  readonly roundTrip: boolean;
  /** Shape of a batch of pictures, and the largest difference between their channels. */
  readonly shape: readonly number[];
  /** See `shape`. */
  readonly colored: number;
  /** Share of pairs of the same digit, and how many of the labels are wrong. */
  readonly same: number;
  /** See `same`. */
  readonly wrong: number;
  /** Share of the pairs that are others in the next epoch, in training and in validation. */
  readonly changed: { readonly train: number; readonly valid: number };
}

/** A transform of single pictures says what is to be done, so that masks and points follow: here, the middle alone. */
class Middle extends ItemTransform {
  readonly size: ImageSize;
  constructor(readonly side: number) {
    super();
    this.size = { width: side, height: side };
  }
  override plan({ width, height }: ImageSize): readonly PixelOp[] {
    const left = Math.floor((width - this.side) / 2), top = Math.floor((height - this.side) / 2);
    return [{ op: "crop", left, top, width: this.side, height: this.side }];
  }
  override steady(): boolean {
    return true; // nothing random: pictures are decoded and cut once
  }
}

/** A transform of batches is an expression on the device: here, colors to grey. */
class Grey extends BatchTransform {
  override apply(x: Tensor): Tensor {
    return x.mean({ axis: 1, keepdim: true }).expand(x.shape);
  }
}

/** Pairs of digits. An item of a `Dataset` is made when it is asked for; random numbers come from `rng`, so runs resume. */
export class SiamesePairs implements Dataset {
  /** Types of the parts of an item: two pictures, and 1 where both show the same digit. */
  readonly dtypes = ["f32", "f32", "i32"] as const;
  readonly #byClass: readonly (readonly number[])[];
  constructor(readonly digits: Digits, readonly fixed: boolean) {
    this.#byClass = Array.from(
      { length: 10 },
      (_, c) => [...digits.classes.keys()].filter((i) => digits.classes[i] === c),
    );
  }
  get length(): number {
    return this.digits.n;
  }
  /** The digit of number `i`, its partner, and whether they are the same; validation has the same pairs in every epoch. */
  pair(i: number, rng: Rng): readonly [number, number, number] {
    const random = this.fixed ? new Rng(i) : rng, own = this.digits.classes[i];
    const same = random.uniform() < 0.5, other = (own + 1 + random.integer(9)) % 10;
    const among = this.#byClass[same ? own : other];
    return [i, among[random.integer(among.length)], Number(same)];
  }
  /** See `Dataset`. */
  get(i: number, rng: Rng): readonly ItemPart[] {
    const [a, b, same] = this.pair(i, rng);
    return [this.#picture(a), this.#picture(b), same];
  }
  #picture(i: number): { data: Float32Array; shape: readonly number[] } {
    const pixels = this.digits.data.subarray(784 * i, 784 * (i + 1));
    return { data: Float32Array.from(pixels, (v) => v / 255), shape: [1, 28, 28] };
  }
}

/** Loaders of pairs: two inputs and a target. */
export function siameseLoaders(train: Digits, valid: Digits, { bs, seed }: { bs: number; seed: number }): DataLoaders {
  return new DataLoaders(
    new DataLoader({ dataset: new SiamesePairs(train, false), bs, shuffle: true, seed, random: true, dropLast: true }),
    new DataLoader({ dataset: new SiamesePairs(valid, true), bs }),
    { nInp: 2 },
  );
}

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  // a tokenizer is a transform with a set-up, a way there and a way back
  const [text] = await loadChapters(), sentence = "Call me Ishmael. There now is your insular city of the Manhattoes.";
  const tokenizer = await Tokenizer.words({ minFreq: 1 }).learn([text]);
  const ids = tokenizer.encode(sentence), back = tokenizer.decode(ids);
  console.log(`${tokenizer.tokenize(sentence).join(" ")}\n${Array.from(ids).join(" ")}\n${back}\n`);

  // transforms of one's own go where the ready ones go
  const drawings = await drawShapes({ n: 40, size: 48, folder: join(out, "midlevel"), seed });
  const pictures = await ImageDataLoaders.fromNameRe(out, drawings.map(({ file }) => file), /^([a-z]+)_/, {
    itemTfms: new Middle(40),
    batchTfms: new Grey(),
    splitter: (files) => [[...files.keys()].slice(8), [...files.keys()].slice(0, 1)],
    bs: 16,
    seed,
  });
  await (await pictures.showBatch()).save(join(out, "11_grey.png"));
  const [xb] = (await pictures.train.peek())!, channels = xb.split(1, { axis: 1 });
  const colored = await channels[0].sub(channels[2]).abs().max().item();

  // pairs
  const { train, valid } = await loadDigits({ train: quick ? 500 : 5000, valid: 200 });
  const dls = siameseLoaders(train, valid, { bs: 32, seed });
  const [a, b, y] = (await dls.train.peek())! as unknown as readonly Tensor[];
  console.log(`A batch: ${[a, b, y].map((t) => `${t.dtype} [${t.shape.join(", ")}]`).join(", ")}`);
  const [left, right, labels] = await Promise.all([a.data(), b.data(), y.data()]);
  const shown = Array.from({ length: 9 }, (_, i) => {
    const data = new Uint8Array(28 * 57).fill(255);
    for (let r = 0; r < 28; r++) {
      for (let c = 0; c < 28; c++) {
        data[57 * r + c] = Math.round(255 * left[784 * i + 28 * r + c]);
        data[57 * r + 29 + c] = Math.round(255 * right[784 * i + 28 * r + c]);
      }
    }
    return { data, width: 57, height: 28, channels: 1 };
  });
  await plotImages(shown, { titles: shown.map((_, i) => labels[i] === 1 ? "same" : "different") })
    .save(join(out, "11_pairs.png"));

  // is what they say true, and is an epoch of training unlike the one before?
  let same = 0, wrong = 0;
  const changed = { train: 0, valid: 0 };
  for (const [name, digits] of [["train", train], ["valid", valid]] as const) {
    const set = new SiamesePairs(digits, name === "valid"), rng = new Rng(seed);
    for (let i = 0; i < set.length; i++) {
      const [i1, j1, is] = set.pair(i, rng), [, j2] = set.pair(i, rng);
      if (name === "train") same += is / set.length;
      if (Number(digits.classes[i1] === digits.classes[j1]) !== is) wrong++;
      if (j1 !== j2) changed[name] += 1 / set.length;
    }
  }
  console.log(`${(100 * same).toFixed(0)} % of the pairs are the same digit, ${wrong} labels are wrong`);
  return { roundTrip: back === sentence, shape: xb.shape, colored, same, wrong, changed };
}

if (import.meta.main) await runChapter("Chapter 11: transforms and pairs of one's own.", main);
