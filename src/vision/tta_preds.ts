/**
 * How predictions of changed images are averaged.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkOptions, flag, num, orNull, other, texts } from "../base/options.ts";
import { getPreds } from "../fit/mod.ts";
import { stack, type Tensor } from "../tensor/mod.ts";
import type { TrainLoop } from "../train/mod.ts";
import { ImageDataLoaders } from "./data/mod.ts";
import type { TtaOptions, TtaPreds } from "./tta.ts";

/** See `tta` of tta.ts. */
export async function tta(learn: TrainLoop, options: TtaOptions = {}): Promise<TtaPreds> {
  const { n = 4, beta = 0.25, useMax = false, seed = 0, ...set } = checkOptions("average predictions", options, {
    n: num,
    beta: orNull(num),
    useMax: flag,
    files: texts,
    labels: other("labels", Array.isArray),
    seed: num,
  });
  const dls: unknown = learn.dls;
  if (!(dls instanceof ImageDataLoaders)) {
    throw new ConfigError("Cannot average predictions of changed images: the learner's data must be ImageDataLoaders");
  }
  if (!Number.isInteger(n) || n < 1) {
    throw new ConfigError(`Cannot average predictions: n is a whole number from 1, got ${n}`);
  }
  if (beta !== null && !(beta >= 0 && beta <= 1)) {
    throw new ConfigError(`Cannot average predictions: beta lies in [0, 1], got ${beta}`);
  }
  if (dls.target.kind === "mask" || dls.target.kind === "points") {
    throw new ConfigError(
      `Cannot average predictions of changed images: ${dls.target.kind} would have to be changed back, which is not there`,
    );
  }
  const files = set.files ?? dls.validSet.files;
  const labels = set.labels ?? (set.files === undefined ? dls.validSet.labels : undefined);
  if (files.length === 0) throw new DataError("Cannot average predictions: there are no images");
  const pass = (options: { readonly augment?: number }) =>
    getPreds(learn, { dl: dls.testDl(files, { ...options, ...(labels === undefined ? {} : { labels }) }) });
  const changed: Tensor[] = [];
  for (let i = 0; i < n; i++) changed.push((await pass({ augment: seed + i })).preds);
  const { preds: plain, ...rest } = await pass({});
  const augmented = stack(changed).mean({ axis: 0 });
  const preds = useMax
    ? stack([augmented, plain]).max({ axis: 0 })
    : beta === null
    ? plain
    : augmented.add(plain.sub(augmented).mul(beta)); // fastai's lerp
  const { targs } = rest;
  await preds.data(); // computed now: what it is made of is let go
  return {
    preds: preds.detach().keep(),
    targs,
    ...(beta === null && !useMax ? { augmented: augmented.detach().keep() } : {}),
  };
}
