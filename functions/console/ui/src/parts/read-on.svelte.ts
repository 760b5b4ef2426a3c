// Reads a list page by page without being asked for each, until its end, a bound, or until somebody stops it.

/** What is used of an infinite query. */
interface List {
  data: { pages: { data: unknown[] }[] } | undefined;
  hasNextPage: boolean;
  isFetching: boolean;
  isFetchNextPageError: boolean;
  fetchNextPage: () => unknown;
}

export interface Bounds {
  /** So many pages are read before it asks whether to go on. */
  pages: number;
  /** So many rows. */
  rows?: number;
}

/** A list that is being read; to be made while a component is set up. */
export class ReadOn {
  #stopped = $state(false);
  #further = $state(1);
  readonly #list: () => List;
  readonly #bounds: Bounds;

  constructor(list: () => List, bounds: Bounds) {
    this.#list = list;
    this.#bounds = bounds;
    $effect(() => {
      if (this.reading && !list().isFetching) list().fetchNextPage();
    });
  }

  get rows(): number {
    return this.#list().data?.pages.reduce((sum, page) => sum + page.data.length, 0) ?? 0;
  }

  /** Whether the whole list was read. Until then nobody may say that there is nothing in it. */
  get whole(): boolean {
    const list = this.#list();
    return list.data !== undefined && !list.hasNextPage;
  }

  /** Whether it goes on by itself. */
  get reading(): boolean {
    const list = this.#list();
    const { pages, rows } = this.#bounds;
    if (this.#stopped || list.data === undefined || !list.hasNextPage || list.isFetchNextPageError)
      return false;
    return list.data.pages.length < pages * this.#further && !(rows && this.rows >= rows * this.#further);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Goes on from where it stopped, for as many pages again. */
  goOn(): void {
    const list = this.#list();
    const before = this.#stopped;
    this.#stopped = false;
    if (!before && !list.isFetchNextPageError) this.#further += 1;
    if (list.isFetchNextPageError) list.fetchNextPage();
  }
}
