/**
 * Several metrics at once: what they take in of a batch, their values, and their names.
 *
 * @module
 */
import type { Handled } from "./events.ts";
import { explain } from "./handler_error.ts";
import type { Metric, MetricValue } from "./metric.ts";
import type { Peers } from "./peers.ts";
import type { TrainLoop } from "./train_loop.ts";

/** Lets each metric take in the batch, in order; a promise only where one is asynchronous. */
export function accumulateAll(metrics: readonly Metric[], learn: TrainLoop, start: number = 0): Handled {
  for (let i = start; i < metrics.length; i++) {
    const metric = metrics[i];
    try {
      const pending = metric.accumulate(learn);
      if (pending !== undefined) {
        return pending.then(() => accumulateAll(metrics, learn, i + 1), (error) => {
          throw explained(metric, error);
        });
      }
    } catch (error) {
      throw explained(metric, error);
    }
  }
}

/** The values of metrics; those in `instead` are taken from there. */
export async function valuesOf(
  metrics: readonly Metric[],
  instead: ReadonlyMap<Metric, MetricValue> = new Map(),
): Promise<MetricValue[]> {
  const out: MetricValue[] = [];
  for (const m of metrics) out.push(instead.get(m) ?? await m.value);
  return out;
}

/** Lets metrics take in what other processes have; of those that do not know how, the mean by numbers of items. */
export async function gatherAll(
  metrics: readonly Metric[],
  peers: Peers,
  items: number,
): Promise<ReadonlyMap<Metric, MetricValue>> {
  const means = new Map<Metric, MetricValue>();
  for (const m of metrics) {
    if (await m.gather(peers)) continue;
    const own = await m.value;
    const weight = own === null || peers.idle ? 0 : Math.max(1, items);
    const [sum, count] = await peers.sum(Float64Array.of(weight === 0 ? 0 : own! * weight, weight));
    means.set(m, count === 0 ? null : sum / count);
  }
  return means;
}

/** Names of metrics, of which those that occur again, or are among `taken`, get a number. */
export function uniqueNames(names: readonly string[], taken: readonly string[]): string[] {
  const seen = new Set(taken);
  return names.map((name) => {
    let own = name;
    for (let n = 2; seen.has(own); n++) own = `${name}_${n}`;
    seen.add(own);
    return own;
  });
}

/** An error of a metric, told with the metric's name. */
function explained(metric: Metric, error: unknown): unknown {
  const { name } = metric; // "metric" of functions without one
  if (error instanceof Error && name !== "metric" && error.message.includes(name)) return error;
  return explain(error, name === "metric" ? "a metric" : `the metric ${name}`);
}
