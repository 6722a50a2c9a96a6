/**
 * Hooks: what layers give, looked at from outside.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkArgument, checkOptions, func, nums } from "../base/options.ts";
import type { AnyModule } from "../nn/mod.ts";
import { evaluating } from "../nn/modes.ts";
import { noGrad, Tensor, zeros } from "../tensor/mod.ts";

/** Options of {@link hookOutputs}. */
export interface HookOutputsOptions<T> {
  /** What is kept of an output, at the place where it is made; the output itself by default. */
  readonly transform?: (output: Tensor, module: AnyModule) => T;
}

/** Layers that are listened to, until {@link Hooks.remove} or the end of a `using` block. */
export class Hooks<T = Tensor> implements Disposable {
  /** The modules, in their order. */
  readonly modules: readonly AnyModule[];
  /** What is kept of each module's newest output; null before it has been called. */
  readonly stored: (T | null)[];
  readonly #wrappers: ReadonlyMap<AnyModule, unknown>;

  /** Listens to `modules`; see {@link hookOutputs}. */
  constructor(modules: readonly AnyModule[], transform: (output: Tensor, module: AnyModule) => T) {
    this.modules = modules;
    this.stored = modules.map(() => null);
    const wrappers = new Map<AnyModule, unknown>();
    modules.forEach((module, i) => {
      if (Object.hasOwn(module, "forward")) {
        throw new ConfigError(
          `Cannot hook ${module.constructor.name}: its forward is replaced already, by other hooks or by hand; remove those first`,
        );
      }
      const forward = module.forward as (...inputs: unknown[]) => unknown;
      const wrapper = (...inputs: unknown[]): unknown => {
        const output = forward.apply(module, inputs), first = Array.isArray(output) ? output[0] : output;
        if (first instanceof Tensor) this.stored[i] = transform(first, module);
        return output;
      };
      Object.defineProperty(module, "forward", { value: wrapper, configurable: true, enumerable: false });
      wrappers.set(module, wrapper);
    });
    this.#wrappers = wrappers;
  }

  /** Listens no more. */
  remove(): void {
    for (const [module, wrapper] of this.#wrappers) {
      const own = module as { forward?: unknown };
      if (own.forward === wrapper) delete own.forward;
    }
  }

  /** See {@link Hooks.remove}. */
  [Symbol.dispose](): void {
    this.remove();
  }
}

/**
 * Keeps what modules give whenever they are called: fastai's `hook_outputs`. Outputs are expressions like any other: read
 * them before the batch ends, or `keep()` them.
 *
 * @example
 * ```ts ignore
 * using hooks = hookOutputs(model.children());
 * model.forward(x);
 * console.log(hooks.stored.map((t) => t?.shape));
 * ```
 */
export function hookOutputs<T = Tensor>(modules: readonly AnyModule[], options: HookOutputsOptions<T> = {}): Hooks<T> {
  const { transform = (output: Tensor) => output as T } = checkOptions("hook outputs", options, { transform: func() });
  return new Hooks<T>(modules, transform);
}

/**
 * Shapes of what each child of a model gives for inputs of a shape: fastai's `model_sizes`. Nothing is computed.
 *
 * @param shape The first input, with its batch axis: `[1, 3, 224, 224]`.
 */
export function modelSizes(model: AnyModule, shape: readonly number[]): (readonly number[])[] {
  checkArgument("measure a model", "shape", shape, nums);
  const modes = evaluating(model);
  using hooks = hookOutputs(model.children(), { transform: (output) => output.shape });
  try {
    const forward = model.forward as (x: Tensor) => unknown;
    noGrad(() => forward.call(model, zeros(shape)));
    return hooks.stored.map((s) => s ?? []);
  } finally {
    modes();
  }
}
