import { assert, assertEquals, assertThrows } from "@std/assert";
import { DeviceError } from "../../../../src/base/errors.ts";
import { Assembler, REG } from "../../../../src/device/cpu/native/assembler.ts";
import { CodeMemory } from "../../../../src/device/cpu/native/code_memory.ts";
import { nativeRefusal } from "../../../../src/device/cpu/native/mod.ts";
import { openCpu } from "../../../../src/device/cpu/mod.ts";
import { onLevels } from "./support.ts";

const refusal = nativeRefusal();
const test = (name: string, fn: () => void | Promise<void>) =>
  Deno.test({ name: `code memory: ${name}${refusal === null ? "" : ` (${refusal})`}`, ignore: refusal !== null, fn });

/** The process's ranges of memory that can be executed, and their bytes in all; those that can be written as well. */
async function executable(): Promise<{ all: string[]; bytes: number; writable: string[] }> {
  const lines = (await Deno.readTextFile("/proc/self/maps")).split("\n");
  const ranges = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).map((line) => line.split(" ")[0]);
  const all = ranges(/^\S+ ..x/);
  const bytes = all.map((range) => range.split("-").map((end) => parseInt(end, 16))).reduce(
    (sum, [a, b]) => sum + b - a,
    0,
  );
  return { all, bytes, writable: ranges(/^\S+ .wx/) };
}

test("what is called runs, with its two pointers", () => {
  const { rdi, rsi, rax } = REG;
  const code = new CodeMemory(
    new Assembler().move(rax, rsi).sub(rax, rdi).store32({ base: rdi }, rax).return().finish(),
  );
  const words = new Int32Array(8);
  code.call(0, Deno.UnsafePointer.of(words), Deno.UnsafePointer.of(words.subarray(6)));
  assertEquals(words[0], 24);
  code.free();
});

test("it can be executed and not written, and is gone when it is freed", async () => {
  const code = new CodeMemory(Uint8Array.of(0xc3));
  const at = code.address(0).toString(16).padStart(12, "0");
  const { all, writable } = await executable();
  assert(all.some((range) => range.startsWith(at)), all.join());
  assert(!writable.some((range) => range.startsWith(at)));
  code.free();
  assert(!(await executable()).all.some((range) => range.startsWith(at)));
});

test("more than the system has is a DeviceError", () => {
  const huge = { length: 2 ** 47 } as Uint8Array;
  assertThrows(() => new CodeMemory(huge), DeviceError, "140737488355328 bytes of memory for machine code");
});

onLevels("a thousand devices opened and closed leave no code behind", async (level) => {
  openCpu({ native: level, threads: 1 }).close();
  const before = (await executable()).bytes;
  for (let i = 0; i < 1000; i++) openCpu({ native: level, threads: 1 }).close();
  // each has at least 8 KiB; other code of the engine comes and goes
  assert((await executable()).bytes - before < 100 * 8192);
});
