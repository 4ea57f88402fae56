import { BarChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { formatValue } from './format.ts';

use([BarChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

/** Bars that lie, one group a category. */
export interface Bars {
  readonly title: string;
  readonly categories: readonly string[];
  /** A value for each category; undefined where there is none. */
  readonly series: readonly { readonly name: string; readonly values: readonly (number | undefined)[] }[];
  /** Whether a group's bars are parts of a whole. */
  readonly isStacked?: boolean;
}

const WIDTH_PX = 760;
/** Without a page nobody can measure a text; this is what a character takes at most. */
const CHARACTER_PX = 6.8;
const LEGEND_LINE_PX = 18;
const [TOP_PX, AXIS_PX, GAP_PX, BAR_PX] = [36, 26, 14, 16];
/** Grey that stands out from white and from black alike: the page's own colour shines through. */
const INK = '#7d8590';
const FAINT = '#7d859040';
const COLOURS = ['#2f81f7', '#1f9d6b', '#d18616', '#a371f7'];
const FONT = 'system-ui, sans-serif';

/** Draws them as SVG, without anything behind them. */
export function barChart({ title, categories, series, isStacked = false }: Bars): string {
  const barsAGroup = isStacked ? 1 : series.length;
  const left = 12 + CHARACTER_PX * Math.max(...categories.map(({ length }) => length));
  const bottom = AXIS_PX + (series.length > 1 ? LEGEND_LINE_PX * series.length : 0);
  const chart = init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: WIDTH_PX,
    height: TOP_PX + categories.length * (GAP_PX + BAR_PX * barsAGroup) + bottom,
  });
  const text = { color: INK, fontFamily: FONT, fontSize: 12 };
  chart.setOption({
    animation: false,
    color: COLOURS,
    textStyle: text,
    title: { left: 0, text: title, textStyle: { ...text, fontSize: 14, fontWeight: 600 } },
    legend:
      series.length > 1
        ? { orient: 'vertical', itemGap: 4, itemHeight: 12, itemWidth: 16, bottom: 0, left, textStyle: text }
        : undefined,
    grid: { top: TOP_PX, left, right: 72, bottom },
    xAxis: {
      type: 'value',
      axisLabel: { ...text, hideOverlap: true, formatter: (value: number) => value.toLocaleString('en') },
      splitLine: { lineStyle: { color: FAINT } },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: [...categories],
      axisLabel: text,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: INK } },
    },
    series: series.map(({ name, values }) => ({
      name,
      type: 'bar',
      ...(isStacked ? { stack: 'whole' } : {}),
      barMaxWidth: BAR_PX,
      data: values.map((value) => value ?? '-'),
      label: {
        ...text,
        show: true,
        position: isStacked ? 'inside' : 'right',
        ...(isStacked ? { color: '#ffffff' } : {}),
        formatter: ({ value }: { readonly value: unknown }) =>
          typeof value === 'number' && value > 0 ? formatValue(value) : '',
      },
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg.trim()}\n`;
}
