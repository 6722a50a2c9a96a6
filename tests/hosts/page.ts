/**
 * What a test page runs: the hand-made programs, and a short training.
 *
 * @module
 */
import type { KernelStrategy } from "../../src/device/webgpu/kernels/plan.ts";
import { openWebgpu } from "../../src/device/webgpu/mod.ts";
import { runConformance } from "../support/conformance.ts";
import { lossBits } from "./losses.ts";

/** Runs one of `oneOf` hand-made programs each; throws where one is wrong. */
export async function conformance(strategy: KernelStrategy, oneOf: number): Promise<void> {
  await runConformance(await openWebgpu({ strategy }), { oneOf });
}

/** The bits of a short training's losses. */
export async function losses(strategy: KernelStrategy): Promise<string[]> {
  return await lossBits(await openWebgpu({ strategy }));
}
