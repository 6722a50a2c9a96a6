import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { ConfigError } from "../../src/base/errors.ts";
import {
  type Figure,
  imageGridFigure,
  lossFigure,
  lrFindFigure,
  plotImages,
  plotLines,
  plotMatrix,
  plotSchedules,
  schedFigure,
  sideBySide,
} from "../../src/plot/mod.ts";
import { renderPng } from "../../src/plot/render_png.ts";
import { SchedCos, SchedLin } from "../../src/schedule/mod.ts";

async function count(figure: Figure, what: string): Promise<number> {
  return (await figure.svg()).split(what).length - 1;
}
const SERIES = 'class="series"', MARKER = 'class="marker"', POINT = 'class="point"';

/** Numbers of the first series' path, x and y in turn. */
async function path(figure: Figure, index = 0): Promise<number[]> {
  const found = [...(await figure.svg()).matchAll(/class="series" d="([^"]*)"/g)][index];
  return found[1].split(/[ML,]/).filter((s) => s !== "").map(Number);
}

Deno.test("plotLines() draws one path a series, between the edges of the frame", async () => {
  const figure = plotLines({ a: [1, 2, 4], b: { x: [0, 2], y: [4, 1] } }, {
    title: "A < B",
    xLabel: "step",
    yLabel: "lr",
  });
  assertEquals(await count(figure, SERIES), 2);
  const [x0, y0, x1, y1, x2, y2] = await path(figure);
  assert(x0 < x1 && x1 < x2 && y0 > y1 && y1 > y2, "the line rises to the right, and SVG's y grows downwards");
  assert(Math.abs((y0 - y1) * 2 - (y1 - y2)) < 0.05, "linear in y");
  const svg = await figure.svg();
  for (const text of [">A &lt; B</text>", ">step</text>", ">lr</text>", ">a</text>", ">b</text>"]) {
    assert(svg.includes(text), text);
  }
});

Deno.test("values that aren't finite are gaps, and points alone are dots", async () => {
  const figure = plotLines({ a: [1, 2, NaN, 4, Infinity, 3, 3.5] });
  assertEquals(await count(figure, POINT), 1);
  const [d] = [...(await figure.svg()).matchAll(/class="series" d="([^"]*)"/g)].map((m) => m[1]);
  assertEquals(d.replace(/[^ML]/g, ""), "MLML");
  const log = plotLines({ a: [1, 0, -1, 4, 10] }, { yLog: true });
  assertEquals(await count(log, POINT), 1);
  assert(!(await log.svg()).includes("NaN"));
});

Deno.test("no data, only NaN and a constant give figures, too", async () => {
  for (const figure of [plotLines({}), plotLines({ a: [] }), plotLines({ a: [NaN, NaN] }), schedFigure({})]) {
    assertEquals(await count(figure, SERIES), 0);
    assertEquals(await count(figure, ">no data</text>"), 1);
    assert(figure.text().includes("(no data)"));
  }
  const [, y0, , y1] = await path(plotLines({ a: [1e-7, 1e-7] }));
  assertEquals(y0, y1);
});

Deno.test("plotSchedules() samples [0, 1], one line per param group", async () => {
  const figure = plotSchedules({ cos: SchedCos(2, 1e-2), lin: SchedLin([0, 1], 2) });
  assertEquals(await count(figure, SERIES), 3);
  assertEquals((await path(figure)).length, 2 * 201);
  for (const name of ["cos", "lin 0", "lin 1"]) assert((await figure.svg()).includes(`>${name}</text>`), name);
});

Deno.test("schedFigure() is a grid of two columns, the hyper-parameter as y label", async () => {
  const hps = { lr: [[1, 2], [2, 3], [3, 4]], mom: [0.9, 0.8, 0.9], wd: [0, 0, 0] };
  const all = schedFigure(hps);
  assertEquals([all.panels.length, all.columns], [3, 2]);
  assertEquals(await count(all, SERIES), 4);
  assert((await all.svg()).startsWith('<svg xmlns="http://www.w3.org/2000/svg"'));
  assert((await all.svg()).includes('viewBox="0 0 960 640"'));
  const some = schedFigure(hps, { keys: ["wd", "mom"] });
  assertEquals(some.panels.map((p) => p.kind === "lines" ? [p.xLabel, p.yLabel] : []), [["step", "wd"], [
    "step",
    "mom",
  ]]);
});

