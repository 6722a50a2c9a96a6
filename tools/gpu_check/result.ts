/**
 * What a part of `deno task gpu:check` has found, as a line of JSON that it prints again and again while it goes on: whatever
 * becomes of its process, the last line tells how far it came.
 *
 * @module
 */

/** A table, and what went wrong. */
export interface PartResult {
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** Numbers that are not those they must be. */
  readonly wrong: readonly string[];
  /** What gave no numbers at all. */
  readonly faults: readonly string[];
  /** Whether everything was done that the part is for. */
  readonly whole: boolean;
  /** What comes next, or what it does where it has not come back. */
  readonly at: string;
  /** Why there is nothing to do here; empty where there is. */
  readonly absent: string;
}

/** A result from some of its properties. */
export function resultOf(of: Partial<PartResult> & Pick<PartResult, "head">): PartResult {
  return { ...{ head: of.head, rows: [], wrong: [], faults: [], whole: true, at: "", absent: "" }, ...of };
}

/** Prints `result` for {@link resultIn}. */
export function report(result: PartResult): void {
  console.log(JSON.stringify(result));
}

/** The result that a line holds; null where it holds none. */
export function resultIn(line: string): PartResult | null {
  if (!line.startsWith('{"head"')) return null;
  try {
    return resultOf(JSON.parse(line));
  } catch {
    return null; // a line that was cut off
  }
}

/** The items in an order each beginning of which is spread evenly over all of them: 0, 4, 2, 6, 1, 5, 3, 7. */
export function spread<T>(items: readonly T[]): T[] {
  const bits = Math.ceil(Math.log2(Math.max(2, items.length)));
  const order = Array.from({ length: 2 ** bits }, (_, i) => {
    let at = 0;
    for (let bit = 0; bit < bits; bit++) at |= ((i >> bit) & 1) << (bits - 1 - bit);
    return at;
  });
  return order.filter((i) => i < items.length).map((i) => items[i]);
}

/** Arguments of a part's process. */
export interface PartArgs {
  readonly name: string;
  readonly quick: boolean;
  readonly dawn: boolean;
  /** GFLOP/s that the adapter does at most; 0 where that is not known. */
  readonly peak: number;
  /** Seconds of the part's share that are left. */
  left(): number;
}

/** Reads `<name> [--quick] [--dawn] [--peak N] --seconds N`; the share began with the process. */
export function partArgs(args: readonly string[]): PartArgs {
  const number = (name: string, without: number): number => {
    const at = args.indexOf(name);
    return at < 0 ? without : Number(args[at + 1]);
  };
  const seconds = number("--seconds", Infinity);
  return {
    name: args[0],
    quick: args.includes("--quick"),
    dawn: args.includes("--dawn"),
    peak: number("--peak", 0),
    left: () => seconds - performance.now() / 1000,
  };
}
