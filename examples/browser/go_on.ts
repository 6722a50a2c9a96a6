/**
 * Goes on in a terminal with a run that was begun in the page, downloaded and unpacked.
 *
 *     tar xf digits.tar -C digits && deno run -A examples/browser/go_on.ts digits
 */
import { AnnealError, init, loadMnist } from "../../src/entry/core.ts";
import { makeLearner, type Settings, train } from "./learner.ts";

const [folder] = Deno.args;
if (folder === undefined) {
  console.error("Usage: deno run -A examples/browser/go_on.ts FOLDER, into which the page's digits.tar was unpacked");
  Deno.exit(2);
}
try {
  const { settings } = JSON.parse(await Deno.readTextFile(`${folder}/settings.json`)) as { settings: Settings };
  await init();
  const learn = makeLearner(settings, await loadMnist());
  await train(learn, settings, { dir: await Deno.realPath(`${folder}/run`), resume: true });
} catch (error) {
  if (!(error instanceof AnnealError) && !(error instanceof Deno.errors.NotFound)) throw error;
  console.error(`${error.name}: ${error.message}`);
  Deno.exit(1);
}
