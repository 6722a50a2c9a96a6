/**
 * What learners are written to, for those who only write some; the code comes with the first file.
 *
 * @module
 */
import type { TrainLoop } from "../train/mod.ts";
import { inTurn } from "../train/runs.ts";
import type { ExportHubOptions } from "./export_hub.ts";
import type { LearnerOnnxOptions } from "./export_onnx.ts";
import type { SavePredsOptions } from "./save_preds.ts";

/**
 * Writes what predictions need into one safetensors file: the weights under their names, and as JSON the model's layers, the
 * loss, how items become inputs (the columns of a table with their words, means and deviations, the transforms of images),
 * and the names of the classes; never code. `loadLearner` reads it, in another process too. A model that is code of your
 * own is given to `loadLearner` again. In a run of several processes rank 0 alone writes.
 *
 * A file that ends in `.onnx` is written for other runtimes instead: see {@link LearnerOnnxOptions}.
 *
 * @param file Path of the file; `.safetensors` is added unless it ends in `.onnx`. In the learner's `path` unless absolute.
 * @param options For `.onnx` only.
 * @returns The path that was written.
 * @throws ConfigError where a transform of images cannot be stored, or ONNX has no operator for what the model does.
 */
export async function exportLearner(
  learn: TrainLoop,
  file: string = "export",
  options: LearnerOnnxOptions = {},
): Promise<string> {
  return await inTurn(learn, "export", async () => {
    const { exportLearner } = await import("./writing.ts");
    return await exportLearner(learn, file, options);
  });
}

/**
 * Writes a folder as Hugging Face's hub has repositories of models: `model.safetensors`, whose weights have PyTorch's names
 * and which `loadLearner` reads, too, and `config.json` with the model's name, the classes (`id2label`, `label2id`), and under
 * `anneal` all that predictions need. In a run of several processes rank 0 alone writes.
 *
 * @param folder The folder, which is made; in the learner's `path` unless absolute.
 * @returns The paths that were written.
 * @throws ConfigError Where `config` is no JSON, or a transform of images cannot be stored.
 *
 * @example
 * ```ts ignore
 * await exportHub(learn, "my-model", { dtype: "bf16" }); // then: hf upload me/my-model my-model
 * ```
 */
export async function exportHub(
  learn: TrainLoop,
  folder: string,
  options: ExportHubOptions = {},
): Promise<readonly string[]> {
  return await inTurn(learn, "export", async () => {
    const { exportHub } = await import("./writing.ts");
    return await exportHub(learn, folder, options);
  });
}

/**
 * Writes predictions for the validation set, or another one, a row an item, in the order of the set: `prediction` (the class
 * by its name, or the value), `probability` of the class, `p_<class>` for each class, or `prediction_0` and so on for several
 * values; `target` where the set has targets.
 *
 * @param path A file that ends with `.csv` or `.parquet`; it is there as a whole or not at all.
 * @throws ConfigError Where the path ends otherwise, or a column of that name is there already.
 * @throws DataError Where predictions are no vectors, or `columns` are of another length.
 *
 * @example
 * ```ts ignore
 * await savePreds(learn, "preds.parquet", { dl: await dls.testTable("new.parquet") });
 * ```
 */
export async function savePreds(learn: TrainLoop, path: string, options: SavePredsOptions = {}): Promise<void> {
  await inTurn(learn, "savePreds", async () => {
    const { savePreds } = await import("./writing.ts");
    return await savePreds(learn, path, options);
  });
}
