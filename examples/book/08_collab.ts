/**
 * Chapter 8, "Collaborative filtering deep dive": from who liked which film, what else would they like? The films are real
 * and their ratings are made: how good a film is comes from IMDb, and whether somebody prefers action or drama is drawn. So
 * we can see whether a model, told of nothing but ratings, finds both.
 *
 *     deno run -A examples/book/08_collab.ts
 */
import { join } from "@std/path";
import {
  CollabDataLoaders,
  collabLearner,
  Learner,
  nn,
  plotLines,
  Rng,
  type TabularSchema,
  type Tensor,
} from "../../mod.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";
import { loadMovies } from "./support/movies.ts";

/** What came out. */
export interface Result {
  /** Mean squared errors in validation: of the mean rating, of the model written here, of the library's, of a net. */
  readonly losses: { readonly mean: number; readonly own: number; readonly dotBias: number; readonly net: number };
  /** The least mean squared error there can be: the noise in the ratings. */
  readonly noise: number;
  /** Correlation of the biases of films with how good they are. */
  readonly biasCorrelation: number;
  /** Correlation of the first principal component of films with action against drama, without its sign. */
  readonly axisCorrelation: number;
}

/** The chapter's model from scratch: a product of two vectors, and how generous a user, how liked a film is. */
class DotProductBias extends nn.Module<[words: Tensor, numbers: Tensor]> {
  readonly users: nn.Embedding;
  readonly films: nn.Embedding;
  readonly userBias: nn.Embedding;
  readonly filmBias: nn.Embedding;
  constructor(schema: TabularSchema, factors: number) {
    super();
    const [users, films] = schema.categorical.map(({ words }) => words.length + 1); // 0 is for those never seen
    const small = (n: number, size: number) =>
      new nn.Embedding(n, size, { init: (shape, rng) => rng.normalArray(shape[0] * shape[1]).map((v) => 0.01 * v) });
    this.users = small(users, factors);
    this.films = small(films, factors);
    this.userBias = small(users, 1);
    this.filmBias = small(films, 1);
  }
  override forward(words: Tensor): Tensor {
    const [user, film] = words.split(1, { axis: 1 }).map((column) => column.squeeze(1));
    const y = this.users.forward(user).mul(this.films.forward(film)).sum({ axis: 1, keepdim: true })
      .add(this.userBias.forward(user)).add(this.filmBias.forward(film));
    return y.sigmoid().mul(5.5).squeeze(1); // from 0 to 5.5, a little more than the ratings' own range
  }
}

function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = a.length, mean = (x: ArrayLike<number>) => Array.from(x).reduce((s, v) => s + v, 0) / n;
  const ma = mean(a), mb = mean(b);
  let ab = 0, aa = 0, bb = 0;
  for (let i = 0; i < n; i++) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) ** 2;
    bb += (b[i] - mb) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

