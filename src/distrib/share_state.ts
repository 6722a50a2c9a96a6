/**
 * Broadcasts of rank 0's state: weights, buffers, optimizer, random numbers, positions of the loaders.
 *
 * @module
 */
import { hashWords } from "../base/checksum.ts";
import { sizeOf } from "../base/shape.ts";
import { type OptimizerState, paramParts, type ParamState } from "../optim/mod.ts";
import type { LoaderState } from "../data/mod.ts";
import {
  defaultRng,
  type HostRange,
  readAll,
  type RngState,
  type Tensor,
  tensor,
  type Variable,
  withHostMemory,
} from "../tensor/mod.ts";
import type { SharedLearner } from "../train/mod.ts";
import type { World } from "./world.ts";

/** The memory of variables, each piece once. */
function memoryOf(variables: Iterable<Variable>): HostRange[] {
  const pieces = new Map<number, HostRange>();
  for (const { storage } of variables) {
    const n = Math.floor(storage.bytes / 4);
    if (n > 0) pieces.set(storage.id, { storage, offset: 0, n });
  }
  return [...pieces.values()];
}

/** Broadcasts rank 0's values of `variables`. */
export async function shareVariables(world: World, variables: Iterable<Variable>): Promise<void> {
  const pieces = memoryOf(variables);
  if (pieces.length > 0) await withHostMemory(pieces, (bytes) => world.broadcast(bytes, "share weights"));
}

/** A hash of the values of `variables`, below 2^20. */
export async function hashVariables(variables: Iterable<Variable>): Promise<number> {
  let hash = 0;
  // deno-lint-ignore require-await -- the face is asynchronous
  await withHostMemory(memoryOf(variables), async (all) => {
    for (const b of all) hash = hashWords(new Uint32Array(b.buffer, b.byteOffset, b.byteLength / 4), hash);
  });
  return hash & 0xfffff;
}

/** The state that the host holds, as text. */
interface HostState {
  readonly rng: RngState;
  readonly loaders: readonly LoaderState[];
  readonly hypers: OptimizerState["hypers"];
  readonly count: number | undefined;
  /** Numbers of each parameter, and the shapes of its statistics by name. */
  readonly params: readonly {
    readonly step: number | undefined;
    readonly stats: readonly (readonly [name: string, shape: readonly number[]])[];
  }[];
}

function statsOf(entry: ParamState): [name: string, value: Tensor][] {
  return Object.entries(paramParts(entry).stats);
}

/**
 * Broadcasts rank 0's weights, buffers, optimizer state, positions of the loaders and default random numbers. Random
 * numbers drawn on the device (dropout) come from separate streams in each process; those drawn on the host are the same
 * in all of them.
 */
export async function shareState(world: World, learn: SharedLearner): Promise<void> {
  const { model, dls, opt } = learn;
  await shareVariables(world, [...model.parameters(), ...model.namedBuffers().values()]);
  const loaders = [dls.train, dls.valid];
  const rng = defaultRng();
  const own = world.rank === 0 ? opt.stateDict() : null;
  const mine: HostState | null = own === null ? null : {
    rng: rng.state,
    loaders: loaders.map((dl) => dl.state),
    hypers: own.hypers,
    count: own.count,
    params: own.state.map((entry) => ({
      step: entry.step,
      stats: statsOf(entry).map(([name, t]) => [name, t.shape] as const),
    })),
  };
  const state: HostState = JSON.parse(await world.broadcastText(JSON.stringify(mine), "share the optimizer's state"));
  const tensors = own?.state.flatMap((entry) => statsOf(entry).map(([, t]) => t)) ?? [];
  const values = own === null
    ? state.params.flatMap((p) => p.stats.map(([, shape]) => new Float32Array(sizeOf(shape))))
    : (await readAll(tensors)).map((v) => new Float32Array(v));
  await world.broadcast(values.map((v) => new Uint8Array(v.buffer)), "share the optimizer's statistics");
  if (own === null) {
    let next = 0;
    const before = opt.stateDict().state;
    opt.loadStateDict({
      hypers: state.hypers,
      ...(state.count === undefined ? {} : { count: state.count }),
      state: state.params.map(({ step, stats }, i) => {
        const loaded = Object.fromEntries(
          stats.map(([name, shape]) => [name, tensor(values[next++], { shape: [...shape] })]),
        );
        return {
          ...paramParts({ ...before[i], step }).host, // flags are the model's, not the run's
          ...loaded,
        };
      }),
    });
    loaders.forEach((dl, i) => dl.restore(state.loaders[i]));
  }
  rng.restore(state.rng);
  spreadStreams(world);
}

/** Moves the default generator to this process's device streams: all streams are divided equally among the processes. */
export function spreadStreams({ rank, size }: World): void {
  const rng = defaultRng();
  const apart = Math.floor(2 ** 32 / size);
  const { state } = rng;
  rng.restore({ ...state, streams: state.streams % apart + rank * apart });
}
