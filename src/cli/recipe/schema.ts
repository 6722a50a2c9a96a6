/**
 * What a recipe may say.
 *
 * @module
 */
import * as z from "zod";
import { archForms } from "./arch_forms.ts";
import { form, kinds, number, some, whole, word } from "./forms.ts";

/** Suggestions of the learning-rate finder, by name. */
export const SUGGESTIONS = ["valley", "slide", "minimum", "steep"] as const;
/** Losses, by name. */
export const LOSSES = [
  "crossEntropy",
  "labelSmoothing",
  "focal",
  "bceWithLogits",
  "mse",
  "l1",
  "smoothL1",
  "huber",
] as const;
/** Metrics, by name. */
export const METRICS = [
  "accuracy",
  "errorRate",
  "topKAccuracy",
  "accuracyMulti",
  "f1Score",
  "precision",
  "recall",
  "balancedAccuracy",
  "cohenKappa",
  "matthewsCorrCoef",
  "rocAuc",
  "mse",
  "mae",
  "rmse",
  "r2Score",
  "perplexity",
] as const;
/** Optimizers, by name. */
export const OPTIMIZERS = ["adam", "sgd", "rmsProp", "rAdam", "qhAdam", "larc", "lamb", "ranger"] as const;

const positive = () => number({ above: 0 });
const fraction = () => number({ least: 0, most: 1 });
const size = () => z.union([whole(1), z.tuple([whole(1), whole(1)])]);

/** A learning rate: a number, the first and last of a slice over the groups, or what the finder suggests. */
export const rate = z.union([
  positive(),
  z.tuple([positive(), positive()]),
  form({ find: word(SUGGESTIONS) }),
]);

const module = { file: z.string().min(1), export: z.string().min(1).optional() };

/** What is said of a table. */
const table = {
  file: z.string().min(1),
  target: z.string().min(1),
  numeric: z.array(z.string()).optional(),
  categorical: z.array(z.string()).optional(),
  kinds: z.record(z.string(), word(["numeric", "categorical", "ignore"])).optional(),
  procs: z.array(word(["Categorify", "FillMissing", "Normalize"])).optional(),
  task: word(["classify", "regress"]).optional(),
  dropMissingTarget: z.boolean().optional(),
  scaleTarget: z.boolean().optional(),
  validPct: number({ above: 0, most: 0.9 }).optional(),
  stratify: z.boolean().optional(),
  validColumn: z.string().min(1).optional(),
  bs: whole(1).optional(),
  dropLast: z.boolean().optional(),
  delimiter: z.string().min(1).optional(),
  encoding: z.string().min(1).optional(),
  header: z.boolean().optional(),
  names: z.array(z.string().min(1)).optional(),
  skipRows: whole(0).optional(),
  comment: z.string().min(1).optional(),
  badRows: word(["error", "skip"]).optional(),
  decimal: word([".", ","]).optional(),
  thousands: z.string().optional(),
  strip: z.array(z.string().min(1)).optional(),
  naValues: z.union([z.array(z.string()), z.record(z.string(), z.array(z.string()))]).optional(),
  keepDefaultNa: z.boolean().optional(),
} as const;

