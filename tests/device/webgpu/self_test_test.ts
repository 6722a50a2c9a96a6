import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DeviceError, WrongNumbersError } from "../../../src/base/errors.ts";
import { openWebgpu } from "../../../src/device/webgpu/mod.ts";
import { CLAIMS, wrongNumbers } from "../../../src/device/webgpu/self_test.ts";
import { cachedFaults } from "../../../src/device/webgpu/adapter_cache.ts";
import { orNull } from "../../../src/tensor/init.ts";
import { ReferenceDevice } from "../../support/reference_device.ts";
import { adapter, webgpuTest } from "../../support/webgpu.ts";

const broken = CLAIMS.map((claim) => claim.text === "the remainder of -7 by 3" ? { ...claim, want: 2 } : claim);

Deno.test("the reference device passes the self-test of adapters", async () => {
  assert(CLAIMS.length >= 12);
  assertEquals(await wrongNumbers(new ReferenceDevice(), CLAIMS), []);
});

webgpuTest("this adapter passes the self-test", async (device) => {
  assertEquals(await wrongNumbers(device, CLAIMS), []);
});

webgpuTest("each claim of the self-test can fail", async (device) => {
  const wrong = CLAIMS.map((claim) => ({
    ...claim,
    want: Number.isNaN(claim.want) ? 6 : claim.want + Math.abs(claim.want) + 1,
  }));
  assertEquals((await wrongNumbers(device, wrong)).length, CLAIMS.length);
});

webgpuTest("an adapter that computes wrong numbers is named, with the numbers, and not opened", async () => {
  const opening = () => openWebgpu({ claims: broken });
  const error = await assertRejects(opening, WrongNumbersError, "the remainder of -7 by 3 is -1 for 2");
  assert(error instanceof DeviceError);
  const { info } = adapter!;
  assertStringIncludes(error.message, `Cannot compute on "${info.description || info.device || info.vendor}"`);
  await assertRejects(opening, WrongNumbersError); // a fault is not kept
});

webgpuTest("without a choice the CPU stands in for an adapter that computes wrong numbers, with a word", async () => {
  const lines: string[] = [];
  assertEquals(await orNull(openWebgpu({ claims: broken }), (line) => lines.push(line)), null);
  assertEquals(lines.length, 1);
  assertStringIncludes(lines[0], "The CPU is used. Cannot compute on");
  await assertRejects(() => orNull(Promise.reject(new DeviceError("lost")), () => {}), DeviceError, "lost");
});

Deno.test("that an adapter is sound is kept; that it is not, never", async () => {
  const folder = Deno.makeTempDirSync(), before = Deno.env.get("XDG_CACHE_HOME");
  Deno.env.set("XDG_CACHE_HOME", folder);
  let trials = 0;
  const trial = (faults: string[]) => () => (trials++, Promise.resolve(faults));
  try {
    assertEquals(await cachedFaults("one", "test", trial(["exp"])), ["exp"]);
    assertEquals(await cachedFaults("one", "test", trial([])), []);
    assertEquals(await cachedFaults("one", "test", trial(["never asked"])), []);
    assertEquals(trials, 2);
    assertEquals(await cachedFaults("one", "another test", trial(["sin"])), ["sin"]);
    assertEquals(await cachedFaults("another", "test", trial(["sin"])), ["sin"]);
  } finally {
    if (before === undefined) Deno.env.delete("XDG_CACHE_HOME");
    else Deno.env.set("XDG_CACHE_HOME", before);
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("the driver prints nothing about a display server, and no variable stays changed", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const mod = new URL("../../../mod.ts", import.meta.url),
    config = new URL("../../../deno.json", import.meta.url).pathname;
  const folder = await Deno.makeTempDir();
  const code = `import { init, tensor } from "${mod}";
    await init(${adapter === null ? "" : '{ device: "webgpu" }'});
    console.log(await tensor([1, 2]).sum().item(), Deno.env.get("XDG_RUNTIME_DIR"));`;
  await Deno.writeTextFile(`${folder}/script.ts`, code);
  for (const set of [undefined, "", "no/path", "/run"]) {
    const env = { ...Deno.env.toObject() };
    if (set === undefined) delete env.XDG_RUNTIME_DIR;
    else env.XDG_RUNTIME_DIR = set;
    const args = ["run", "-A", "--quiet", "--no-lock", `--config=${config}`, `${folder}/script.ts`];
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env, clearEnv: true }).output();
    const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals(said, [`3 ${set}\n`, ""]);
  }
  await Deno.remove(folder, { recursive: true });
});