/** Each row's place on the first principal axes, found one after the other by multiplying with the covariance. */
function principal(rows: readonly (readonly number[])[], count: number): number[][] {
  const size = rows[0].length, mean = rows[0].map((_, k) => rows.reduce((s, row) => s + row[k], 0) / rows.length);
  let left = rows.map((row) => row.map((v, k) => v - mean[k]));
  return Array.from({ length: count }, () => {
    let axis = Array.from({ length: size }, (_, k) => 1 / (k + 1));
    for (let i = 0; i < 200; i++) {
      const along = left.map((row) => row.reduce((s, v, k) => s + v * axis[k], 0));
      const next = axis.map((_, k) => left.reduce((s, row, r) => s + along[r] * row[k], 0));
      const norm = Math.hypot(...next);
      axis = next.map((v) => v / norm);
    }
    const along = left.map((row) => row.reduce((s, v, k) => s + v * axis[k], 0));
    left = left.map((row, r) => row.map((v, k) => v - along[r] * axis[k]));
    return along;
  });
}

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  // the truth: films with a quality and a place between drama (-1) and action (1), users with a taste and a generosity
  const genres: Readonly<Record<string, number>> = { Action: 1, Adventure: 1, Drama: -1, "Romantic Comedy": -1 };
  const films = (await loadMovies()).filter((m) => m.genre !== null && m.genre in genres && m.rating !== null)
    .sort((a, b) => b.votes - a.votes).slice(0, quick ? 40 : 150)
    .map(({ title, genre, rating }) => ({ title, axis: genres[genre!], quality: (rating! - 7) / 2 }));
  const rng = new Rng(seed), noiseStd = 0.3, mean = 3;
  const rows = Array.from({ length: quick ? 150 : 400 }, (_, user) => {
    const taste = 0.8 * rng.normal(), generous = 0.4 * rng.normal();
    return films.filter(() => rng.uniform() < (quick ? 0.5 : 0.3)).map(({ title, axis, quality }) => {
      const rating = mean + quality + generous + taste * axis + noiseStd * rng.normal();
      return { user: `user ${user}`, film: title, rating: Math.min(5, Math.max(0.5, rating)) };
    });
  }).flat();
  const dls = await CollabDataLoaders.fromTable(rows, { user: "user", item: "film", rating: "rating", bs: 64, seed });
  const ratings = rows.map(({ rating }) => rating), average = ratings.reduce((a, b) => a + b) / ratings.length;
  const variance = ratings.reduce((sum, r) => sum + (r - average) ** 2, 0) / ratings.length;
  console.log(`${rows.length} ratings of ${films.length} films; always the mean: ${variance.toFixed(3)}`);

  const epochs = quick ? 6 : 5, options = { lrMax: quick ? 2e-2 : 1e-2, wd: 0.1 }, yRange = [0, 5.5] as const;
  const lossOf = (learn: Learner<nn.Module<Tensor[], Tensor>>) => learn.recorder.rows.at(-1)!.valid_loss ?? NaN;
  console.log("\nA product of vectors and biases, written here");
  const own = new Learner(dls, new DotProductBias(dls.schema, 8) as nn.Module<Tensor[], Tensor>, {
    lossFunc: new nn.MSELoss(),
  });
  await own.fitOneCycle(epochs, options);
  console.log("\nThe library's");
  const learn = collabLearner(dls, { nFactors: 8, yRange });
  await learn.fitOneCycle(epochs, options);
  console.log("\nVectors through layers");
  const net = collabLearner(dls, { useNN: true, yRange, layers: [100, 50] });
  await net.fitOneCycle(epochs, { ...options, lrMax: 5e-3 });

  // what it has learned of the films: a bias says how much they are liked whatever the taste
  const { model } = learn;
  if (!(model instanceof nn.EmbeddingDotBias)) throw new Error("the learner has another model");
  const titles = films.map(({ title }) => title).filter((title) => dls.schema.categorical[1].words.includes(title));
  const known = films.filter(({ title }) => titles.includes(title));
  const biases = await model.bias(titles).data();
  const order = titles.map((_, i) => i).sort((a, b) => biases[b] - biases[a]);
  console.log(`\nMost liked: ${order.slice(0, 5).map((i) => titles[i]).join(", ")}`);
  console.log(`Least liked: ${order.slice(-5).map((i) => titles[i]).join(", ")}`);
  const biasCorrelation = correlation(biases, known.map(({ quality }) => quality));

  // the vectors' principal components: what tells films apart beside that
  const factors = await model.factors(titles).array() as number[][];
  const [first, second] = principal(factors, 2);
  const axisCorrelation = Math.abs(correlation(first, known.map(({ axis }) => axis)));
  console.log(
    `Biases go with quality: ${biasCorrelation.toFixed(3)}; the first component with action against drama: ${
      axisCorrelation.toFixed(3)
    }`,
  );
  // points of a line that have a gap on both sides are dots
  const dots = (want: number) => {
    const at = known.flatMap(({ axis }, i) => axis === want ? [i] : []);
    return { x: at.flatMap((i) => [first[i], NaN]), y: at.flatMap((i) => [second[i], NaN]) };
  };
  await plotLines({ action: dots(1), drama: dots(-1) }, {
    title: "Films by the principal components of their vectors",
    xLabel: "first",
    yLabel: "second",
  }).save(join(out, "08_components.png"));
  return {
    losses: { mean: variance, own: lossOf(own), dotBias: lossOf(learn as never), net: lossOf(net as never) },
    noise: noiseStd ** 2,
    biasCorrelation,
    axisCorrelation,
  };
}

if (import.meta.main) await runChapter("Chapter 8: ratings of films.", main);
