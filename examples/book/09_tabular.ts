/**
 * Chapter 9, "Tabular modeling deep dive": what does a film earn? A real table with gaps, words, numbers and dates, a net
 * with a vector for each word, validated on the newest films, and the question which columns it uses. The chapter's decision
 * trees and forests are no part of Anneal: nets are.
 *
 *     deno run -A examples/book/09_tabular.ts
 */
import { join } from "@std/path";
import {
  addDatepart,
  Categorify,
  DataLoaders,
  featureImportance,
  FillMissing,
  Interpretation,
  Normalize,
  plotLines,
  R2Score,
  rmse,
  tabularLearner,
} from "../../mod.ts";
import { type ChapterOptions, runChapter } from "./support/chapter.ts";
import { loadMovies } from "./support/movies.ts";

/** What came out. */
export interface Result {
  /** Root of the mean squared error of the logarithm, in validation, of the net and where always the mean is told. */
  readonly rmse: number;
  /** See `rmse`. */
  readonly baseline: number;
  /** Share of the variance that the net explains. */
  readonly r2: number;
  /** Columns, what matters most first. */
  readonly columns: readonly string[];
  /** The dollars that are predicted for a cheap and for an expensive film. */
  readonly dollars: readonly [cheap: number, expensive: number];
}

/** Runs the chapter. */
export async function main({ quick, seed, out }: ChapterOptions): Promise<Result> {
  const films = (await loadMovies()).filter((m) =>
    m.gross !== null && m.gross > 1e5 && /^\w{3} \d\d? (19[6-9]\d|200\d|2010)$/.test(m.released ?? "")
  );
  // what matters is how many times as much, not how many dollars more: the logarithm
  const rows = films.map(({ gross, budget, released, mpaa, minutes, distributor, source, genre, type }) => ({
    log_gross: Math.log10(gross!),
    log_budget: budget === null || budget <= 0 ? null : Math.log10(budget),
    releaseDate: released,
    mpaa,
    minutes,
    distributor,
    source,
    genre,
    type,
  }));
  // a date says little as a number; its year, month and day of the week do
  const dated = addDatepart(rows, "releaseDate");
  // the newest fifth is validated on: the model is for films to come, and must not have seen their neighbours
  const newest = dated.map((row) => Number(row.releaseElapsed)).sort((a, b) => a - b)[Math.floor(0.8 * dated.length)];
  const table = dated.map((row) => ({ ...row, is_valid: Number(row.releaseElapsed) >= newest ? 1 : 0 }));

  const dls = await DataLoaders.fromTable(table, {
    target: "log_gross",
    validColumn: "is_valid",
    categorical: ["mpaa", "distributor", "source", "genre", "type", "releaseMonth", "releaseDayofweek"],
    numeric: ["log_budget", "minutes", "releaseYear", "releaseDayofyear"],
    procs: [Categorify, FillMissing, Normalize], // words to numbers, gaps to medians with a column that marks them, scale
    bs: 64,
    seed,
  });
  for (const note of dls.notes) console.log(note);
  const learn = tabularLearner(dls, {
    layers: [64, 32],
    dropout: 0.2,
    embedDropout: 0.05,
    metrics: [rmse, new R2Score()],
  });
  await learn.fitOneCycle(quick ? 3 : 5, { lrMax: 5e-3, wd: 0.1 });
  const { preds, targs } = await learn.getPreds();
  const error = await preds.reshape([-1]).sub(targs.reshape([-1])).square().mean().sqrt().item();
  const { mean } = dls.targetScale ?? { mean: 0 };
  const baseline = await targs.sub(mean).square().mean().sqrt().item();
  console.log(
    `A factor of ${(10 ** error).toFixed(1)} off, where always the mean is a factor of ${(10 ** baseline).toFixed(1)}`,
  );

  // which columns does it use? Each one's cells change places, and the error grows, or does not
  const importance = await featureImportance(learn, { repeats: quick ? 2 : 5, seed });
  const picture = importance.plot({ title: "Which columns does the net use?" });
  console.log(picture.text());
  await picture.save(join(out, "09_importance.png"));
  const judged = await Interpretation.fromLearner(learn);
  await judged.plotPredictions().save(join(out, "09_predictions.png"));
  for (const { item, predicted, actual } of await judged.topLosses(3)) {
    console.log(`Predicted ${predicted}, is ${actual}: ${JSON.stringify(item)}`);
  }

  // how the prediction changes with a single column, all others left as they are: partial dependence
  const film = {
    ...addDatepart([{ releaseDate: "2010-06-18" }], "releaseDate")[0],
    mpaa: "PG-13",
    minutes: 110,
    distributor: "Warner Bros.",
    source: "Original Screenplay",
    genre: "Action",
    type: "Contemporary Fiction",
  };
  const budgets = [6, 6.5, 7, 7.5, 8, 8.3], told: number[] = [];
  for (const log_budget of budgets) {
    const { pred } = await learn.predict({ ...film, log_budget });
    told.push((await pred.data())[0]);
  }
  await plotLines({ gross: { x: budgets.map((b) => 10 ** b), y: told.map((g) => 10 ** g) } }, {
    title: "An action film by what it costs",
    xLabel: "budget in dollars",
    yLabel: "predicted gross",
    xLog: true,
    yLog: true,
  }).save(join(out, "09_dependence.png"));
  return {
    rmse: error,
    baseline,
    r2: learn.recorder.rows.at(-1)!.r2_score ?? NaN,
    columns: importance.columns.map(({ name }) => name),
    dollars: [10 ** told[0], 10 ** told.at(-1)!],
  };
}

if (import.meta.main) await runChapter("Chapter 9: what films earn.", main);
