/**
 * Puts Dawn's WebGPU in place of Deno's for all that runs in this process: `deno test --preload tests/support/dawn_preload.ts`.
 *
 * @module
 */
import { DAWN, type DawnModule } from "./dawn.ts";

const { create }: DawnModule = await import(DAWN);
Object.defineProperty(navigator, "gpu", { value: create([]), configurable: true });
