// The measures of a chart of stacked bars, apart from how it is drawn.
import { scaleBand, scaleLinear } from "d3-scale";
import { stack } from "d3-shape";

/** One of the parts that each bar is made of. */
export interface Series {
  key: string;
  label: string;
  tone: "good" | "calm" | "faint" | "warn" | "odd" | "bad";
}

/** Where something leads to, and what that is called. */
export interface Link {
  href: string;
  name: string;
}

/** One bar: where it stands, and how large each of its parts is. */
export interface Bar {
  label: string;
  /** Where the whole of it leads to. */
  link?: Link;
  values: Record<string, number>;
  /** Where its parts lead to. */
  links?: Record<string, Link>;
}

export interface Drawn {
  parts: { series: Series; x: number; y: number; width: number; height: number; bar: number }[];
  marks: { y: number; value: number }[];
  /** Where each bar stands, by its middle. */
  places: number[];
  step: number;
}

/** Lays the bars out in a field of a size. */
export function layOut(
  bars: readonly Bar[],
  series: readonly Series[],
  width: number,
  height: number,
): Drawn {
  const sums = bars.map((bar) => series.reduce((sum, { key }) => sum + (bar.values[key] ?? 0), 0));
  const x = scaleBand<number>()
    .domain(bars.map((_, n) => n))
    .range([0, width])
    .paddingInner(0.25);
  const y = scaleLinear()
    .domain([0, Math.max(4, ...sums)])
    .nice(3)
    .range([height, 0]);
  const layers = stack<Bar, Series>()
    .keys(series)
    .value((bar, { key }) => bar.values[key] ?? 0)(bars);
  return {
    parts: layers.flatMap((layer) =>
      [...layer].flatMap(([from, until], bar) =>
        until > from
          ? [
              {
                series: layer.key,
                bar,
                x: x(bar) ?? 0,
                width: x.bandwidth(),
                y: y(until),
                height: y(from) - y(until),
              },
            ]
          : [],
      ),
    ),
    marks: y.ticks(3).map((value) => ({ value, y: y(value) })),
    places: bars.map((_, n) => (x(n) ?? 0) + x.bandwidth() / 2),
    step: x.step(),
  };
}
