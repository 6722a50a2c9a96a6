/**
 * Chapter 12, "A language model from scratch": numbers in words, "one . two . three", of which a net is to say the next
 * word. First a recurrent net, a loop with the same layers at each word; then LSTM cells, which choose what to remember, and
 * soon know the numbers of training by heart; then dropout, and two penalties that keep activations small and steady, with
 * which they tell numbers that they have never seen.
 *
 *     deno run -A examples/book/12_nlp_dive.ts
 */
import { join } from "@std/path";
import { accuracy, Callback, DataLoaders, Learner, nn, plotLines, stack, type Tensor, zeros } from "../../mod.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";

/** Share of words that are told right, in numbers that training has not seen. */
export interface Result {
  /** Always the most frequent word. */
  readonly baseline: number;
  /** The recurrent net. */
  readonly rnn: number;
  /** Two layers of LSTM cells. */
  readonly lstm: number;
  /** The same, regularized. */
  readonly regularized: number;
}

const ONES =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
    .split(" ");
const TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split(" ");

/** A number from 1 to 9,999 in words. */
export function inWords(n: number): string[] {
  const rest = (k: number) => n % k === 0 ? [] : inWords(n % k);
  if (n >= 1000) return [...inWords(Math.floor(n / 1000)), "thousand", ...rest(1000)];
  if (n >= 100) return [ONES[Math.floor(n / 100)], "hundred", ...rest(100)];
  return n >= 20 ? [TENS[Math.floor(n / 10)], ...rest(10)] : [ONES[n]];
}

/** A stream in `bs` rows, cut every `seqLen` words, so that each batch goes on where the one before ended. */
function cut(ids: readonly number[], bs: number, seqLen: number) {
  const steps = Math.floor((ids.length - 1) / (bs * seqLen)), shape = [bs * steps, seqLen];
  const x = new Int32Array(bs * steps * seqLen), y = new Int32Array(x.length);
  for (let to = 0; to < x.length; to++) {
    const k = to % seqLen, row = Math.floor(to / seqLen) % bs, step = Math.floor(to / seqLen / bs);
    const from = (row * steps + step) * seqLen + k;
    x[to] = ids[from];
    y[to] = ids[from + 1]; // at each word, the next one
  }
  return { x: { data: x, shape }, y: { data: y, shape } };
}

/** A cell takes a word's vector and what it knew, and gives what it knows then; the first part of that is its output. */
abstract class Cell extends nn.Module<[Tensor, readonly Tensor[]], readonly Tensor[]> {
  /** How many vectors it remembers. */
  abstract readonly memories: number;
}

/** The recurrent net's: one layer for the word, one for the memory, and a tanh. */
class RnnCell extends Cell {
  readonly memories = 1;
  readonly inputs: nn.Linear;
  readonly hidden: nn.Linear;
  constructor(size: number) {
    super();
    this.inputs = new nn.Linear(size, size);
    this.hidden = new nn.Linear(size, size);
  }
  override forward(x: Tensor, [h]: readonly Tensor[]): readonly Tensor[] {
    return [this.inputs.forward(x).add(this.hidden.forward(h)).tanh()];
  }
}

/** LSTM: gates between 0 and 1 say what of the memory stays, what of the new is put in, and what is given out. */
class LstmCell extends Cell {
  readonly memories = 2;
  readonly inputs: nn.Linear;
  readonly hidden: nn.Linear;
  constructor(readonly size: number) {
    super();
    this.inputs = new nn.Linear(size, 4 * size);
    this.hidden = new nn.Linear(size, 4 * size);
  }
  override forward(x: Tensor, [h, c]: readonly Tensor[]): readonly Tensor[] {
    const [i, f, g, o] = this.inputs.forward(x).add(this.hidden.forward(h)).split(this.size, { axis: 1 });
    const cell = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
    return [o.sigmoid().mul(cell.tanh()), cell];
  }
}

