/**
 * Plots: from plain data to a {@link Figure}, which can be saved, shown in a terminal or in a notebook.
 *
 * @module
 */
export { Figure, type FigureTextOptions } from "./figure.ts";
export { plotBars, type PlotBarsOptions } from "./bars.ts";
export type { BarPanel, ImagePanel, Line, LinePanel, Marker, MatrixPanel, Panel, PixelImage } from "./panel.ts";
export {
  plotLines,
  type PlotLinesOptions,
  plotSchedules,
  type SeriesData,
  sideBySide,
  type SideBySideOptions,
} from "./charts.ts";
export {
  lossFigure,
  type LossFigureOptions,
  lrFindFigure,
  type LrFindFigureOptions,
  schedFigure,
  type SchedFigureOptions,
} from "./training.ts";
export { imageGridFigure, type ImageGridOptions, plotImages, type PlotImagesOptions } from "./images.ts";
export { confusionFigure, plotMatrix, type PlotMatrixOptions } from "./matrix.ts";
