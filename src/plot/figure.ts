/**
 * Figures: made of plain data, drawn when asked.
 *
 * @module
 */
import { replaceFile, whyNot } from "../base/atomic.ts";
import { fileFault } from "../base/host_files.ts";
import { extname } from "../base/path.ts";
import { ConfigError } from "../base/errors.ts";
import { checkOptions, checkPath, num } from "../base/options.ts";
import { terminalColumns } from "../base/terminal.ts";
import { renderText } from "./braille.ts";
import type { Panel } from "./panel.ts";

/** Options of {@link Figure.text}. */
export interface FigureTextOptions {
  /** Characters in a line. */
  readonly columns?: number;
}

/** A plot, or a grid of them. In a Deno notebook it shows itself as the last value of a cell. */
export class Figure {
  /** What is drawn, row by row. */
  readonly panels: readonly Panel[];
  /** Panels in a row. */
  readonly columns: number;
  /** Heading over all panels; none if empty. */
  readonly title: string;
  /** Whether {@link Figure.save} writes nothing: for processes of a run that leave files to another one. */
  quiet: boolean = false;

  /**
   * A figure of panels.
   *
   * @param panels What is drawn, row by row.
   * @param columns Panels in a row.
   * @param title Heading over all panels.
   */
  constructor(panels: readonly Panel[], columns: number = 1, title: string = "") {
    this.panels = panels;
    this.columns = columns;
    this.title = title;
  }

  /** The figure as an SVG document. */
  async svg(): Promise<string> {
    const { renderSvg } = await import("./render_svg.ts");
    return await renderSvg(this.panels, this.columns, this.title);
  }

  /**
   * Writes the figure, as a whole or not at all; folders that are missing are made.
   *
   * @param path A file that ends in `.png` (two pixels a unit) or `.svg`.
   * @throws {ConfigError} If it ends otherwise, or cannot be written.
   */
  async save(path: string): Promise<void> {
    checkPath("save a figure", path);
    const extension = extname(path).toLowerCase();
    if (extension !== ".png" && extension !== ".svg") {
      const got = extension === "" ? "no ending" : extension;
      throw new ConfigError(`Cannot save a figure as ${path}: the path must end in .png or .svg, got ${got}`);
    }
    if (this.quiet) return;
    const svg = await this.svg();
    const bytes = extension === ".svg"
      ? new TextEncoder().encode(svg)
      : await (await import("./render_png.ts")).renderPng(svg);
    try {
      await replaceFile(path, [bytes]);
    } catch (error) {
      const why = fileFault(error) === "denied"
        ? "writing there is not allowed; in Deno, --allow-write is the permission for it"
        : whyNot(error);
      throw new ConfigError(`Cannot save a figure as ${path}: ${why}`, { cause: error });
    }
  }

  /**
   * The figure for a terminal: braille dots, with marks that tell lines apart, panels one below the other; pictures as their
   * titles.
   *
   * @param options `columns`: characters in a line, by default the terminal's, 80 where there is none; plots take 12 to 56.
   */
  text(options: FigureTextOptions = {}): string {
    const { columns = terminalColumns() ?? 80 } = checkOptions("draw a figure as text", options, { columns: num });
    const text = renderText(this.panels, columns);
    return this.title === "" ? text : `${this.title}\n${text}`;
  }

  /** What a Deno notebook shows. */
  async [Symbol.for("Jupyter.display")](): Promise<Record<string, string>> {
    const svg = (await this.svg()).replace("<svg ", '<svg style="max-width:100%;height:auto" '); // cells are narrow
    return { "image/svg+xml": svg, "text/plain": this.text() };
  }
}
