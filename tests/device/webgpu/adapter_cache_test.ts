import { assert, assertEquals, assertRejects } from "@std/assert";
import { cachedStrategy, cachedTuning } from "../../../src/device/webgpu/adapter_cache.ts";
import { TILINGS, type Tuning, UNTRIED } from "../../../src/device/webgpu/kernels/tiles.ts";

function inFolder(fn: (folder: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const folder = Deno.makeTempDirSync();
    const before = Deno.env.get("XDG_CACHE_HOME");
    Deno.env.set("XDG_CACHE_HOME", folder);
    try {
      await fn(`${folder}/anneal`);
    } finally {
      if (before === undefined) Deno.env.delete("XDG_CACHE_HOME");
      else Deno.env.set("XDG_CACHE_HOME", before);
      Deno.removeSync(folder, { recursive: true });
    }
  };
}

const never = () => {
  throw new Error("the trial was made again");
};
const filesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name);

Deno.test(
  "an adapter's trial is made once, and kept",
  inFolder(async (folder) => {
    assertEquals(await cachedStrategy("one", () => Promise.resolve("texel")), "texel");
    assertEquals(await cachedStrategy("one", never), "texel");
    assertEquals(await cachedStrategy("another", () => Promise.resolve("shared")), "shared");
    assertEquals(await cachedStrategy("another", never), "shared");
    assertEquals(await cachedStrategy("one", never), "texel");
    assertEquals(filesIn(folder).length, 2);
  }),
);

Deno.test(
  "an adapter's tilings are tried once, and again where the file is not what was written",
  inFolder(async (folder) => {
    const found: Tuning = { strategy: "tiled", tilings: { ...UNTRIED, conv: { ...UNTRIED.conv, large: "64x64" } } };
    const tried = { names: Object.keys(TILINGS), kernels: "of today" }, make = () => Promise.resolve(found);
    assertEquals(await cachedTuning("one", tried, make), found);
    assertEquals(await cachedTuning("one", tried, never), found);
    const [name] = filesIn(folder), kept = Deno.readTextFileSync(`${folder}/${name}`);
    const damages = [
      kept.replace('"tiled"', '"texel"'),
      kept.replace('"few"', '"less"'),
      kept.replace('"conv"', '"con"'),
      kept.replace('"large":"64x64"', '"large":"1x1"'),
      kept.slice(0, -9),
    ];
    for (const text of ["", ...damages]) {
      assert(text !== kept);
      Deno.writeTextFileSync(`${folder}/${name}`, text);
      let trials = 0;
      assertEquals(await cachedTuning("one", tried, () => (trials++, make())), found, text);
      assertEquals([await cachedTuning("one", tried, never), trials], [found, 1]);
    }
    // another adapter, other tilings to choose among, other kernels: what was found says nothing of them
    const others = [{ ...tried, names: tried.names.slice(1) }, { ...tried, kernels: "of tomorrow" }];
    for (const other of others) await assertRejects(() => cachedTuning("one", other, never), Error, "again");
    await assertRejects(() => cachedTuning("another", tried, never), Error, "again");
  }),
);

Deno.test(
  "what an adapter's trial settled may be deleted or damaged",
  inFolder(async (folder) => {
    await cachedStrategy("one", () => Promise.resolve("texel"));
    const [name] = filesIn(folder);
    const damages = ["", "{", "null", "[]", '{"strategy":"texel"}', '{"known":"other","strategy":"texel"}'];
    const kept = Deno.readTextFileSync(`${folder}/${name}`);
    for (const text of [...damages, kept.replace("texel", "unheard-of")]) {
      Deno.writeTextFileSync(`${folder}/${name}`, text);
      assertEquals(await cachedStrategy("one", () => Promise.resolve("shared")), "shared", text);
      assertEquals(await cachedStrategy("one", never), "shared");
    }
    Deno.removeSync(folder, { recursive: true });
    assertEquals(await cachedStrategy("one", () => Promise.resolve("register")), "register");
  }),
);

Deno.test(
  "a folder of caches that can't be written is no fault",
  inFolder(async (folder) => {
    Deno.writeTextFileSync(folder, "a file in the folder's place");
    assertEquals(await cachedStrategy("one", () => Promise.resolve("texel")), "texel");
    assertEquals(await cachedStrategy("one", () => Promise.resolve("shared")), "shared");
  }),
);

Deno.test("without permissions each process makes its own trial, and asks for none", async () => {
  const folder = await Deno.makeTempDir();
  const url = new URL("../../../src/device/webgpu/adapter_cache.ts", import.meta.url);
  await Deno.writeTextFile(
    `${folder}/script.ts`,
    `import { cachedStrategy, cachedTuning } from "${url}";\nfor (const _ of [1, 2]) await cachedStrategy("x", async () => (console.log("trial"), "texel"));`,
  );
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-lock", "--no-config", `${folder}/script.ts`],
    env: { XDG_CACHE_HOME: `${folder}/cache` },
  }).output();
  assertEquals([code, new TextDecoder().decode(stdout)], [0, "trial\ntrial\n"], new TextDecoder().decode(stderr));
  await assertRejects(() => Deno.stat(`${folder}/cache/anneal`), Deno.errors.NotFound);
  await Deno.remove(folder, { recursive: true });
});
