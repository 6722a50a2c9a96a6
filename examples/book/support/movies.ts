/**
 * 3,201 films of a package of data sets, with what they cost, earned, and were thought of.
 *
 * @module
 */

/** A film; null where the package does not know. */
export interface Movie {
  /** Its title. */
  readonly title: string;
  /** What it earned in all countries, in dollars. */
  readonly gross: number | null;
  /** What it cost, in dollars. */
  readonly budget: number | null;
  /** When it was first shown, such as "Jun 12 1998". */
  readonly released: string | null;
  /** Who may see it. */
  readonly mpaa: string | null;
  /** Minutes that it lasts. */
  readonly minutes: number | null;
  /** Who brought it to theatres. */
  readonly distributor: string | null;
  /** What it was made from. */
  readonly source: string | null;
  /** Its kind. */
  readonly genre: string | null;
  /** Whether it is invented, and when it takes place. */
  readonly type: string | null;
  /** Mean rating of IMDb's visitors, 1 to 10. */
  readonly rating: number | null;
  /** How many of them rated it. */
  readonly votes: number;
}

/** All films with a title, each title once. */
export async function loadMovies(): Promise<Movie[]> {
  await import("vega-datasets"); // puts the package's files on disk
  const file = new URL("../data/movies.json", import.meta.resolve("vega-datasets"));
  const rows: readonly Record<string, unknown>[] = JSON.parse(await Deno.readTextFile(file));
  const text = (v: unknown) => typeof v === "string" ? v : null,
    number = (v: unknown) => typeof v === "number" ? v : null;
  const movies = rows.flatMap((row): Movie[] => {
    const title = text(row.Title);
    if (title === null) return [];
    return [{
      title,
      gross: number(row["Worldwide Gross"]),
      budget: number(row["Production Budget"]),
      released: text(row["Release Date"]),
      mpaa: text(row["MPAA Rating"]),
      minutes: number(row["Running Time min"]),
      distributor: text(row.Distributor),
      source: text(row.Source),
      genre: text(row["Major Genre"]),
      type: text(row["Creative Type"]),
      rating: number(row["IMDB Rating"]),
      votes: number(row["IMDB Votes"]) ?? 0,
    }];
  });
  return [...new Map(movies.map((movie) => [movie.title, movie])).values()];
}
