import type { FigureSet } from '../figures/figure.ts';
import { median } from '../figures/statistics.ts';

const SECONDS_A_DAY = 86_400;

/** What the figures say to whoever has to choose sizes: sentences, as far as there are figures for them. */
export function sizingOf(figures: FigureSet): readonly string[] {
  const value = (key: string): number => {
    const figure = figures.get(key);
    return figure === undefined ? Number.NaN : median(figure.samples);
  };
  const whole = (number: number): string => Math.round(number).toLocaleString('en');
  const millions = (number: number): string => (number / 1e6).toFixed(0);
  const cpu = (name: string): number =>
    value(`throughput_0.worker_cpu.${name}`) + value(`throughput_0.redis_cpu.${name}`);

  const sentences: readonly (readonly [sentence: string, ...needed: number[]])[] = [
    rateSentence(5),
    rateSentence(20),
    rateSentence(100),
    [
      `A thousand reports a second take ${whole(cpu('ours') / 10)} % of a core one by one and ` +
        `${whole(cpu('ours_batch') / 10)} % in batches, worker and Redis together.`,
      cpu('ours'),
      cpu('ours_batch'),
    ],
    [
      `A worker at full load has a peak RSS of ${whole(value('throughput_0.rss.ours'))} MiB.`,
      value('throughput_0.rss.ours'),
    ],
    [
      `A million waiting reports of about 300 bytes take ${whole((value('bytes.ours') * 1e6) / 2 ** 20)} MiB of Redis one ` +
        `by one and ${whole((value('bytes.ours_batch') * 1e6) / 2 ** 20)} MiB in batches, a million dead letters ` +
        `${whole((value('bytes.dead_letter') * 1e6) / 2 ** 20)} MiB.`,
      value('bytes.ours'),
      value('bytes.ours_batch'),
      value('bytes.dead_letter'),
    ],
    [
      `On these cores two workers settle ${(value('workers.rate.2') / value('workers.rate.1')).toFixed(2)} times and four ` +
        `${(value('workers.rate.4') / value('workers.rate.1')).toFixed(2)} times as much as one.`,
      value('workers.rate.1'),
      value('workers.rate.2'),
      value('workers.rate.4'),
    ],
  ];
  return sentences.flatMap(([sentence, ...needed]) => (needed.every(Number.isFinite) ? [sentence] : []));

  function rateSentence(latencyMs: number): readonly [string, ...number[]] {
    const [one, many] = ['ours', 'ours_batch'].map((name) => value(`throughput_${latencyMs}.rate.${name}`));
    return [
      `With Elasticsearch at ${latencyMs} ms one worker settles ${whole(one ?? 0)} reports a second that came one by one, ` +
        `${millions((one ?? 0) * SECONDS_A_DAY)} million a day, and ${whole(many ?? 0)} that came in batches.`,
      one ?? Number.NaN,
      many ?? Number.NaN,
    ];
  }
}