Deno.test("lossFigure() skips the start, puts validation at the epochs' ends, and may mark them", async () => {
  const losses = Array.from({ length: 20 }, (_, i) => 2 - i / 20);
  const options = { losses, iters: [4, 10, 20], validLosses: [9, 1.4, 1.2] };
  const [panel] = lossFigure(options).panels;
  assert(panel.kind === "lines");
  assertEquals(panel.lines.map((l) => [l.name, l.x[0], l.x.length]), [["train", 5, 15], ["valid", 10, 2]]);
  assertEquals(panel.rules, []);
  assertEquals(await count(lossFigure({ ...options, showEpochs: true }), 'stroke-dasharray="2,3"'), 1);
  const [all] = lossFigure({ ...options, skipStart: 0, log: true }).panels;
  assert(all.kind === "lines" && all.lines[0].x.length === 20 && all.xLog && all.yLog);
  assertEquals(await count(lossFigure({ losses, iters: [20] }), SERIES), 1);
});

Deno.test("lossFigure() shows all of a short run", () => {
  for (const n of [1, 3, 5, 10, 11]) {
    const [panel] = lossFigure({
      losses: Array.from({ length: n }, (_, i) => 1 / i),
      iters: [1],
      validLosses: [2],
    }).panels;
    assert(panel.kind === "lines");
    assertEquals(panel.lines.map((l) => l.x.length), n > 10 ? [n - 5] : [n, 1], `${n} losses`);
  }
});

Deno.test("lrFindFigure() drops the end and marks each suggestion", async () => {
  const lrs = Array.from({ length: 20 }, (_, i) => 10 ** (-7 + i / 4)), losses = lrs.map((_, i) => (i - 10) ** 2);
  const suggestions = [{ name: "valley", lr: 1e-5, loss: 4 }, { name: "steep", lr: 1e-6, loss: 36 }];
  const figure = lrFindFigure({ lrs, losses, suggestions });
  assertEquals(await count(figure, MARKER), 2);
  const xs = (await path(figure)).filter((_, i) => i % 2 === 0);
  assertEquals(xs.length, 15);
  assert(xs.every((x, i) => i === 0 || Math.abs(x - xs[i - 1] - (xs[1] - xs[0])) < 0.02), "even steps on a log axis");
  const svg = await figure.svg();
  for (const text of ["Learning Rate", "Loss", "valley", "steep", "1e-7", "1e-4"]) {
    assert(svg.includes(`>${text}</text>`));
  }
  assertEquals((await path(lrFindFigure({ lrs, losses, skipEnd: 0 }))).length, 40);
  assertEquals(await count(lrFindFigure({ lrs: [], losses: [] }), ">no data</text>"), 1);
});

Deno.test("sideBySide() puts panels in one row and may share the y axis", async () => {
  const a = plotLines({ a: [0, 1] }), b = plotLines({ b: [0, 10] });
  const [, y0, , y1] = await path(sideBySide([a, b]));
  const shared = sideBySide([a, b], { shareY: true });
  const [, z0, , z1] = await path(shared);
  assert(Math.abs((z0 - z1) * 10 - (y0 - y1)) < 1);
  assert((await shared.svg()).includes('viewBox="0 0 960 320"'));
});

const digit = { data: Uint8Array.from({ length: 784 }, (_, i) => i % 256), width: 28, height: 28, channels: 1 };

Deno.test("imageGridFigure() shows pictures under their titles", async () => {
  const titles = Array.from({ length: 16 }, (_, i) => `7 → 1 / ${(3.21 + i).toFixed(2)}`);
  const figure = imageGridFigure({ images: Array(16).fill(digit), titles });
  assertEquals(figure.columns, 4);
  assertEquals(await count(figure, "<image "), 16);
  assertEquals(await count(figure, "data:image/png;base64,iVBORw0KGgo"), 16);
  for (const title of titles) assert((await figure.svg()).includes(`>${title}</text>`), title);
  const headed = plotImages(Array(16).fill(digit), { titles, columns: 8, title: "Worst" });
  assertEquals([headed.columns, headed.text().split("\n")[0]], [8, "Worst"]);
  assert((await headed.svg()).includes(">Worst</text>"));
});

