/**
 * Finding broken images before they stop a run.
 *
 * @module
 */
import { DataError } from "../../base/errors.ts";
import { decodeImage } from "./read_image.ts";
import { Gate } from "./image_store.ts";

/** An image that can't be used, and why. */
export interface BrokenImage {
  /** Its path. */
  readonly file: string;
  /** What is wrong with it. */
  readonly reason: string;
}

/** Decodes every image, and gives those that can't be, in the order of `files`. */
export async function verifyImages(files: readonly string[]): Promise<BrokenImage[]> {
  const gate = new Gate();
  const results = await Promise.all(
    files.map((file) =>
      gate.run(async (): Promise<{ broken: BrokenImage | null; bytes: number }> => {
        try {
          const { data } = await decodeImage(file);
          return { broken: null, bytes: data.length };
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
          return { broken: { file, reason: error.message }, bytes: 0 };
        }
      }, ({ bytes }) => bytes)
    ),
  );
  return results.flatMap(({ broken }) => broken === null ? [] : [broken]);
}
