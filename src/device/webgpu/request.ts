/**
 * Asks the runtime for an adapter.
 *
 * @module
 */

/** An adapter, or null where there is none or no WebGPU. */
export async function requestAdapter(powerPreference?: GPUPowerPreference): Promise<GPUAdapter | null> {
  const gpu: GPU | undefined = globalThis.navigator?.gpu;
  if (gpu === undefined) return null;
  await hushDriver();
  return await gpu.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
}

const RUNTIME_DIR = "XDG_RUNTIME_DIR";

/**
 * Mesa prints an "error" to the terminal where this variable is missing, as in most containers, though it needs no display
 * server for computing: any folder will do. Without the permission to set it, the line stays.
 */
async function hushDriver(): Promise<void> {
  if (Deno.build.os !== "linux") return;
  const { state } = await Deno.permissions.query({ name: "env", variable: RUNTIME_DIR });
  if (state === "granted" && Deno.env.get(RUNTIME_DIR) === undefined) Deno.env.set(RUNTIME_DIR, "/tmp");
}

/** Whether the runtime's WGSL has what goes by this name. */
export function hasLanguageFeature(name: string): boolean {
  const gpu: object = navigator.gpu;
  const features = "wgslLanguageFeatures" in gpu ? gpu.wgslLanguageFeatures : null;
  return typeof features === "object" && features !== null && "has" in features && typeof features.has === "function" &&
    features.has(name) === true;
}
