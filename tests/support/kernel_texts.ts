/**
 * The kernels of programs as WGSL, for compilers that need no adapter to refuse them.
 *
 * @module
 */
import type { Device, DeviceProfile, Executable, Program } from "../../src/device/contract.ts";
import { STRATEGIES } from "../../src/device/webgpu/kernels/plan.ts";
import { planProgram } from "../../src/device/webgpu/planner.ts";

/** A compute shader to compile. */
export interface KernelText {
  readonly label: string;
  readonly text: string;
  readonly entryPoint: string;
  readonly constants: Readonly<Record<string, number>>;
}

/** What every WebGPU adapter has: eight storage buffers a kernel, two of which are spare. */
export const LEAST_PROFILE: DeviceProfile = { maxSlotsPerKernel: 6, maxBufferBytes: 2 ** 27 };

/** The different kernels of `programs`, of every strategy. */
export function kernelTexts(programs: Iterable<Program>): KernelText[] {
  const found = new Map<string, KernelText>();
  for (const program of programs) {
    for (const strategy of STRATEGIES) {
      for (
        const { label, text, overrides } of planProgram(program, {
          profile: LEAST_PROFILE,
          strategy: () => strategy,
        }).dispatches
      ) {
        const key = `${JSON.stringify(overrides)} ${text}`;
        found.set(key, { label: `${label} (${strategy})`, text, entryPoint: "main", constants: overrides });
      }
    }
  }
  return [...found.values()];
}

/** `device` under the limits of {@link LEAST_PROFILE}, which adds every program that it compiles to `programs`. */
export function recordPrograms(device: Device, programs: Set<Program>): Device {
  const compile = (program: Program): Executable => {
    programs.add(program);
    return device.compile(program);
  };
  return new Proxy(device, {
    get: (target, name) => {
      if (name === "profile") return LEAST_PROFILE;
      if (name === "compile") return compile;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