/** Vectors of words, layers of cells, and a score for each word. It remembers from batch to batch, without gradients. */
class NumbersModel extends nn.Module {
  readonly embed: nn.Embedding;
  /** From outputs to scores; null where the words' own vectors are used, turned around: weights that are tied. */
  readonly out: nn.Linear | null;
  readonly drop: nn.Dropout;
  readonly memory: readonly (readonly Tensor[])[];
  /** Outputs of the last layer `[bs, words, size]`, and those after dropout: what {@link Penalties} looks at. */
  outputs: readonly Tensor[] = [];
  constructor(vocab: number, size: number, bs: number, readonly cells: readonly Cell[], dropout = 0) {
    super();
    this.embed = new nn.Embedding(vocab, size);
    this.out = dropout > 0 ? null : new nn.Linear(size, vocab);
    this.drop = new nn.Dropout(dropout);
    this.memory = cells.map((cell, l) =>
      Array.from({ length: cell.memories }, (_, m) => this.buffer(`memory${l}_${m}`, zeros([bs, size])))
    );
  }
  override forward(x: Tensor): Tensor {
    let words = x.split(1, { axis: 1 }).map((column) => this.embed.forward(column.squeeze(1)));
    this.cells.forEach((cell, l) => {
      let state: readonly Tensor[] = this.memory[l];
      words = words.map((word) => {
        state = cell.forward(word, state);
        return state[0];
      });
      this.namedMemory(l).forEach((buffer, m) => buffer.assign(state[m].detach()));
    });
    const raw = stack(words, { axis: 1 }), dropped = this.drop.forward(raw);
    this.outputs = [raw, dropped];
    return this.out === null ? dropped.matmul(this.embed.weight.transpose()) : this.out.forward(dropped);
  }
  /** The buffers of a layer. */
  namedMemory(layer: number) {
    return [...this.namedBuffers()].flatMap(([name, buffer]) => name.startsWith(`memory${layer}_`) ? [buffer] : []);
  }
  /** Forgets everything. */
  reset(): void {
    for (const buffer of this.namedBuffers().values()) buffer.assign(zeros(buffer.shape));
  }
}

/** Training and validation are streams of their own. */
class Reset extends Callback {
  constructor(readonly model: NumbersModel) {
    super();
  }
  override beforeTrain(): void {
    this.model.reset();
  }
  override beforeValidate(): void {
    this.model.reset();
  }
}

/** Activation regularization, `alpha` times the mean square of outputs, and temporal one, of what changes word by word. */
class Penalties extends Callback {
  override runValid = false;
  constructor(readonly model: NumbersModel, readonly alpha: number, readonly beta: number) {
    super();
  }
  override afterLoss(): void {
    const [raw, dropped] = this.model.outputs, n = raw.shape[1];
    const change = raw.slice([null, [1, n]]).sub(raw.slice([null, [0, n - 1]]));
    this.learn.loss = this.learn.loss.add(dropped.square().mean().mul(this.alpha)).add(
      change.square().mean().mul(this.beta),
    );
  }
}

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  const stream = Array.from({ length: quick ? 1600 : 9999 }, (_, i) => [...inWords(i + 1), "."]).flat();
  const vocab = [...new Set(stream)], ids = stream.map((word) => vocab.indexOf(word));
  const bs = quick ? 16 : 64, seqLen = quick ? 6 : 16, size = quick ? 32 : 64, at = Math.floor(0.8 * ids.length);
  const train = cut(ids.slice(0, at), bs, seqLen), valid = cut(ids.slice(at), bs, seqLen);
  const counts = new Map<number, number>();
  for (const id of valid.y.data) counts.set(id, (counts.get(id) ?? 0) + 1);
  const baseline = Math.max(...counts.values()) / valid.y.data.length;
  console.log(`${stream.length} words, ${vocab.length} of them different: ${stream.slice(0, 12).join(" ")} …`);
  console.log(`Always the most frequent word: ${(100 * baseline).toFixed(1)} %`);

  const curves: Record<string, readonly number[]> = {};
  const fit = async (name: string, model: NumbersModel, cbs: readonly Callback[] = []) => {
    // batches in their order: each row goes on in the next one
    const dls = DataLoaders.fromArrays({ ...train, xValid: valid.x, yValid: valid.y }, { bs, shuffle: false, seed });
    const learn = new Learner(dls, model, {
      lossFunc: new nn.CrossEntropyLoss({ axis: -1 }), // scores `[bs, words, vocab]`
      metrics: [accuracy],
      cbs: [new Reset(model), ...cbs],
    });
    console.log(`\n${name}`);
    await learn.fitOneCycle(quick ? 4 : 10, { lrMax: 1e-2 });
    curves[name] = learn.recorder.rows.map((row) => row.accuracy ?? NaN);
    return curves[name].at(-1)!;
  };
  const rnn = await fit("recurrent net", new NumbersModel(vocab.length, size, bs, [new RnnCell(size)]));
  const cells = () => Array.from({ length: quick ? 1 : 2 }, () => new LstmCell(size));
  // much better in training than in validation: it overfits
  const lstm = await fit("LSTM", new NumbersModel(vocab.length, size, bs, cells()));
  const last = new NumbersModel(vocab.length, size, bs, cells(), quick ? 0.1 : 0.4);
  const regularized = await fit("LSTM, regularized", last, [new Penalties(last, 2, 1)]);
  await plotLines(curves, { title: "The next word, told right", xLabel: "epoch", yLabel: "accuracy" })
    .save(join(out, "12_accuracy.png"));
  return { baseline, rnn, lstm, regularized };
}

if (import.meta.main) await runChapter("Chapter 12: numbers in words, by nets written here.", main);
