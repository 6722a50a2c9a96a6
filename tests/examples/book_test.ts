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
import { main as breeds } from "../../examples/book/05_pet_breeds.ts";
import { main as multicat } from "../../examples/book/06_multicat.ts";
import { main as sizing } from "../../examples/book/07_sizing_and_tta.ts";
import { main as collab } from "../../examples/book/08_collab.ts";
import { main as tabular } from "../../examples/book/09_tabular.ts";
import { main as nlp } from "../../examples/book/10_nlp.ts";
import { main as midlevel } from "../../examples/book/11_midlevel_data.ts";
import { inWords, main as nlpDive } from "../../examples/book/12_nlp_dive.ts";
import { main as convolutions } from "../../examples/book/13_convolutions.ts";
import { main as resnet } from "../../examples/book/14_resnet.ts";
import { main as archDetails } from "../../examples/book/15_arch_details.ts";
import { main as accelSgd } from "../../examples/book/16_accel_sgd.ts";
import { main as foundations } from "../../examples/book/17_foundations.ts";
import { main as cam } from "../../examples/book/18_cam.ts";
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
  above(0.35, found.length / wrong.length, "the share of wrong labels among the largest losses"); // 0.08 by chance
  assertEquals(label, "Flags");
});

chapter("04", mnistBasics, ["pixels"], ({ pixels, byHand, linear, net }) => {
  above(0.9, pixels, "the accuracy by mean pictures");
  above(0.85, byHand, "the accuracy by hand");
  above(0.93, linear, "the accuracy of a linear function");
  above(0.93, net, "the accuracy of a net");
});

chapter("05", breeds, ["batch", "lr_find", "loss", "confusion"], ({ shape, valley, tuned, scratch, moved }) => {
  assertEquals(shape, [8, 3, 40, 40]); // pictures of 60 pixels, brought to 56 and then to 40
  assert(valley !== null && valley > 1e-5 && valley < 0.5, `the finder suggests ${valley}`);
  above(0.58, 1 - tuned, "the accuracy after fine-tuning");
  above(0.4, 1 - scratch, "the accuracy from nothing");
  above(0, moved.first, "what the first weights moved");
  above(2 * moved.first, moved.last, "what the last weights moved, whose rate is the largest");
});

chapter("06", multicat, ["multi_batch", "threshold", "multi_results", "points_batch", "points_results"], (result) => {
  above(result.baseline + 0.06, result.accuracy, "the accuracy of colors");
  assert(result.distance < 0.65 * result.baselineDistance, `${result.distance} of ${result.baselineDistance} pixels`);
});

chapter("07", sizing, ["batch", "results"], ({ normalized, small, large, tta, mixup, sureness }) => {
  assert(Math.abs(normalized.mean) < 0.01 && Math.abs(normalized.std - 1) < 0.01, JSON.stringify(normalized));
  for (const [name, value] of Object.entries({ small, large, tta, mixup })) above(0.5, value, name); // flags are 0.33
  assert(Object.values(sureness).every((v) => v > 0.3 && v <= 1), JSON.stringify(sureness));
});

chapter("08", collab, ["components"], ({ losses, noise, biasCorrelation, axisCorrelation }) => {
  above(noise * 0.9, losses.own, "the loss, which no honest model can have below the noise");
  assert(losses.own < 0.25 * losses.mean && losses.dotBias < 0.25 * losses.mean, JSON.stringify(losses));
  assert(losses.net < losses.mean, JSON.stringify(losses));
  above(0.8, biasCorrelation, "the correlation of biases with quality");
  above(0.9, axisCorrelation, "the correlation of the first component with action against drama");
});

chapter("09", tabular, ["importance", "predictions", "dependence"], ({ rmse, baseline, r2, columns, dollars }) => {
  assert(rmse < 0.9 * baseline, `${rmse} of ${baseline}`);
  above(0.15, r2, "the share of variance");
  assertEquals(columns[0], "log_budget");
  above(2 * dollars[0], dollars[1], "what an expensive film earns");
});

chapter("10", nlp, ["language_model", "confusion"], (result) => {
  assert(result.shifted, "targets are not the next words");
  assert(result.perplexity < result.words / 4, `the perplexity is ${result.perplexity} of ${result.words} words`);
  assert(result.written.startsWith("Please send"), result.written);
  above(0.55, result.accuracy, "the accuracy");
});

chapter("11", midlevel, ["grey", "pairs"], ({ roundTrip, shape, colored, same, wrong, changed }) => {
  assert(roundTrip, "the sentence came back as another one");
  assertEquals([shape, colored, wrong, changed.valid], [[16, 3, 40, 40], 0, 0, 0]);
  assert(same > 0.4 && same < 0.6, `${same} of the pairs are the same digit`);
  above(0.9, changed.train, "the share of new pairs in an epoch");
});

chapter("12", nlpDive, ["accuracy"], ({ baseline, rnn, lstm, regularized }) => {
  assertEquals(inWords(7350).join(" "), "seven thousand three hundred fifty");
  assertEquals(inWords(9016).join(" "), "nine thousand sixteen");
  for (const [name, value] of Object.entries({ rnn, lstm, regularized })) above(baseline + 0.2, value, name);
});

chapter("13", convolutions, ["edges", "batch_norm_histogram", "high_rate_stats"], (result) => {
  above(2.5, result.edge, "the largest top edge");
  // the rate was too high: next to nothing is alive
  above(0.85, result.bad.nearZero.at(-1), "the share of dead activations");
  above(result.batchNorm.nearZero.at(-1)! + 0.1, result.bad.nearZero.at(-1), "the same, against batch normalization");
  above(0.7, 1 - result.bad.accuracy, "the error of a dead net");
  above(0.75, result.oneCycle.accuracy, "the accuracy with one cycle");
  above(0.8, result.batchNorm.accuracy, "the accuracy with batch normalization");
});

chapter("14", resnet, ["losses"], ({ accuracies, losses }) => {
  above(0.35, accuracies.resnet, "the accuracy with shortcuts");
  above(0.35, accuracies.plain, "the accuracy without shortcuts");
  assert(Math.abs(losses.resnet[0] - Math.log(10)) < 0.5, "with blocks that are shortcuts, classes are equally likely");
});

chapter("15", archDetails, ["loss"], ({ accuracy, sizes, unet, moved }) => {
  above(0.6, accuracy, "the accuracy of pairs"); // 0.5 by chance
  assertEquals(sizes, [[1, 16, 14, 14], [1, 32, 7, 7], [1, 64, 4, 4]]);
  assertEquals(unet, [1, 2, 32, 32]);
  assertEquals(moved.frozen, 0);
  above(1e-3, moved.unfrozen, "what the first weights moved");
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

chapter("18", cam, ["cam_and_grad_cam", "maps"], ({ accuracy, hits, differs }) => {
  above(0.5, accuracy, "the accuracy");
  assert(differs < 1e-4, `maps by hand and the library's differ by ${differs}`);
  above(hits.chance + 0.15, hits.cam, "how often CAM finds the shape");
  above(hits.chance + 0.15, hits.gradCam, "how often Grad-CAM finds the shape");
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