/** Pixel size in the header of a PNG file. */
function pngSize(bytes: Uint8Array): number[] {
  assertEquals([...bytes.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
}

Deno.test("save() writes PNG and SVG by the path's ending and makes folders", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const figure = plotLines({ a: [1, 3, 2] }, { title: "text" });
    await figure.save(join(folder, "a", "b", "x.png"));
    assertEquals(pngSize(await Deno.readFile(join(folder, "a", "b", "x.png"))), [960, 640]);
    await figure.save(join(folder, "x.SVG"));
    assertEquals(await Deno.readTextFile(join(folder, "x.SVG")), await figure.svg());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("text is drawn with the font of the package, whatever the machine has", async () => {
  const svg = (text: string) => `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40">${text}</svg>`;
  const bare = await renderPng(svg("")), drawn = await renderPng(svg('<text x="5" y="20">7 → 1 / 3.21</text>'));
  assertEquals(pngSize(drawn), [400, 80]);
  assert(drawn.length > bare.length + 500, `${drawn.length} bytes with text, ${bare.length} without`);
});

Deno.test("text() draws braille with the ends of the axes", () => {
  const text = plotLines({ a: [0, 1, 2, 3] }, { title: "rising", xLabel: "step" }).text().split("\n");
  assertEquals(text[0], "   rising");
  assertEquals(text.length, 15);
  assertEquals(text[1].trimEnd().slice(0, 3), "3 ┤");
  assertEquals(text[1].slice(-4), "⣀⠤⠒⠉");
  assertEquals(text[12].slice(0, 5), "0 ┤⣀⠤");
  assertEquals(text[13], "  └" + "─".repeat(56));
  assertEquals(text[14], "   0                         step                         3");
  const falling = plotLines({ a: [3, 2, 1, 0] }).text().split("\n");
  assertEquals(falling[0].slice(0, 8), "3 ┤⠉⠒⠤⣀⡀");
});

Deno.test("text() shows markers and names", () => {
  const text = lrFindFigure({
    lrs: [1e-3, 1e-2, 1e-1, 1],
    losses: [3, 2, 1, 4],
    skipEnd: 0,
    suggestions: [{ name: "valley", lr: 1e-2, loss: 2 }],
  }).text();
  assert(text.includes("● valley 0.01"));
  assertEquals(text.split("●").length - 1, 2);
});

Deno.test("text() tells lines apart by marks, also where they lie on each other", () => {
  const x = Array.from({ length: 200 }, (_, i) => i);
  const text = plotLines({ a: x, b: x, c: x, d: x.map((v) => 199 - v) }).text();
  const [plot, legend] = [text.split("\n").slice(0, -1).join(""), text.split("\n").at(-1)!];
  assertEquals(legend.trim(), "⠒⠒ a   × b   + c   ○ d");
  for (const mark of "×+○") assert(plot.split(mark).length - 1 >= 5, `${mark} in\n${text}`);
  // few points have a mark each
  const losses = lossFigure({ losses: x.map((v) => 2 - v / 200), iters: [100, 200], validLosses: [1.8, 1.2] }).text();
  assertEquals(losses.split("×").length - 1, 2 + 1);
  assert(losses.endsWith("⠒⠒ train   × valid"));
});

Deno.test("text() fits the width that it is given", () => {
  const classes = Array.from({ length: 20 }, (_, i) => `class ${i}`), names = { rows: classes, columns: classes };
  const hps = { lr: [[1e-3, 1e-2, 0.1], [2e-3, 2e-2, 0.2], [1e-3, 1e-2, 0.1]], mom: [0.9, 0.8, 0.9] };
  const figures = [
    plotLines({ "a long name of a line": [1, 2], "another such name": [2, 1] }, {
      title: "x".repeat(90),
      xLabel: "step",
    }),
    schedFigure(hps),
    plotMatrix(Array.from({ length: 20 }, (_, r) => Array.from({ length: 20 }, (_, c) => r * c)), names),
  ];
  for (const figure of figures) {
    for (const columns of [24, 30, 50, 66, 80, 200]) {
      const widest = Math.max(...figure.text({ columns }).split("\n").map((line) => line.length));
      assert(widest <= columns, `${widest} characters for ${columns}:\n${figure.text({ columns })}`);
    }
  }
  assertThrows(() => figures[0].text({ column: 3 } as never), ConfigError, "column");
});

Deno.test("a figure shows itself in a notebook", async () => {
  const figure = plotLines({ a: [1] });
  const shown = await Reflect.get(figure, Symbol.for("Jupyter.display")).call(figure);
  assertEquals(Object.keys(shown), ["image/svg+xml", "text/plain"]);
});

Deno.test("a wrong ending is a ConfigError before anything is written", async () => {
  await assertRejects(() => plotLines({}).save("/nowhere/x.pdf"), ConfigError, "must end in .png or .svg, got .pdf");
  await assertRejects(() => plotLines({}).save("/nowhere/x"), ConfigError, "got no ending");
});

for (
  const [title, call, message] of [
    [
      "x and y of unequal length",
      () => plotLines({ a: { x: [1], y: [1, 2] } }),
      "Cannot plot a: x and y must have one",
    ],
    [
      "a marker without a name",
      () => plotLines({ a: [1] }, { markers: [{ x: 0, y: 1, label: "best" }] as never }),
      "markers",
    ],
    ["a plot of 10 pixels", () => plotLines({}, { width: 10 }), "at least 120 x 100"],
    ["no figure", () => sideBySide([]), "at least one is needed"],
    ["an unknown key", () => schedFigure({ lr: [1] }, { keys: ["mom"] }), "Cannot plot mom: it must be a recorded"],
    ["a negative skipStart", () => lossFigure({ losses: [], iters: [], skipStart: -1 }), "skipStart must be"],
    ["too many validation losses", () => lossFigure({ losses: [], iters: [], validLosses: [1] }), "got 1 for 0"],
    ["lrs and losses of unequal length", () => lrFindFigure({ lrs: [1], losses: [] }), "got 1 and 0"],
    ["no picture", () => imageGridFigure({ images: [] }), "at least one is needed"],
    ["too few titles", () => imageGridFigure({ images: [digit], titles: [] }), "got 0 for 1"],
    ["two channels", () => imageGridFigure({ images: [{ ...digit, channels: 2 }] }), "1, 3 or 4 channels, got 2"],
    [
      "too little data",
      () => imageGridFigure({ images: [{ ...digit, width: 29 }] }),
      "28 x 29 x 1 bytes are needed, got 784",
    ],
    ["no column", () => imageGridFigure({ images: [digit], columns: 0 }), "columns must be a positive integer"],
  ] as const
) {
  Deno.test(`${title} is a ConfigError`, () => {
    assertThrows(call, ConfigError, message);
  });
}

Deno.test({
  name: "a figure that may not be written says which permission it takes",
  permissions: { read: true, write: false },
  fn: async () => {
    const figure = plotLines({ a: [1, 2, 3] });
    for (const path of ["/tmp/figure.svg", "figures/figure.svg"]) {
      await assertRejects(
        () => figure.save(path),
        ConfigError,
        `Cannot save a figure as ${path}: writing there is not`,
      );
    }
  },
});

Deno.test("a figure does not take the place of a folder, nor lie in a file", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(join(folder, "there.svg"));
  await Deno.writeTextFile(join(folder, "file"), "");
  const figure = plotLines({ a: [1, 2, 3] });
  await assertRejects(() => figure.save(join(folder, "there.svg")), ConfigError, "a folder lies in its place");
  await assertRejects(() => figure.save(join(folder, "file", "x.svg")), ConfigError, "a part of the path is no folder");
  await Deno.remove(folder, { recursive: true });
});
