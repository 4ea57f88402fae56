import { readFile, writeFile } from 'node:fs/promises';
import { summaryOf } from '../figures/statistics.ts';
import type { Results } from '../run-measures.ts';
import { describeRun } from './describe-run.ts';
import type { Chart } from './draw-charts.ts';
import { formatValue } from './format.ts';
import { sizingOf } from './sizing.ts';

const PARTS = ['run', 'goals', 'charts', 'sizing', 'figures'] as const;

type Part = (typeof PARTS)[number];

/**
 * Writes the figures between the marks of a Markdown page; all else stays as it is.
 *
 * @throws {Error} where the page has no such marks
 */
export async function writeDocs(results: Results, charts: readonly Chart[], page: URL): Promise<void> {
  let text = await readFile(page, 'utf8');
  for (const part of PARTS) text = replacePart(text, part, partsOf[part](results, charts));
  await writeFile(page, text);
}

/** @throws {Error} where the text has no such marks */
export function replacePart(text: string, part: string, content: string): string {
  const [begin, end] = [`<!-- bench:${part} -->`, `<!-- /bench:${part} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page has no ${begin} … ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}

const partsOf: Readonly<Record<Part, (results: Results, charts: readonly Chart[]) => string>> = {
  run: (results) => describeRun(results).join('\n'),
  goals: ({ judgements }) =>
    [
      '| | goal | measured | least – most | holds | |',
      '|---|---|---|---|---|---|',
      ...judgements.map(
        ({ key, text, goal, median, min, max, unit, holds }) =>
          `| \`${key}\` | ${goal} | ${formatValue(median, unit)} | ${formatValue(min)} – ${formatValue(max)} | ${holds ? 'yes' : '**no**'} | ${text} |`,
      ),
    ].join('\n'),
  charts: (_results, charts) => charts.map(({ file, title }) => `![${title}](images/${file})`).join('\n\n'),
  sizing: ({ figures }) =>
    sizingOf(figures)
      .map((sentence) => `- ${sentence}`)
      .join('\n'),
  figures: ({ tables }) =>
    tables
      .map(({ title, figures }) =>
        [
          `### ${title}`,
          '',
          '| | median | least – most |',
          '|---|---|---|',
          ...figures.map(({ title: what, unit, samples }) => {
            const { median, min, max } = summaryOf(samples);
            return `| ${what} | ${formatValue(median, unit)} | ${formatValue(min)} – ${formatValue(max)} |`;
          }),
        ].join('\n'),
      )
      .join('\n\n'),
};
