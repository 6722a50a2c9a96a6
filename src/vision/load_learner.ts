/**
 * Learners out of files.
 *
 * @module
 */
import { CheckpointError } from "../base/errors.ts";
import { fmtShape, sameShape } from "../base/shape.ts";
import { openSafetensors, type SafetensorsFile } from "../io/safetensors.ts";
import { CrossEntropyLoss } from "../nn/mod.ts";
import { type Tensor, tensor } from "../tensor/mod.ts";
import { ImageDataLoaders } from "./data/mod.ts";
import { VisionLearner } from "./learner.ts";
import { LEARNER_KEY, type LearnerJson } from "./learner_format.ts";
import {
  type Arch,
  createVisionModel,
  resnet18,
  resnet34,
  resnet50,
  simpleCnn,
  xresnet18,
  xresnet34,
  xresnet50,
} from "./models/mod.ts";

/** Options of {@link loadLearner}. */
export interface LoadLearnerOptions {
  /** Architectures of one's own, which files may name beside the library's. */
  readonly archs?: readonly Arch[];
}

const KNOWN: readonly Arch[] = [resnet18, resnet34, resnet50, xresnet18, xresnet34, xresnet50, simpleCnn];

/**
 * The learner that {@link VisionLearner.export} wrote, for predictions: its loaders are empty, `predict` and `testDl` work.
 * A file is data only: the model is made by the named architecture, nothing in the file is run.
 *
 * @param file Path of the file.
 * @throws {CheckpointError} If the file is missing, no exported learner, damaged, or of an architecture that is not known.
 */
export async function loadLearner(file: string, { archs = [] }: LoadLearnerOptions = {}): Promise<VisionLearner> {
  let opened: SafetensorsFile;
  try {
    opened = await openSafetensors(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CheckpointError(`Cannot load a learner from ${file}: there is no such file`, { cause: error });
  }
  const text = opened.metadata.get(LEARNER_KEY);
  if (text === undefined) {
    throw new CheckpointError(`Cannot load a learner from ${file}: it has weights only, export() writes learners`);
  }
  const { parseLearnerJson } = await import("./learner_json.ts"); // its library takes 20 ms of a start
  const json = parseLearnerJson(text, file);
  const arch = [...archs, ...KNOWN].find((a) => a.name === json.arch);
  if (arch === undefined) {
    throw new CheckpointError(
      `Cannot load a learner from ${file}: its architecture ${JSON.stringify(json.arch)} is not known, ` +
        "give it as { archs: [...] }",
    );
  }
  checkSize(opened, json, file);
  const { nIn, nOut, cut } = json;
  const blank = (shape: readonly number[]) => new Float32Array(shape.reduce((a, b) => a * b, 1));
  const model = await createVisionModel(arch, nOut, {
    ...json.head,
    nIn,
    pretrained: false,
    init: blank,
    ...(cut === undefined ? {} : { cut }),
  });
  const own = new Map<string, Tensor>([...model.namedParameters(), ...model.namedBuffers()]);
  const problems = [
    ...[...own.keys()].filter((name) => !opened.names.includes(name)).map((name) => `${name} is missing`),
    ...opened.names.filter((name) => !own.has(name)).map((name) => `${name} is not in the model`),
    ...opened.names.flatMap((name) => {
      const want = own.get(name)?.shape, got = opened.info(name).shape;
      return want === undefined || sameShape(want, got) ? [] : [`${name} is ${fmtShape(got)}, not ${fmtShape(want)}`];
    }),
  ];
  if (problems.length > 0) {
    throw new CheckpointError(`Cannot load a learner from ${file}: its weights are no ${arch.name}'s, ${problems[0]}`);
  }
  const state = new Map<string, Tensor>();
  for (const name of opened.names) {
    const { data, shape, dtype } = await opened.tensor(name);
    state.set(name, tensor(data, { shape, dtype }));
  }
  model.loadStateDict(state);
  const dls = ImageDataLoaders.forItems(json);
  return new VisionLearner(dls, model, { lossFunc: new CrossEntropyLoss(), made: { ...json, arch } });
}

/** Refuses a description of a head that is larger than the file, before any of it is made. */
function checkSize(file: SafetensorsFile, { head, nOut }: LearnerJson, path: string): void {
  const sizes = [...(head.linFtrs ?? [512]), nOut];
  const numbers = file.names.reduce((n, name) => n + file.info(name).shape.reduce((a, b) => a * b, 1), 0);
  const least = sizes.slice(1).reduce((n, size, i) => n + size * sizes[i], 0);
  if (least > numbers) {
    throw new CheckpointError(
      `Cannot load a learner from ${path}: it describes a head of ${least} weights, but has ${numbers} numbers`,
    );
  }
}
