import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FigureSet } from '../figures/figure.ts';
import { median } from '../figures/statistics.ts';
import { type Bars, barChart } from './bar-chart.ts';

const NAMES = {
  ours: 'sync-error-relay, one by one',
  ours_batch: 'sync-error-relay, in batches',
  straightforward: 'straightforward worker',
  bare: 'bare limit',
  direct: 'direct call, no queue',
  bee: 'bee-queue',
  streams: 'Redis Streams by hand',
} as const;

type Name = keyof typeof NAMES;

const ALL = Object.keys(NAMES) as readonly Name[];

/** A chart that was drawn. */
export interface Chart {
  readonly file: string;
  readonly title: string;
}

/** Writes each chart whose figures there are, as SVG, into the folder; makes it where it is missing. */
export async function drawCharts(figures: FigureSet, folder: string | URL): Promise<readonly Chart[]> {
  const path = typeof folder === 'string' ? folder : fileURLToPath(folder);
  await mkdir(path, { recursive: true });
  const drawn = Object.entries(chartsOf(figures)).filter(([, bars]) => isThere(bars));
  const charts: Chart[] = [];
  for (const [name, bars] of drawn) {
    const file = `performance-${name}.svg`;
    await writeFile(join(path, file), barChart(bars));
    charts.push({ file, title: bars.title });
  }
  return charts;
}

function chartsOf(figures: FigureSet): Readonly<Record<string, Bars>> {
  const value = (key: string): number | undefined => {
    const figure = figures.get(key);
    return figure === undefined ? undefined : median(figure.samples);
  };
  const values = (names: readonly string[], keyOf: (name: string) => string): (number | undefined)[] =>
    names.map((name) => value(keyOf(name)));
  const latencies = ['0', '5', '20', '100'] as const;
  const loads = ['10', '50', '90'] as const;
  const backlogs = ['small', 'middle', 'large'] as const;
  const counts = ['1', '2', '4'] as const;

  return {
    throughput: {
      title: 'Reports a second, one process, Elasticsearch at 0 ms',
      categories: ALL.map((name) => NAMES[name]),
      series: [{ name: 'reports a second', values: values(ALL, (name) => `throughput_0.rate.${name}`) }],
    },
    latency: {
      title: 'Reports a second, one process, by the latency of Elasticsearch',
      categories: latencies.map((ms) => `${ms} ms`),
      series: (['ours', 'ours_batch', 'straightforward', 'direct'] as const).map((name) => ({
        name: name === 'straightforward' ? `${NAMES[name]}, tuned by hand` : NAMES[name],
        values: values(latencies, (ms) => `throughput_${ms}.rate.${name}`),
      })),
    },
    cpu: {
      title: 'CPU a report in microseconds, Elasticsearch at 0 ms',
      categories: ALL.map((name) => NAMES[name]),
      isStacked: true,
      series: [
        { name: 'process', values: values(ALL, (name) => `throughput_0.worker_cpu.${name}`) },
        { name: 'Redis', values: values(ALL, (name) => `throughput_0.redis_cpu.${name}`) },
      ],
    },
    memory: {
      title: 'Peak RSS of a process at full load, in MiB',
      categories: ALL.map((name) => NAMES[name]),
      series: [{ name: 'MiB', values: values(ALL, (name) => `throughput_0.rss.${name}`) }],
    },
    delay: {
      title: 'From the call to the answer of Elasticsearch (5 ms), in ms',
      categories: loads.map((load) => `${load} % load`),
      series: (['ours', 'straightforward'] as const).flatMap((name) =>
        (['p50', 'p99'] as const).map((part) => ({
          name: `${NAMES[name]}, ${part}`,
          values: values(loads, (load) => `delay.load_${load}.${part}.${name}`),
        })),
      ),
    },
    backlog: {
      title: 'Reports a second, by the reports that wait',
      categories: backlogs.map((name) => figures.get(`backlog.rate.${name}`)?.title.split(':')[0] ?? name),
      series: [
        { name: 'applied by one worker', values: values(backlogs, (name) => `backlog.rate.${name}`) },
        { name: 'enqueued by one call', values: values(backlogs, (name) => `backlog.enqueue.${name}`) },
      ],
    },
    workers: {
      title: 'Workers on one machine, Elasticsearch at 5 ms: reports a second',
      categories: counts.map((count) => (count === '1' ? '1 worker' : `${count} workers`)),
      series: [{ name: 'reports a second', values: values(counts, (count) => `workers.rate.${count}`) }],
    },
  };
}

function isThere({ series }: Bars): boolean {
  return series.every(({ values }) => values.some((value) => value !== undefined));
}
