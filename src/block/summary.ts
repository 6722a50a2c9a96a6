/**
 * One item's way through a data block, in words.
 *
 * @module
 */
import "../entry/core.ts"; // there by now: bundlers are told, and leave it whole
import type { BlockSet, InputBlock } from "./data_block.ts";
import type { TargetBlock } from "./target.ts";

/** What a data block does with a source, step by step. */
export interface BlockSteps<Item, X, Y, Loaders, Options extends object> {
  /** How inputs are read. */
  readonly input: InputBlock<X, Loaders, Options>;
  /** What labels are. */
  readonly target: TargetBlock<Y>;
  /** Whether items have labels. */
  readonly labelled: boolean;
  /** What an input is called where there is trouble with it. */
  nameOf(x: X): string;
  /** A value in a line. */
  shortened(value: unknown): string;
  /** Finds the items. */
  items(): Promise<readonly Item[]>;
  /** The input or the label of the first item. */
  one(what: "input" | "label", item: Item): unknown;
  /** Labels and divides all items. */
  set(items: readonly Item[]): BlockSet<X, Y>;
}

/** See `DataBlock.summary`. */
export async function summaryOf<Item, X, Y, Loaders, Options extends object>(
  block: BlockSteps<Item, X, Y, Loaders, Options>,
  options: Options,
): Promise<string> {
  const { input, target: labels, nameOf, shortened } = block, lines: string[] = [];
  let step = "Finding items";
  try {
    const items = await block.items();
    lines.push(`Items: ${items.length}, the first is ${shortened(items[0])}`);
    step = "Reading the first item's input and label (getX, getY)";
    lines.push(`  input: ${shortened(block.one("input", items[0]))}`);
    if (block.labelled) lines.push(`  label: ${shortened(block.one("label", items[0]))}`);
    step = "Labelling and dividing all items (getY, splitter)";
    const set = block.set(items), [train, valid] = set.split;
    lines.push(`Divided: ${train.length} to train on, ${valid.length} to validate on`, ...set.notes);
    step = `Setting up labels (${labels.name})`;
    const target = labels.setup(train.map((i) => set.y[i]), train.map((i) => nameOf(set.x[i])));
    if (target.kind === "none") lines.push("No labels");
    const some = target.vocab.slice(0, 8).map(String).join(", ");
    const classes = target.vocab.length === 0 ? `${target.c} outputs` : `${target.vocab.length} classes: ${some}`;
    if (target.kind !== "none") lines.push(`${labels.name}: ${classes}${target.vocab.length > 8 ? ", …" : ""}`);
    step = `Building one item (${input.name})`;
    for await (const line of input.walk(set as BlockSet<X>, options)) lines.push(line);
  } catch (error) {
    lines.push(`${step} breaks: ${error instanceof Error ? error.message : String(error)}`);
  }
  return lines.join("\n");
}
