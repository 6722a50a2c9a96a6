/**
 * What an exported learner says of itself, checked as text from anybody.
 *
 * @module
 */
import { z } from "zod";
import { CheckpointError } from "../base/errors.ts";
import type { LearnerJson } from "./learner_format.ts";

const size = z.number().int().min(1).max(1 << 20);
const probability = z.number().min(0).max(1);
const pixels = z.tuple([z.number().int().min(1).max(1 << 14), z.number().int().min(1).max(1 << 14)]);
const channels = z.array(z.number().finite()).min(1).max(64);

const head = z.strictObject({
  linFtrs: z.array(size).max(64).optional(),
  ps: z.union([probability, z.array(probability).max(64)]).optional(),
  pool: z.boolean().optional(),
  concatPool: z.boolean().optional(),
  firstBn: z.boolean().optional(),
  bnFinal: z.boolean().optional(),
  linFirst: z.boolean().optional(),
  yRange: z.tuple([z.number(), z.number()]).nullable().optional(),
});

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

const batchTfm = z.strictObject({ kind: z.literal("Normalize"), mean: channels, std: channels });

const learner = z.strictObject({
  version: z.literal(1),
  arch: z.string().max(200),
  nIn: z.number().int().min(1).max(1024),
  nOut: size,
  head,
  cut: z.number().int().optional(),
  vocab: z.array(z.union([z.string().max(10_000), z.number(), z.boolean()])).max(1 << 20),
  itemTfms: z.array(itemTfm).max(64),
  batchTfms: z.array(batchTfm).max(64),
});

/** Longest text that is read, in UTF-16 units. */
const MAX_TEXT = 1 << 25;

/** Reads the text; anything that is not as `export` writes it is refused. */
export function parseLearnerJson(text: string, file: string): LearnerJson {
  const refuse = (why: string, cause?: unknown) =>
    new CheckpointError(`Cannot load a learner from ${file}: ${why}`, { cause });
  if (text.length > MAX_TEXT) throw refuse(`its description has ${text.length} characters, more than ${MAX_TEXT}`);
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
