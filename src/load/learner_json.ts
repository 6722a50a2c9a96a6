/**
 * What an exported learner says of itself, checked as text from anybody.
 *
 * @module
 */
import { z } from "zod";
import { CheckpointError } from "../base/errors.ts";
import { nestedDeeper } from "../io/json_depth.ts";

const pixels = z.tuple([z.number().int().min(1).max(1 << 14), z.number().int().min(1).max(1 << 14)]);
const channels = z.array(z.number().finite()).min(1).max(64);

const itemTfm = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("Resize"),
    size: pixels,
    options: z.strictObject({
      method: z.enum(["crop", "pad", "squish"]).optional(),
      padMode: z.enum(["reflection", "zeros", "border"]).optional(),
    }),
  }),
  z.strictObject({
    kind: z.literal("RandomResizedCrop"),
    size: pixels,
    options: z.strictObject({
      minScale: z.number().optional(),
      maxScale: z.number().optional(),
      ratio: z.tuple([z.number(), z.number()]).optional(),
      valXtra: z.number().min(0).max(16).optional(),
    }),
  }),
]);

const share = z.number().min(0).max(1);
const batchTfm = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("Normalize"), mean: channels, std: channels }),
  z.strictObject({
    kind: z.literal("AugTransforms"),
    options: z.strictObject({
      mult: z.number().min(0),
      doFlip: z.boolean(),
      flipVert: z.boolean(),
      maxRotate: z.number().min(0),
      minZoom: z.number().positive(),
      maxZoom: z.number().positive(),
      maxLighting: z.number().min(0),
      maxWarp: z.number().min(0),
      pAffine: share,
      pLighting: share,
      mode: z.enum(["bilinear", "nearest"]),
      padMode: z.enum(["zeros", "border", "reflection"]),
      batch: z.boolean(),
      minScale: z.number().positive().max(1),
      size: pixels,
    }),
  }),
]);
const target = z.strictObject({
  kind: z.enum(["multiCategory", "regression", "points", "mask"]),
  c: z.number().int().min(1).max(1 << 20),
});

const label = z.union([z.string().max(10_000), z.number(), z.boolean()]);
const layer = z.looseObject({ kind: z.string().max(200) });
const column = z.looseObject({ name: z.string().max(10_000) });

const inputs = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("tensors"), nInp: z.number().int().min(1).max(1024).optional() }),
  z.strictObject({
    kind: z.literal("arrays"),
    shape: z.array(z.number().int().min(0).max(1 << 24)).max(16),
    dtype: z.enum(["f32", "i32", "u32", "bool", "u8"]),
    normalize: z.strictObject({ mean: z.number(), std: z.number().positive() }).optional(),
  }),
  z.strictObject({
    kind: z.literal("table"),
    // the table's own options are checked where rows are read
    schema: z.looseObject({
      numeric: z.array(
        z.looseObject({
          name: z.string().max(10_000),
          mean: z.number(),
          std: z.number().positive(),
          median: z.number(),
          hasMissing: z.boolean(),
        }),
      ).max(1 << 16),
      categorical: z.array(z.looseObject({ name: z.string().max(10_000), words: z.array(z.string()).max(1 << 22) }))
        .max(1 << 16),
      target: column.extend({ kind: z.enum(["classify", "regress"]), classes: z.array(z.string()).optional() }),
    }),
  }),
  z.strictObject({
    kind: z.literal("text"),
    tokenizer: z.looseObject({ kind: z.enum(["words", "chars", "huggingface"]) }),
    isLm: z.boolean(),
    seqLen: z.number().int().min(1).max(1 << 24),
    buckets: z.array(z.number().int().min(1).max(1 << 24)).max(1024),
  }),
  z.strictObject({
    kind: z.literal("images"),
    orient: z.boolean().optional(),
    target: target.optional(),
    itemTfms: z.array(itemTfm).max(64),
    batchTfms: z.array(batchTfm).max(64),
  }),
]);

const learner = z.strictObject({
  version: z.literal(2),
  model: layer.nullable(),
  modelName: z.string().max(10_000),
  loss: layer.nullable(),
  lossName: z.string().max(10_000),
  lossShapes: z.boolean(),
  inputs,
  vocab: z.array(label).max(1 << 20).nullable(),
});

/** A description that was checked. */
export type CheckedLearner = z.infer<typeof learner>;

/** How deep a description's layers are nested at most. */
const MAX_DEPTH = 200;

/** Longest text that is read, in UTF-16 units. */
const MAX_TEXT = 1 << 25;

/** Reads the text; anything that is not as `export` writes it is refused. */
export function parseLearnerJson(text: string, file: string): CheckedLearner {
  const refuse = (why: string, cause?: unknown) =>
    new CheckpointError(`Cannot load a learner from ${file}: ${why}`, { cause });
  if (text.length > MAX_TEXT) throw refuse(`its description has ${text.length} characters, more than ${MAX_TEXT}`);
  if (nestedDeeper(text, MAX_DEPTH)) throw refuse("its description is nested too deeply");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse("its description is no JSON", error);
  }
  const parsed = learner.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refuse(`its description is wrong at ${issue.path.join(".") || "the top"}, ${issue.message}`, parsed.error);
  }
  return parsed.data;
}
