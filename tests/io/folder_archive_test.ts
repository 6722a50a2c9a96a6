import { assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../../src/base/errors.ts";
import { packFolder, unpackFolder } from "../../src/io/folder_archive.ts";

async function inFolder(fn: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await fn(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Files and what is in them. */
const FILES: Readonly<Record<string, Uint8Array>> = {
  "000001/manifest.json": new TextEncoder().encode("{}\n"),
  "000001/model.safetensors": Uint8Array.from({ length: 1500 }, (_, i) => i * 7),
  "000001/empty": new Uint8Array(0),
  "of one block": new Uint8Array(512).fill(9),
  [`${"a folder of a long name ".repeat(4)}/${"and a file ".repeat(5)}`]: new Uint8Array([1]),
};

async function fill(dir: string): Promise<void> {
  for (const [name, bytes] of Object.entries(FILES)) {
    await Deno.mkdir(`${dir}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeFile(`${dir}/${name}`, bytes);
  }
}

Deno.test("a folder is packed and unpacked, and tar understands it", () =>
  inFolder(async (dir) => {
    await fill(`${dir}/run`);
    await Deno.writeTextFile(`${dir}/run/.lock`, "");
    const archive = await packFolder(`${dir}/run`);
    await unpackFolder(archive, `${dir}/a`);
    await Deno.writeFile(`${dir}/run.tar`, new Uint8Array(await archive.arrayBuffer()));
    await Deno.mkdir(`${dir}/b`);
    const { code, stderr } = await new Deno.Command("tar", { args: ["xf", `${dir}/run.tar`, "-C", `${dir}/b`] })
      .output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    for (const place of ["a", "b"]) {
      for (const [name, bytes] of Object.entries(FILES)) {
        assertEquals(await Deno.readFile(`${dir}/${place}/${name}`), bytes, `${place}/${name}`);
      }
      await assertRejects(() => Deno.stat(`${dir}/${place}/.lock`), Deno.errors.NotFound);
    }
  }));

Deno.test("what tar packed is unpacked", () =>
  inFolder(async (dir) => {
    await fill(`${dir}/run`);
    const { code } = await new Deno.Command("tar", {
      args: ["cf", `${dir}/run.tar`, "--format=ustar", "-C", `${dir}/run`, "000001"],
    }).output();
    assertEquals(code, 0);
    await unpackFolder(await Deno.readFile(`${dir}/run.tar`), `${dir}/a`);
    assertEquals(await Deno.readTextFile(`${dir}/a/000001/manifest.json`), "{}\n");
  }));

Deno.test("what is no archive, damaged, or leads elsewhere is refused, and nothing written", () =>
  inFolder(async (dir) => {
    await fill(`${dir}/run`);
    const whole = new Uint8Array(await (await packFolder(`${dir}/run`)).arrayBuffer());
    const refused = async (bytes: Uint8Array, why: string) => {
      await assertRejects(() => unpackFolder(bytes, `${dir}/a`), DataError, why);
      await assertRejects(() => Deno.stat(`${dir}/a`), Deno.errors.NotFound);
    };
    await refused(new Uint8Array(0), "holds no file");
    await refused(crypto.getRandomValues(new Uint8Array(2048)), "no tar file");
    const flipped = whole.slice();
    flipped[5] ^= 1;
    await refused(flipped, "no tar file");
    await refused(whole.slice(0, 1536), "ends too early");
    await refused(whole.slice(0, 2100), "ends in the middle");
    const away = whole.slice(), name = new TextEncoder().encode("../x");
    away.fill(0, 0, 100);
    away.set(name);
    away.fill(32, 148, 156);
    const sum = away.subarray(0, 512).reduce((a, b) => a + b, 0);
    away.set(new TextEncoder().encode(sum.toString(8).padStart(6, "0") + "\0 "), 148);
    await refused(away, "leads elsewhere");
    await assertRejects(() => packFolder(`${dir}/none`), Deno.errors.NotFound);
    await Deno.mkdir(`${dir}/empty`);
    await assertRejects(() => packFolder(`${dir}/empty`), DataError, "no file in it");
  }));
