/**
 * The worker of the page: loads MNIST, looks for a learning rate, trains, recognises.
 *
 * @module
 */
import {
  Callback,
  type EnginePage,
  init,
  type Learner,
  loadMnist,
  type Mnist,
  serveEngine,
  slide,
  valley,
} from "../../src/entry/core.ts";
import { LiveMessages } from "../../src/entry/live.ts";
import { makeLearner, type Settings, train } from "./learner.ts";

/** What the net makes of a picture. */
interface Recognised {
  /** The probability of each digit. */
  readonly probabilities: number[];
  /** Whether the net was trained at all. */
  readonly trained: boolean;
}

let mnist: Promise<Mnist> | null = null;
const digits = (): Promise<Mnist> => mnist ??= loadMnist({ from: "/mnist/", suffix: ".gz" });

/** A picture that waits until the batch under way is over. */
interface Waiting {
  readonly picture: Uint8Array;
  resolve(answer: Promise<Recognised>): void;
}

/** Recognises between two batches, while the net is trained. */
class Recognise extends Callback {
  readonly waiting: Waiting[] = [];
  override async beforeBatch(): Promise<void> {
    if (!this.learn.training) return;
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      const answer = recognise(this.learn as Learner, next.picture);
      next.resolve(answer);
      await answer.catch(() => {}); // who asked is told
    }
  }
}

async function recognise(learn: Learner, data: Uint8Array): Promise<Recognised> {
  const { pred } = await learn.predict({ data, shape: [1, 28, 28] });
  return { probabilities: [...await pred.data()], trained: state!.trained };
}

/** The learner of the page, and what belongs to it. */
interface State {
  readonly key: string;
  readonly learn: Learner;
  readonly live: LiveMessages;
  readonly recognise: Recognise;
  trained: boolean;
}

let state: State | null = null;
/** Settled when no picture is being recognised: buttons wait for that, a net is not trained meanwhile. */
let looking: Promise<unknown> = Promise.resolve();

/** What buttons say, once no picture is being looked at. */
const portOf = (page: EnginePage) => ({
  post: (data: unknown) => page.post(data),
  onMessage: (f: (data: unknown) => void) => page.onMessage((data) => void looking.then(() => f(data))),
});

/** The learner for some settings: the one that there is, unless it was trained already or is for others. */
async function learnerFor({ settings, page }: { settings: Settings; page: EnginePage }): Promise<State> {
  const key = JSON.stringify({ ...settings, lr: 0, epochs: 0 });
  if (state !== null && state.key === key && !state.trained) {
    state.live.connect(portOf(page));
    return state;
  }
  const live = new LiveMessages(portOf(page), { title: "Handwritten digits", topLosses: 12, readEvery: 0.5 });
  const recognise = new Recognise();
  state = { key, live, recognise, learn: makeLearner(settings, await digits(), [recognise, live]), trained: false };
  return state;
}

/** Pictures that no batch comes for any more. */
async function answerAll({ learn, recognise: { waiting } }: State): Promise<void> {
  for (const { picture, resolve } of waiting.splice(0)) {
    const answer = recognise(learn, picture);
    resolve(answer);
    await answer.catch(() => {});
  }
}

serveEngine({
  /** Opens the device; says what it is. */
  async open(device: "webgpu" | "cpu"): Promise<string> {
    return (await init({ device })).name;
  },
  /** Suggestions of the learning-rate finder. */
  async find(settings: Settings, page) {
    const now = await learnerFor({ settings, page });
    return await now.learn.lrFind({ suggestFuncs: [valley, slide] }).finally(() => answerAll(now));
  },
  /** Trains; gives the table's last row. */
  async train({ settings, dir, resume }: { settings: Settings; dir: string; resume: boolean }, page) {
    const now = await learnerFor({ settings, page });
    now.trained = true; // whatever comes of it, it is no new net any more
    await train(now.learn, settings, { dir, resume }).finally(() => answerAll(now));
    await now.learn.recorder.sync();
    if (resume) now.live.connect(portOf(page)); // of a run that was done, nothing has been told yet
    return now.learn.recorder.rows.at(-1);
  },
  /** What the net makes of a picture, 28 * 28 bytes; null before there is a net. */
  recognise(picture: Uint8Array): Promise<Recognised> | null {
    if (state === null) return null;
    const { learn, live, recognise: between } = state;
    if (learn.running && !live.paused) {
      return new Promise((resolve) => between.waiting.push({ picture, resolve }));
    }
    const answer = recognise(learn, picture);
    looking = answer.catch(() => {});
    return answer;
  },
  /** A picture of the test set, and what it is. */
  async sample(): Promise<{ picture: Uint8Array; digit: number }> {
    const { xValid, yValid } = await digits();
    const i = Math.floor(Math.random() * yValid.data.length);
    return { picture: xValid.data.slice(i * 784, (i + 1) * 784), digit: yValid.data[i] };
  },
});
