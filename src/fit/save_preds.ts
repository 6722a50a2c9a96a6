/**
 * Predictions for a whole set as a table in a file.
 *
 * @module
 */
import { ConfigError, DataError } from "../base/errors.ts";
import { checkArgument, checkOptions, flag, type OptionTable, other, text } from "../base/options.ts";
import { fmtShape } from "../base/shape.ts";
import { tableBytes, type WrittenColumn, writtenFormat, type WrittenTable } from "../data/table_text.ts";
import { writeAtomic } from "../base/atomic.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { TrainLoop } from "../train/mod.ts";
import { getPreds } from "./get_preds.ts";
import { classesOf } from "./predict.ts";
import { VALIDATE, type ValidateOptions } from "./validate.ts";

/** Options of {@link savePreds}. */
export interface SavePredsOptions extends ValidateOptions {
  /** Columns to put in front, such as names of the rows, in the order of the set. */
  readonly columns?: WrittenTable;
  /** Whether to write each item's loss too; false by default. */
  readonly withLoss?: boolean;
}

const SAVE_PREDS: OptionTable<SavePredsOptions> = {
  ...VALIDATE,
  columns: other("arrays by name", (v) => typeof v === "object" && v !== null && !Array.isArray(v)),
  withLoss: flag,
};

/** See `savePreds` of `written.ts`. */
export async function savePreds(learn: TrainLoop, path: string, options: SavePredsOptions = {}): Promise<void> {
  checkOptions("save predictions", options, SAVE_PREDS);
  checkArgument("save predictions", "path", path, text);
  writtenFormat(path); // refused before the work
  const { columns = {}, withLoss = false, ...rest } = options;
  const found = await getPreds(learn, { ...rest, withLoss, withDecoded: true });
  const table: Record<string, WrittenColumn> = { ...columns };
  const own = await predColumns(learn, found.preds, found.decoded!);
  if (found.targs.size > 0) Object.assign(own, await targetColumns(learn, found.targs));
  if (found.losses !== undefined) own.loss = Float32Array.from(await found.losses.data());
  for (const [name, column] of Object.entries(own)) {
    if (Object.hasOwn(table, name)) {
      throw new ConfigError(`Cannot save predictions with a column "${name}": that is one of the predictions`);
    }
    table[name] = column;
  }
  await writeAtomic(path, await tableBytes(path, table));
}

/** Columns of predictions. */
async function predColumns(learn: TrainLoop, preds: Tensor, decoded: Tensor): Promise<Record<string, WrittenColumn>> {
  const n = preds.shape[0], values = await preds.data();
  if (preds.shape.length > 2) {
    throw new DataError(`Cannot save predictions of shape ${fmtShape(preds.shape)} as a table: a row is a vector`);
  }
  const width = n === 0 ? 1 : values.length / n, classes = classesOf(learn.dls);
  const column = (c: number) => Float32Array.from({ length: n }, (_, r) => values[r * width + c]);
  if (decoded.dtype === "i32" && decoded.shape.length === 1) {
    const best = await decoded.data(), names = width === 1 ? [] : Array.from({ length: width }, (_, c) => c);
    return {
      prediction: classes === null ? Int32Array.from(best) : Array.from(best, (c) => String(classes[Number(c)] ?? c)),
      ...(width === 1 ? {} : {
        probability: Float32Array.from({ length: n }, (_, r) => values[r * width + Number(best[r])]),
      }),
      ...Object.fromEntries(names.map((c) => [`p_${classes?.[c] ?? c}`, column(c)])),
    };
  }
  if (width === 1) return { prediction: column(0) };
  const names = classes !== null && classes.length === width ? classes.map((c) => `p_${c}`) : null;
  return Object.fromEntries(
    Array.from({ length: width }, (_, c) => [names?.[c] ?? `prediction_${c}`, column(c)]),
  );
}

async function targetColumns(learn: TrainLoop, targs: Tensor): Promise<Record<string, WrittenColumn>> {
  const n = targs.shape[0], values = await targs.data(), width = n === 0 ? 1 : values.length / n;
  const whole = targs.dtype !== "f32", classes = whole ? classesOf(learn.dls) : null;
  const column = (c: number): WrittenColumn => {
    const cells = Array.from({ length: n }, (_, r) => Number(values[r * width + c]));
    if (classes !== null && width === 1) return cells.map((v) => String(classes[v] ?? v));
    return whole ? Int32Array.from(cells) : Float32Array.from(cells);
  };
  if (width === 1) return { target: column(0) };
  return Object.fromEntries(Array.from({ length: width }, (_, c) => [`target_${c}`, column(c)]));
}
