/**
 * Learners as repositories of Hugging Face's hub have them: weights as safetensors, and a `config.json`.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkArgument, checkOptions, oneOf, type OptionTable, other, text } from "../base/options.ts";
import { isAbsolute, join } from "../base/path.ts";
import { writeTextAtomic } from "../base/atomic.ts";
import type { TrainLoop } from "../train/mod.ts";
import { learnerJson, writeWithJson } from "./export.ts";

/** Options of {@link exportHub}. */
export interface ExportHubOptions {
  /**
   * What else `config.json` is to say, as plain JSON, such as the arguments of the model's class in Python; it wins over what
   * is written by itself.
   */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Type of the weights in the file: `f32` by default; `f16` and `bf16` take half the room and lose digits. */
  readonly dtype?: "f32" | "f16" | "bf16";
}

const EXPORT_HUB: OptionTable<ExportHubOptions> = {
  config: other("an object", (v) => typeof v === "object" && v !== null && !Array.isArray(v)),
  dtype: oneOf("f32", "f16", "bf16"),
};

const TORCH = { f32: "float32", f16: "float16", bf16: "bfloat16" } as const;

/** See `exportHub` of `written.ts`. */
export async function exportHub(
  learn: TrainLoop,
  folder: string,
  options: ExportHubOptions = {},
): Promise<readonly string[]> {
  const { config = {}, dtype = "f32" } = checkOptions("export", options, EXPORT_HUB);
  checkArgument("export", "folder", folder, text);
  const own = plainJson(config), dir = isAbsolute(folder) ? folder : join(learn.path, folder);
  const paths = [join(dir, "model.safetensors"), join(dir, "config.json")];
  return await learn.runs.take("export", async () => {
    await learn.ready();
    if (learn.peers !== null && learn.peers.rank > 0) return paths;
    const json = await learnerJson(learn), { vocab } = json, labels = vocab?.map(String);
    const all = {
      architectures: [json.modelName],
      torch_dtype: TORCH[dtype],
      ...(labels === undefined ? {} : {
        id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
        label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
        num_labels: labels.length,
      }),
      anneal: json,
      ...own,
    };
    await writeWithJson(learn, paths[0], json, dtype === "f32" ? undefined : dtype === "f16" ? "F16" : "BF16");
    await writeTextAtomic(paths[1], `${JSON.stringify(all, null, 2)}\n`);
    return paths;
  });
}

/** What JSON keeps of a value, which must be all of it. */
function plainJson(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const refuse = (path: string, what: string): never => {
    throw new ConfigError(`Cannot write config.${path} as JSON: it is ${what}`);
  };
  const check = (value: unknown, path: string): void => {
    if (value === null || ["string", "boolean"].includes(typeof value)) return;
    if (typeof value === "number") {
      if (!Number.isFinite(value)) refuse(path, String(value));
      return;
    }
    if (Array.isArray(value)) return value.forEach((v, i) => check(v, `${path}[${i}]`));
    if (typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) {
      refuse(path, `a ${typeof value}`);
    }
    for (const [name, v] of Object.entries(value as object)) check(v, path === "" ? name : `${path}.${name}`);
  };
  for (const [name, value] of Object.entries(config)) check(value, name);
  return JSON.parse(JSON.stringify(config));
}
