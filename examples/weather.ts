/**
 * Which weather will it be? A table of 1,461 days in Seattle, from a file of comma-separated values to predictions.
 *
 *     deno run -A examples/weather.ts
 */
import { fromFileUrl } from "@std/path";
import { accuracy, DataLoaders, encodeRow, Learner, nn, setSeed } from "../mod.ts";

/** The file, which comes with a package of data sets. */
export async function weatherFile(): Promise<string> {
  await import("vega-datasets"); // puts the package's files on disk
  return fromFileUrl(new URL("../data/seattle-weather.csv", import.meta.resolve("vega-datasets")));
}

if (import.meta.main) {
  setSeed(1);
  const dls = await DataLoaders.fromCsv(await weatherFile(), {
    target: "weather",
    numeric: ["precipitation", "temp_max", "temp_min", "wind"],
    seed: 1,
  });
  const learn = new Learner(dls, new nn.TabularModel(dls.schema, dls.vocab.length), {
    lossFunc: new nn.CrossEntropyLoss(),
    metrics: [accuracy],
  });
  await learn.fitOneCycle(5, { lrMax: 1e-2 });
  const day = { precipitation: 12, temp_max: 10, temp_min: 5, wind: 3 };
  const { decoded } = await learn.predict(...encodeRow(dls.schema, day));
  console.log(`${JSON.stringify(day)}: ${dls.vocab[await decoded.item()]}`);
}
