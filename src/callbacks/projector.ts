/**
 * Embeddings for TensorBoard's projector; the code comes with the first ones.
 *
 * @see https://www.tensorflow.org/tensorboard/tensorboard_projector_plugin
 * @module
 */
import { checkArgument, checkOptions, instanceOf, type OptionTable, other, text } from "../base/options.ts";
import { Tensor } from "../tensor/mod.ts";

/** Options of {@link writeProjector}. */
export interface ProjectorOptions {
  /** What the vectors are called in the list of the page; `embedding` by default. */
  readonly name?: string;
  /** A label for each vector, or several by name. */
  readonly labels?: readonly unknown[] | Readonly<Record<string, readonly unknown[]>>;
  /** A picture for each vector, `[n, c, height, width]` with `c` of 1 or 3: u8, or f32 from 0 to 1. */
  readonly images?: Tensor;
}

const PROJECTOR: OptionTable<ProjectorOptions> = {
  name: text,
  labels: other("an array of labels, or several by name", (v) => typeof v === "object" && v !== null),
  images: instanceOf<Tensor>(Tensor, "a Tensor"),
};

/**
 * Writes vectors, such as the weight of an `nn.Embedding`, into a folder that TensorBoard's projector shows:
 * `tensorboard --logdir <dir>`. Several may lie in one folder, each by its name; one of the same name is replaced.
 *
 * @param dir The folder, which is made.
 * @param vectors `[n, d]`, f32.
 * @throws DataError Where there are not as many labels or pictures as vectors, or more pictures than fit into one.
 *
 * @example
 * ```ts ignore
 * await writeProjector("tensorboard", model.embedding.weight, { name: "towns", labels: ["(none)", ...words] });
 * ```
 */
export async function writeProjector(dir: string, vectors: Tensor, options: ProjectorOptions = {}): Promise<void> {
  checkOptions("write a projector", options, PROJECTOR);
  checkArgument("write a projector", "dir", dir, text);
  checkArgument("write a projector", "vectors", vectors, instanceOf<Tensor>(Tensor, "a Tensor [n, d]"));
  const { writeProjectorFiles } = await import("./projector_files.ts");
  await writeProjectorFiles(dir, vectors, options);
}