/** Where the data comes from. */
export const dataForms = {
  mnist: form({ kind: z.literal("mnist"), bs: whole(1).optional(), items: whole(1).optional() }),
  images: form({
    kind: z.literal("images"),
    path: z.string().min(1),
    labels: z.union([z.literal("folder"), form({ regex: z.string().min(1) })]).optional(),
    size: size(),
    method: word(["crop", "pad", "squish"]).optional(),
    validPct: number({ above: 0, most: 0.9 }).optional(),
    valid: z.string().min(1).optional(),
    normalize: word(["imagenet", "none"]).optional(),
    bs: whole(1).optional(),
  }),
  text: form({
    kind: z.literal("text"),
    file: z.string().min(1).optional(),
    path: z.string().min(1).optional(),
    text: z.string().min(1).optional(),
    label: z.string().min(1).optional(),
    isLm: z.boolean().optional(),
    tokenizer: z.string().min(1).optional(),
    seqLen: whole(1).optional(),
    minFreq: whole(1).optional(),
    maxVocab: whole(10).optional(),
    validPct: number({ above: 0, most: 0.9 }).optional(),
    encoding: z.string().min(1).optional(),
    bs: whole(1).optional(),
  }),
  csv: form({ kind: z.literal("csv"), ...table }),
  table: form({ kind: z.literal("table"), ...table }),
  arrays: form({
    kind: z.literal("arrays"),
    file: z.string().min(1),
    x: z.string().optional(),
    y: z.string().optional(),
    xValid: z.string().optional(),
    yValid: z.string().optional(),
    validPct: number({ above: 0, most: 0.9 }).optional(),
    normalize: z.boolean().optional(),
    bs: whole(1).optional(),
  }),
  module: form({ kind: z.literal("module"), ...module, outputs: whole(1).optional() }),
} as const;

/** What is trained. */
export const modelForms = {
  mlp: form({
    kind: z.literal("mlp"),
    layers: z.array(whole(1)).optional(),
    dropout: number({ least: 0, most: 0.99 }).optional(),
    batchNorm: z.boolean().optional(),
  }),
  simpleCnn: form({ kind: z.literal("simpleCnn"), channels: some(whole(1)).optional() }),
  ...archForms,
  awdLstm: form({
    kind: z.literal("awdLstm"),
    embSize: whole(1).optional(),
    hidden: whole(1).optional(),
    layers: whole(1).optional(),
    dropMult: number({ least: 0, most: 1 }).optional(),
  }),
  gpt: form({
    kind: z.literal("gpt"),
    nLayer: whole(1).optional(),
    nHead: whole(1).optional(),
    nEmbd: whole(1).optional(),
    blockSize: whole(1).optional(),
    dropMult: number({ least: 0, most: 1 }).optional(),
  }),
  bert: form({
    kind: z.literal("bert"),
    weights: z.string().min(1).optional(),
    config: z.string().min(1).optional(),
    dropMult: number({ least: 0, most: 1 }).optional(),
  }),
  tabular: form({
    kind: z.literal("tabular"),
    layers: z.array(whole(1)).optional(),
    dropout: number({ least: 0, most: 0.99 }).optional(),
  }),
  module: form({ kind: z.literal("module"), ...module }),
} as const;

const values = z.union([z.number(), some(z.number())]);
const curve = { start: values, end: values };

/** A schedule; `combined` puts several after each other. */
export const schedule: z.ZodType = z.lazy(() =>
  kinds(["lin", "cos", "no", "exp", "poly", "combined"], [
    form({ kind: z.literal("lin"), ...curve }),
    form({ kind: z.literal("cos"), ...curve }),
    form({ kind: z.literal("no"), ...curve }),
    form({ kind: z.literal("exp"), ...curve }),
    form({ kind: z.literal("poly"), ...curve, power: positive() }),
    form({
      kind: z.literal("combined"),
      pcts: some(fraction()),
      scheds: some(schedule),
    }),
  ])
);

const epochs = whole(1);
const common = { wd: number({ least: 0 }).optional() };

/** How it is trained. */
export const policyForms = {
  fit: form({ kind: z.literal("fit"), epochs, lr: rate.optional(), ...common }),
  oneCycle: form({
    kind: z.literal("oneCycle"),
    epochs,
    lrMax: rate.optional(),
    div: positive().optional(),
    divFinal: positive().optional(),
    pctStart: fraction().optional(),
    moms: z.tuple([fraction(), fraction(), fraction()]).optional(),
    ...common,
  }),
  flatCos: form({
    kind: z.literal("flatCos"),
    epochs,
    lr: rate.optional(),
    divFinal: positive().optional(),
    pctStart: fraction().optional(),
    ...common,
  }),
  sgdr: form({
    kind: z.literal("sgdr"),
    cycles: whole(1),
    cycleLen: whole(1),
    cycleMult: whole(1).optional(),
    lrMax: rate.optional(),
    ...common,
  }),
  fineTune: form({
    kind: z.literal("fineTune"),
    epochs,
    baseLr: positive().optional(),
    freezeEpochs: whole(1).optional(),
    lrMult: positive().optional(),
    pctStart: fraction().optional(),
    div: positive().optional(),
  }),
  schedule: form({
    kind: z.literal("schedule"),
    epochs,
    hypers: form({
      lr: schedule.optional(),
      mom: schedule.optional(),
      sqrMom: schedule.optional(),
      wd: schedule.optional(),
      eps: schedule.optional(),
    }),
    ...common,
  }),
} as const;

