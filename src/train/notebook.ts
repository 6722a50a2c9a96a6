/**
 * Output in Deno's Jupyter kernel: text in the cell, and a table that is redrawn in place.
 *
 * @module
 */
import { host } from "../base/host.ts";
import type { Broadcast } from "../base/host_interface.ts";
import type { Row } from "./fit_record.ts";
import type { Logger, TableView } from "./logger.ts";
import { tableCell } from "./table.ts";

export type { Broadcast };

/** Milliseconds after the last message: the kernel may say that a cell is done before what the cell sent is out. */
const SETTLE_MS = 50;

/** How to send messages to the notebook; null where this is no notebook. */
export function notebook(): Broadcast | null {
  return host.notebook();
}

/** Writes to the notebook, in order. */
export function notebookLogger(broadcast: Broadcast): Logger {
  let last: Promise<void> = Promise.resolve();
  const shown = new Set<string>();
  const send = (kind: string, content: Record<string, unknown>): void => {
    last = last.then(() => broadcast(kind, content)).catch(() => {}); // a notebook that was closed stops no training
  };
  return {
    line: (text) => send("stream", { name: "stdout", text: text + "\n" }),
    table: (view) => {
      const first = !shown.has(view.id);
      shown.add(view.id);
      send(first ? "display_data" : "update_display_data", {
        data: { "text/html": tableHtml(view), "text/plain": tableText(view) },
        metadata: {},
        transient: { display_id: view.id },
      });
    },
    flush: async () => {
      await last;
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    },
  };
}

/** Rows as what a notebook shows. */
export function tableBundle(names: readonly string[], rows: readonly Row[]): Record<string, string> {
  const view: TableView = { id: "", names, rows, bar: null };
  return { "text/html": tableHtml(view), "text/plain": tableText(view) };
}

function tableHtml({ names, rows, bar }: TableView): string {
  const head = names.map((n) => `<th>${escape(n)}</th>`).join("");
  const body = rows.map((row) =>
    `<tr>${names.map((n) => `<td>${escape(tableCell(n, row[n] ?? null))}</td>`).join("")}</tr>`
  );
  const table = `<table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`;
  if (bar === null) return table;
  const progress = `<progress value="${
    bar.share.toFixed(4)
  }" max="1" style="width:280px;vertical-align:middle"></progress>`;
  return `${table}<div>${progress} ${escape(bar.text)}</div>`;
}

function tableText({ names, rows }: TableView): string {
  const cells = [names, ...rows.map((row) => names.map((n) => tableCell(n, row[n] ?? null)))];
  const widths = names.map((_, i) => Math.max(...cells.map((line) => line[i].length)));
  return cells.map((line) => line.map((c, i) => c.padEnd(widths[i])).join("  ").trimEnd()).join("\n");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
