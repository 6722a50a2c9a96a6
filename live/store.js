/** The run as the page knows it: what the server sent, put together. */

/** Points that a curve may have here before it is thinned. */
const MOST = 6000;
/** Rows of a table, likewise. */
const MOST_ROWS = 1000;

/** Keeps fits by their number, and what else was sent last. */
export class Store {
  constructor() {
    this.clear();
  }

  clear() {
    Object.assign(this, {
      server: null,
      title: "",
      run: null,
      stats: null,
      before: null,
      finder: null,
      top: null,
      texts: [],
      controls: false,
    });
    this.fits = new Map();
  }

  take(message) {
    // another process on the same address: what it replaces is over
    if (message.full || message.server !== this.server) this.fits = new Map();
    if (message.stats && this.stats && message.server === this.server) {
      this.before ??= { stats: this.stats, at: this.statsAt };
    }
    Object.assign(this, { server: message.server, title: message.title, run: message.run, controls: message.controls });
    const now = performance.now();
    if (message.stats) {
      if (this.before && now - this.before.at > 2000) this.before = { stats: this.stats, at: this.statsAt };
      Object.assign(this, { stats: message.stats, statsAt: now });
    }
    if ("finder" in message) this.finder = message.finder;
    if ("top" in message) this.top = message.top;
    if ("texts" in message) this.texts = message.texts;
    for (const fit of message.fits) this.takeFit(fit);
  }

  takeFit({ id, phase, nEpoch, points, rows, iters, names }) {
    const fit = this.fits.get(id) ??
      { id, phase, nEpoch, steps: [], losses: [], raw: [], hps: {}, rows: [], iters: [], names: [] };
    this.fits.set(id, fit);
    append(fit.steps, points.steps, [[fit.losses, points.losses], [fit.raw, points.raw]]);
    for (const [name, { steps, values }] of Object.entries(points.hps)) {
      const mine = fit.hps[name] ??= { steps: [], values: [] };
      append(mine.steps, steps, [[mine.values, values]]);
    }
    fit.names = names;
    const known = fit.rows.at(-1)?.epoch ?? -1;
    rows.forEach((row, i) => {
      if (row.epoch <= known) return;
      fit.rows.push(row);
      fit.iters.push(iters[i]);
    });
    if (fit.rows.length > MOST_ROWS) {
      for (const list of [fit.rows, fit.iters]) halve(list);
    }
  }

  /** Fits that are no probe of the learning-rate finder. */
  get real() {
    return [...this.fits.values()].filter((f) => f.phase !== "probe");
  }

  /** The probe under way, or null. */
  get probe() {
    const last = [...this.fits.values()].at(-1);
    return last?.phase === "probe" ? last : null;
  }
}

/** Adds what is later than the last step: streams that start between two messages meet some points twice. */
function append(steps, more, columns) {
  const last = steps.at(-1) ?? -1;
  more.forEach((step, i) => {
    if (step <= last) return;
    steps.push(step);
    for (const [mine, theirs] of columns) mine.push(theirs[i]);
  });
  if (steps.length <= MOST) return;
  for (const list of [steps, ...columns.map(([mine]) => mine)]) halve(list);
}

/** Drops every other entry, but not the last. */
function halve(list) {
  const kept = list.filter((_, i) => i % 2 === 0 || i === list.length - 1);
  list.length = 0;
  list.push(...kept);
}
