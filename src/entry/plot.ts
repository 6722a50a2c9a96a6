/**
 * Pictures of schedules, losses and anything else: a {@link Figure} is saved as PNG or SVG, or shown as text.
 *
 * @module
 */
export {
  type BarPanel,
  Figure,
  type FigureTextOptions,
  type ImagePanel,
  type Line,
  type LinePanel,
  type Marker,
  type MatrixPanel,
  type Panel,
  type PixelImage,
  plotBars,
  type PlotBarsOptions,
  plotImages,
  type PlotImagesOptions,
  plotLines,
  type PlotLinesOptions,
  plotMatrix,
  type PlotMatrixOptions,
  plotSchedules,
  type SeriesData,
  sideBySide,
  type SideBySideOptions,
} from "../plot/mod.ts";
