import { assertEquals } from "@std/assert";
import { sameBits } from "../../src/device/arithmetic.ts";

const CPU = (what: string, threads = 2) => `CPU (${what}, ${threads} ${threads === 1 ? "thread" : "threads"})`;

Deno.test("the CPU's fused kernels have one arithmetic, on any number of threads", () => {
  const alike = ["AVX-512", "AVX2", "WebAssembly relaxed SIMD"].flatMap((what) => [CPU(what, 1), CPU(what, 16)]);
  for (const a of alike) for (const b of alike) assertEquals(sameBits(a, b), true, `${a} and ${b}`);
});

Deno.test("kernels that round twice have another one, each its own; so has every adapter", () => {
  const different = [
    CPU("AVX-512"),
    CPU("WebAssembly SIMD"),
    CPU("WebAssembly relaxed SIMD with two roundings"),
    "llvmpipe (LLVM 19)",
    "",
  ];
  different.forEach((a, i) => different.forEach((b, j) => assertEquals(sameBits(a, b), i === j, `${a} and ${b}`)));
  assertEquals(sameBits(CPU("WebAssembly SIMD", 1), CPU("WebAssembly SIMD", 8)), true);
});
