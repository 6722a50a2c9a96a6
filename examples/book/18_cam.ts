/**
 * Chapter 18, "CNN interpretation with CAM": which part of a picture made the net decide? The map is computed by hand, with
 * hooks that catch what layers give, and by the library; and since the pictures are drawn, we know where it should be bright.
 *
 *     deno run -A examples/book/18_cam.ts
 */
import { join } from "@std/path";
import {
  accuracy,
  activationMap,
  defineArch,
  grad,
  hookOutputs,
  ImageDataLoaders,
  nn,
  noGrad,
  readAll,
  sideBySide,
  SimpleCnn,
  visionLearner,
} from "../../mod.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";
import { drawShapes, type Kind, type Shape } from "./support/shapes.ts";

/** What came out. */
export interface Result {
  /** Share of the validation pictures that are told right. */
  readonly accuracy: number;
  /** Share of pictures whose brightest place lies on the shape: by CAM, by Grad-CAM, and by chance. */
  readonly hits: { readonly cam: number; readonly gradCam: number; readonly chance: number };
  /** Largest difference between maps by hand and the library's, relative to the largest value. */
  readonly differs: number;
}

const SIZE = 48;
const body = defineArch("threeConvs", (options) => new SimpleCnn({ ...options, filters: [16, 32, 64] }));

/** Whether the middle of the brightest cell of a map lies on the shape, give or take half a cell. */
function onShape(values: Float32Array, width: number, { x, y, r }: Shape): boolean {
  const at = values.indexOf(Math.max(...values)), cell = SIZE / width;
  const px = (at % width + 0.5) * cell, py = (Math.floor(at / width) + 0.5) * cell;
  return Math.hypot(px - x, py - y) < r + cell / 2;
}

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  const kinds: readonly Kind[] = quick ? ["circle", "cross"] : ["circle", "cross", "ring"];
  const drawings = await drawShapes({
    n: quick ? 160 : 600,
    size: SIZE,
    kinds,
    folder: join(out, "cam"),
    seed,
  });
  const shapeOf = new Map(drawings.map(({ file, shapes }) => [file, shapes[0]]));
  const files = drawings.map(({ file }) => file);
  const dls = await ImageDataLoaders.fromNameRe(out, files, /^([a-z]+)_\d+\.ppm$/, { bs: 16, validPct: 0.25, seed });

  // CAM needs a head of a mean and one linear layer: then a class's score is a weighted mean of the places' activations
  const last = new nn.Linear(64, kinds.length);
  const customHead = new nn.Sequential(new nn.AdaptiveAvgPool2d(1), new nn.Flatten(), last);
  const learn = await visionLearner(dls, body, { pretrained: false, customHead, metrics: [accuracy] });
  await learn.fitOneCycle(quick ? 6 : 16, { lrMax: 1e-2 });

  // by hand: a hook on the body keeps what it gives; its channels are weighed as the last layer weighs them
  const [first] = dls.validSet.files, [input] = await dls.itemInputs([first]);
  const { model } = learn, x = input.unsqueeze(0);
  model.eval();
  using hooks = hookOutputs([model.at(0)]);
  const scores = model.forward(x), activations = hooks.stored[0]!; // [1, 64, 6, 6]
  const label = await scores.argmax({ axis: 1 }).item();
  const weights = last.weight.slice([[label, label + 1]]).reshape([1, 64, 1, 1]);
  const cam = noGrad(() => activations.mul(weights).sum({ axis: 1 }));
  // Grad-CAM works for any layer of any net: channels are weighed by the mean of the score's gradient. Over a mean and a
  // linear layer that is the same, but for a factor
  const [gradient] = grad(scores.slice([null, [label, label + 1]]).sum(), [activations]);
  const gradCam = noGrad(() => activations.mul(gradient.mean({ axis: [2, 3], keepdim: true })).sum({ axis: 1 }).relu());
  const byHand = await readAll([cam, gradCam]);
  hooks.remove();
  const library = [
    await activationMap(learn, first, { method: "cam" }),
    await activationMap(learn, first, { method: "gradCam" }),
  ];
  const differs = Math.max(...library.map(({ values }, i) => {
    const most = Math.max(...values.map(Math.abs)), own = byHand[i];
    return Math.max(...values.map((v, k) => Math.abs(v - Number(own[k])))) / most;
  }));
  console.log(`Maps by hand and the library's differ by ${differs.toExponential(1)} of the largest value`);
  await sideBySide(library.map(({ figure }) => figure)).save(join(out, "18_cam_and_grad_cam.png"));

  // is it bright where the shape is?
  const some = dls.validSet.files.slice(0, quick ? 24 : 100), hits = { cam: 0, gradCam: 0, chance: 0 };
  const figures = [];
  for (const file of some) {
    const shape = shapeOf.get(file)!;
    for (const method of ["cam", "gradCam"] as const) {
      const map = await activationMap(learn, file, { method });
      if (onShape(map.values, map.width, shape)) hits[method] += 1 / some.length;
      if (method === "gradCam" && figures.length < 5) figures.push(map.figure);
      if (method === "cam") { // every cell, as if each were the brightest
        const cells = map.values.length;
        for (let k = 0; k < cells; k++) {
          const only = new Float32Array(cells);
          only[k] = 1;
          if (onShape(only, map.width, shape)) hits.chance += 1 / cells / some.length;
        }
      }
    }
  }
  await sideBySide(figures).save(join(out, "18_maps.png"));
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  console.log(
    `The brightest place lies on the shape: CAM ${percent(hits.cam)}, Grad-CAM ${percent(hits.gradCam)}, ` +
      `by chance ${percent(hits.chance)}`,
  );
  return { accuracy: learn.recorder.rows.at(-1)!.accuracy ?? 0, hits, differs };
}

if (import.meta.main) await runChapter("Chapter 18: where a net looks.", main);
