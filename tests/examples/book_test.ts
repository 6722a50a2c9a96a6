/**
 * The examples of fastai's book, quickly: each finds what its chapter is about, and leaves its pictures.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { begin, type ChapterOptions } from "../../examples/book/support/chapter.ts";
import { main as intro } from "../../examples/book/01_intro.ts";
import { main as production } from "../../examples/book/02_production.ts";
import { main as mnistBasics } from "../../examples/book/04_mnist_basics.ts";
import { main as convolutions } from "../../examples/book/13_convolutions.ts";
import { main as resnet } from "../../examples/book/14_resnet.ts";
import { main as accelSgd } from "../../examples/book/16_accel_sgd.ts";
import { main as foundations } from "../../examples/book/17_foundations.ts";
import { main as learner } from "../../examples/book/19_learner.ts";
import { page } from "../docs/markdown.ts";

/** Chapters that have been tried, by the number in their file's name. */
const tried = new Set<string>();

/** Runs a chapter in a folder of its own, and checks what it found and its pictures. */
function chapter<T>(
  number: string,
  main: (options: ChapterOptions) => Promise<T>,
  pictures: readonly string[],
  check: (result: T) => void,
): void {
  tried.add(number);
  Deno.test(`the example of chapter ${Number(number)} of the book finds what the chapter is about`, async () => {
    const out = await Deno.makeTempDir(), log = console.log;
    console.log = () => {};
    try {
      const options: ChapterOptions = { device: "cpu", quick: true, seed: 42, out };
      await begin(options);
      check(await main(options));
      for (const name of pictures) {
        const bytes = await Deno.readFile(join(out, `${number}_${name}.png`));
        assertEquals([...bytes.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47], name);
        assert(bytes.length > 1500, `${name} has ${bytes.length} bytes`);
      }
    } finally {
      console.log = log;
      await Deno.remove(out, { recursive: true });
    }
  });
}

/** Fails unless a number lies above a bar. */
function above(bar: number, value: number | undefined, what: string): void {
  assert(value !== undefined && value > bar, `${what} is ${value}, not above ${bar}`);
}

chapter("01", intro, ["batch", "results", "confusion", "top_losses"], ({ foreground, overlaps }) => {
  above(0.8, foreground, "the share of shapes' pixels");
  above(0.9, overlaps.get("ground"), "the overlap of the ground");
  above(0.6, overlaps.get("circle"), "the overlap of circles"); // 0.13 where everything is one
});

chapter("02", production, ["confusion", "top_losses"], ({ errorRate, wrong, found, label }) => {
  above(0.6, 1 - errorRate, "the accuracy"); // the most frequent of three classes is 0.45
  above(0.5, found.length / wrong.length, "the share of wrong labels among the largest losses"); // 0.08 by chance
  assertEquals(label, "Flags");
});

chapter("04", mnistBasics, ["pixels"], ({ pixels, byHand, linear, net }) => {
  above(0.9, pixels, "the accuracy by mean pictures");
  above(0.85, byHand, "the accuracy by hand");
  above(0.93, linear, "the accuracy of a linear function");
  above(0.93, net, "the accuracy of a net");
});

chapter("13", convolutions, ["edges", "batch_norm_histogram", "high_rate_stats"], (result) => {
  above(2.5, result.edge, "the largest top edge");
  above(0.99, result.bad.nearZero.at(-1), "the share of dead activations"); // the rate was too high
  above(0.7, 1 - result.bad.accuracy, "the error of a dead net");
  above(0.75, result.oneCycle.accuracy, "the accuracy with one cycle");
  above(0.8, result.batchNorm.accuracy, "the accuracy with batch normalization");
  assert(result.batchNorm.nearZero.at(-1)! < 0.9, "activations are dead in spite of batch normalization");
});

chapter("14", resnet, ["losses"], ({ accuracies, losses }) => {
  above(0.35, accuracies.resnet, "the accuracy with shortcuts");
  above(0.35, accuracies.plain, "the accuracy without shortcuts");
  assert(Math.abs(losses.resnet[0] - Math.log(10)) < 0.5, "with blocks that are shortcuts, classes are equally likely");
});

chapter("16", accelSgd, ["optimizers"], ({ accuracies, adamDiffers, stoppedAfter }) => {
  for (const [name, accuracy] of Object.entries(accuracies)) above(0.6, accuracy, `the accuracy of ${name}`);
  assert(adamDiffers < 1e-4, `our Adam's losses differ by ${adamDiffers}`);
  above(stoppedAfter, 5, "the batch where the callback may end the fit at the latest");
});

chapter("17", foundations, ["loss"], ({ matmul, gradients, losses }) => {
  assert(matmul < 1e-5 && gradients < 1e-5, `${matmul}, ${gradients}`);
  assert(losses.at(-1)! < losses[0] / 5, `${losses}`);
});

chapter("19", learner, ["lr"], ({ accuracies, lrs }) => {
  above(0.7, accuracies.at(-1), "the accuracy");
  assertEquals(Math.max(...lrs), 0.4);
});

Deno.test("each chapter of the book has a test, a line in its list, and one in from_fastai.md", async () => {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(new URL("../../examples/book/", import.meta.url))) {
    if (name.endsWith(".ts")) files.push(name);
  }
  files.sort();
  assertEquals([...tried].sort(), files.map((name) => name.slice(0, 2)));
  const listed = [...(await page("examples/book/README.md")).matchAll(/\]\((\d\d_\w+\.ts)\)/g)].map(([, name]) => name);
  assertEquals(listed, files);
  const named = [...(await page("docs/from_fastai.md")).matchAll(/\]\(\.\.\/examples\/book\/(\d\d_\w+\.ts)\)/g)];
  assertEquals(named.map(([, name]) => name), files);
});