const policy = kinds(Object.keys(policyForms), [
  policyForms.fit,
  policyForms.oneCycle,
  policyForms.flatCos,
  policyForms.sgdr,
  policyForms.fineTune,
  policyForms.schedule,
]);

/** What else happens while training; each by its options. */
export const callbackForms = {
  earlyStopping: form({
    monitor: z.string().optional(),
    patience: whole(1).optional(),
    minDelta: number({ least: 0 }).optional(),
  }),
  saveModel: form({ monitor: z.string().optional(), fname: z.string().optional(), withOpt: z.boolean().optional() }),
  reduceLROnPlateau: form({
    monitor: z.string().optional(),
    patience: whole(1).optional(),
    factor: number({ above: 1 }).optional(),
    minLr: number({ least: 0 }).optional(),
  }),
  terminateOnNaN: form({}),
  mixedPrecision: form({
    lossScale: positive().optional(),
    initScale: positive().optional(),
    growthFactor: number({ least: 1 }).optional(),
    backoffFactor: positive().optional(),
    growthInterval: whole(1).optional(),
  }),
  gradientClip: form({ maxNorm: positive().optional() }),
  gradientAccumulation: form({ nAcc: whole(1) }),
  mixUp: form({ alpha: positive().optional() }),
  cutMix: form({ alpha: positive().optional() }),
  checkpoint: form({
    everySteps: whole(1).optional(),
    everySeconds: positive().optional(),
    everyEpochs: whole(1).optional(),
    keep: whole(1).optional(),
  }),
  tensorBoard: form({}),
  sampleText: form({
    start: z.string().optional(),
    n: whole(1).optional(),
    temperature: number({ least: 0 }).optional(),
    seed: whole(0).optional(),
  }),
} as const;

type ModelForm = (typeof modelForms)[keyof typeof modelForms];
const MODELS = Object.values(modelForms) as [ModelForm, ...ModelForm[]];

/** A whole recipe. */
export const recipeSchema = form({
  data: kinds(Object.keys(dataForms), [
    dataForms.mnist,
    dataForms.images,
    dataForms.text,
    dataForms.csv,
    dataForms.table,
    dataForms.arrays,
    dataForms.module,
  ]),
  model: kinds(Object.keys(modelForms), MODELS),
  loss: word(LOSSES).optional(),
  metrics: z.array(word(METRICS)).optional(),
  optimizer: form({
    kind: word(OPTIMIZERS),
    wd: number({ least: 0 }).optional(),
    mom: fraction().optional(),
    sqrMom: fraction().optional(),
    eps: positive().optional(),
  }).optional(),
  policy: z.union([policy, some(policy)]),
  callbacks: form(
    Object.fromEntries(Object.entries(callbackForms).map(([name, options]) => [name, options.nullable().optional()])),
  ).optional(),
  seed: whole(0).optional(),
  device: word(["auto", "cpu", "webgpu"]).optional(),
  out: z.string().min(1).optional(),
});

/** A recipe that has been checked. */
export type Recipe = z.infer<typeof recipeSchema>;
/** One policy of a recipe. */
export type Policy = z.infer<typeof policy>;
/** A learning rate of a recipe. */
export type Rate = z.infer<typeof rate>;

/** The JSON Schema that editors check recipes with. */
export function recipeJsonSchema(): Record<string, unknown> {
  return { title: "A recipe of Anneal", ...z.toJSONSchema(recipeSchema, { io: "input" }) };
}
