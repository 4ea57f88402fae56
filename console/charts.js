/** The charts of the last minutes: throughput, delivery, dead letters, backlog with the circuit. */
import { make, setText } from './dom.js';
import { countIn, deliveredWithin } from './flow.js';
import { formatDuration, formatRate, formatShort, sayCode } from './format.js';
import uPlot from './uPlot.esm.js';

/** @typedef {import('./flow.js').Bin} Bin */
/** @typedef {import('./flow.js').Flow} Flow */

/**
 * @typedef {object} Line
 * @property {string} label
 * @property {string} color name of a custom property of the style sheet
 * @property {(bin: Bin) => number | null} value
 * @property {'line' | 'area' | 'bars'} [kind]
 */

/**
 * @typedef {object} Plan
 * @property {string} id
 * @property {string} title
 * @property {(value: number) => string} format
 * @property {(value: number) => string} [axisFormat] the count in short where it is not said
 * @property {readonly Line[]} lines those that are drawn behind come first
 * @property {boolean} [stacked]
 * @property {boolean} [logarithmic]
 * @property {boolean} [isWhole] there is no half of what it counts
 * @property {boolean} [showsCircuit]
 */

/** Ranges, and the steps that they are drawn in. */
export const RANGES = Object.freeze([
  { label: '5 min', rangeMs: 300_000, stepMs: 5_000 },
  { label: '15 min', rangeMs: 900_000, stepMs: 15_000 },
  { label: '60 min', rangeMs: 3_600_000, stepMs: 60_000 },
]);

const CODES = [
  'sync_job_not_found',
  'superseded',
  'terminal_state',
  'attempts_exhausted',
  'rejected',
  'invalid_report',
  'expired',
  'not_running',
  'idle_cleanup',
  'poison',
  'too_large',
];

/** @param {...string} names @returns {(bin: Bin) => number} */
const perSecond =
  (...names) =>
  (bin) =>
    countIn(bin, ...names) / bin.seconds;

/** @param {Bin} bin */
const isOpen = (bin) => countIn(bin, 'open') > 0;

/** @type {readonly Plan[]} */
const PLANS = [
  {
    id: 'throughput',
    title: 'Reports per second',
    format: (value) => `${formatRate(value)}/s`,
    axisFormat: (value) => `${formatShort(value)}/s`,
    lines: [
      { label: 'applied', color: '--good', value: perSecond('applied', 'already_applied'), kind: 'area' },
      { label: 'accepted', color: '--accent', value: perSecond('accepted') },
      { label: 'dead letters', color: '--bad', value: perSecond('dead:') },
    ],
  },
  {
    id: 'delivery',
    title: 'From acceptance to Elasticsearch',
    format: formatDuration,
    axisFormat: sayTime,
    logarithmic: true,
    lines: [
      { label: 'half within', color: '--accent', value: (bin) => deliveredWithin(bin, 0.5) },
      { label: '95 % within', color: '--warn', value: (bin) => deliveredWithin(bin, 0.95) },
    ],
  },
  {
    id: 'letters',
    title: 'New dead letters',
    format: (value) => formatShort(value),
    stacked: true,
    isWhole: true,
    lines: CODES.map((code, index) => ({
      label: sayCode(code),
      color: `--code-${index + 1}`,
      value: (bin) => countIn(bin, `dead:${code}`),
      kind: 'bars',
    })),
  },
  {
    id: 'backlog',
    title: 'Backlog and circuit',
    format: (value) => formatShort(value),
    showsCircuit: true,
    isWhole: true,
    lines: [{ label: 'waiting', color: '--accent', value: (bin) => bin.backlog ?? null, kind: 'area' }],
  },
];

const HEIGHT = 168;

const WHOLE_STEPS = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000].flatMap((step) => [
  step,
  2 * step,
  5 * step,
]);

const probe = document.createElement('span');
probe.hidden = true;
document.body.append(probe);

/** A colour of the style sheet as a canvas takes it, in the theme that holds. @param {string} name */
function colorOf(name) {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

/** @param {string} color @param {number} part */
const faded = (color, part) => `color-mix(in srgb, ${color} ${part * 100}%, transparent)`;

class Chart {
  /** @type {uPlot | undefined} */
  #plot;
  /** @type {readonly Bin[]} */
  #bins = [];
  /** @type {(readonly (number | null)[])[]} */
  #values = [];
  #shown = '';

  /** @param {Plan} plan @param {HTMLElement} parent */
  constructor(plan, parent) {
    this.plan = plan;
    this.legend = make('ul', { class: 'legend' });
    this.canvas = make('div', { class: 'plot', 'aria-hidden': 'true' });
    this.summary = make('figcaption', { class: 'visually-hidden' });
    this.empty = make('p', { class: 'plot-empty' });
    this.figure = make(
      'figure',
      { class: 'chart', id: `chart-${plan.id}` },
      make('div', { class: 'chart-head' }, make('h3', {}, plan.title), this.legend),
      make('div', { class: 'plot-frame' }, this.canvas, this.empty),
      this.summary,
    );
    parent.append(this.figure);
    // The frame's width is the page's business; its height is ours, so that one does not chase the other.
    new ResizeObserver(() => this.#resize()).observe(this.canvas);
  }

  /** @param {readonly Bin[]} bins */
  draw(bins) {
    this.#bins = bins;
    const { lines, stacked } = this.plan;
    this.#values = lines.map(({ value }) => bins.map(value));
    const used = lines.flatMap((_, index) => (stacked !== true || this.#isUsed(index) ? [index] : []));
    // Which codes there are decides the series, and those can only be set anew.
    if (this.#shown !== used.join()) this.rebuild();
    this.#shown = used.join();
    this.#plot?.setData(this.#data(used));
    this.#tell(null);
    setText(this.empty, this.#emptyText());
  }

  rebuild() {
    this.#plot?.destroy();
    const { lines, stacked } = this.plan;
    const used = lines.flatMap((_, index) => (stacked !== true || this.#isUsed(index) ? [index] : []));
    this.#shown = used.join();
    this.#plot = new uPlot(this.#options(used), this.#data(used), this.canvas);
  }

  /** @param {number} index */
  #isUsed(index) {
    return (this.#values[index] ?? []).some((value) => (value ?? 0) > 0);
  }

  #emptyText() {
    if (this.plan.id === 'letters')
      return this.plan.lines.some((_, index) => this.#isUsed(index)) ? '' : 'None in this time.';
    const hasSome = this.#values.some((line) => line.some((value) => value !== null && value > 0));
    if (hasSome || (this.plan.showsCircuit === true && this.#bins.some(isOpen))) return '';
    return this.plan.id === 'backlog' ? 'Nothing waits.' : 'No reports in this time.';
  }

  /** @param {readonly number[]} used @returns {uPlot.AlignedData} */
  #data(used) {
    const times = this.#bins.map(({ at }) => at);
    const lines = used.map((index) => [...(this.#values[index] ?? [])]);
    if (this.plan.stacked === true) {
      // Each one stands on those after it, and is drawn before them.
      for (let index = lines.length - 2; index >= 0; index -= 1) {
        lines[index] = (lines[index] ?? []).map((value, at) => (value ?? 0) + (lines[index + 1]?.[at] ?? 0));
      }
    }
    return /** @type {uPlot.AlignedData} */ ([times, ...lines]);
  }

  /** @param {readonly number[]} used @returns {uPlot.Options} */
  #options(used) {
    const { lines, axisFormat = formatShort, logarithmic, showsCircuit, isWhole } = this.plan;
    const axis = {
      stroke: colorOf('--muted'),
      font: `11px ${getComputedStyle(document.body).fontFamily}`,
      grid: { stroke: colorOf('--grid'), width: 1 },
      ticks: { show: false },
    };
    return {
      width: Math.max(this.canvas.clientWidth, 200),
      height: HEIGHT,
      padding: [8, 4, 0, 0],
      legend: { show: false },
      cursor: { y: false, sync: { key: 'flow' }, points: { size: 6 }, drag: { x: false, y: false } },
      scales: {
        y: logarithmic === true ? { distr: 3, range: logarithmicRange } : { range: fromZero },
      },
      axes: [
        { ...axis, space: 48, size: 28, incrs: MINUTES, values: timeLabels },
        {
          ...axis,
          size: 56,
          space: 32,
          ...(isWhole === true ? { incrs: WHOLE_STEPS } : {}),
          ...(logarithmic === true ? { splits: timesWithin, filter: (_, ticks) => ticks } : {}),
          values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : axisFormat(tick))),
        },
      ],
      series: [{}, ...used.map((index) => seriesOf(/** @type {Line} */ (lines[index])))],
      hooks: {
        drawClear: showsCircuit === true ? [(plot) => this.#shadeCircuit(plot)] : [],
        setCursor: [(plot) => this.#tell(plot.cursor.idx ?? null)],
      },
    };
  }

  /** @param {uPlot} plot */
  #shadeCircuit(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = faded(colorOf('--bad'), 0.18);
    for (const bin of this.#bins.filter(isOpen)) {
      const left = plot.valToPos(bin.at - bin.seconds, 'x', true);
      const right = plot.valToPos(bin.at, 'x', true);
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
    }
    ctx.restore();
  }

  /** Says the values at a moment, or the latest. @param {number | null} index */
  #tell(index) {
    const at = index ?? this.#bins.length - 1;
    const bin = this.#bins[at];
    const { lines, format, stacked, showsCircuit } = this.plan;
    const told = lines.flatMap((line, each) => {
      const value = this.#values[each]?.[at];
      if (stacked === true && !this.#isUsed(each)) return [];
      return [{ ...line, text: value === null || value === undefined ? '–' : format(value) }];
    });
    const entries = told.map(({ label, color, text }) =>
      make('li', {}, swatch(color), label, ' ', make('b', {}, text)),
    );
    if (showsCircuit === true && bin !== undefined) {
      entries.push(
        make('li', {}, swatch('--bad'), 'circuit ', make('b', {}, isOpen(bin) ? 'open' : 'closed')),
      );
    }
    this.legend.replaceChildren(...entries);
    if (index === null) {
      setText(
        this.summary,
        `${this.plan.title}, latest: ${told.map(({ label, text }) => `${label} ${text}`).join(', ')}`,
      );
    }
  }

  #resize() {
    const width = this.canvas.clientWidth;
    if (this.#plot !== undefined && width > 0) this.#plot.setSize({ width, height: HEIGHT });
  }
}

/** A dot in a line's colour: by class, because the page may carry no style of its own. @param {string} color */
const swatch = (color) => make('span', { class: `swatch swatch${color.slice(1)}`, 'aria-hidden': 'true' });

/** @param {Line} line @returns {uPlot.Series} */
function seriesOf({ label, color, kind = 'line' }) {
  const stroke = colorOf(color);
  switch (kind) {
    case 'bars':
      return {
        label,
        stroke,
        fill: stroke,
        width: 0,
        points: { show: false },
        paths: /** @type {any} */ (uPlot.paths).bars({ size: [0.8, 24] }),
      };
    case 'area':
      return { label, stroke, fill: faded(stroke, 0.16), width: 1.75, points: { show: false } };
    case 'line':
      // A value between two times without any is seen only as a point.
      return { label, stroke, width: 1.75, points: { size: 4, width: 0, fill: stroke } };
  }
}

/** @param {uPlot} _plot @param {number | null} _min @param {number | null} max @returns {[number, number]} */
function fromZero(_plot, _min, max) {
  return [0, Math.max(max ?? 0, 0.8) * 1.15];
}

/** Times that a person knows, each about ten times the one before, in milliseconds. */
const TIMES = [1, 10, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000, 360_000_000];

/** @param {number} ms one of them */
function sayTime(ms) {
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 60_000) return `${ms / 1_000} s`;
  return ms < 3_600_000 ? `${ms / 60_000} min` : `${ms / 3_600_000} h`;
}

/** From the time below all values to the one above. @param {uPlot} _plot @param {number | null} min @param {number | null} max @returns {[number, number]} */
function logarithmicRange(_plot, min, max) {
  const from = TIMES.findLast((time) => time <= (min ?? 10)) ?? 1;
  const to = TIMES.find((time) => time > Math.max(max ?? 1_000, from * 10)) ?? 360_000_000;
  return [from, to];
}

/** @param {uPlot} _plot @param {number} _axis @param {number} from @param {number} to */
const timesWithin = (_plot, _axis, from, to) => TIMES.filter((time) => time >= from && time <= to);

/** Steps of the time axis, in seconds: hours and minutes are what it says. */
const MINUTES = [60, 120, 300, 600, 900, 1_800];

const hourAndMinute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** @param {uPlot} _plot @param {number[]} ticks */
const timeLabels = (_plot, ticks) => ticks.map((tick) => hourAndMinute.format(tick * 1_000));

/** All charts, over one flow. */
export class Charts {
  #range = RANGES[0];
  #drawnUntil = 0;

  /** @param {HTMLElement} parent @param {Flow} flow */
  constructor(parent, flow) {
    this.flow = flow;
    this.charts = PLANS.map((plan) => new Chart(plan, parent));
    document.addEventListener('themechange', () => {
      for (const chart of this.charts) chart.rebuild();
      this.draw(true);
    });
  }

  /** @param {number} index of the range */
  choose(index) {
    this.#range = RANGES[index] ?? this.#range;
    this.draw(true);
  }

  /** Draws where there is something new to draw. @param {boolean} [anyway] */
  draw(anyway = false) {
    const { rangeMs, stepMs } = /** @type {(typeof RANGES)[number]} */ (this.#range);
    const bins = this.flow.bins(rangeMs, stepMs);
    const until = bins.at(-1)?.at ?? 0;
    if (until === this.#drawnUntil && !anyway) return;
    this.#drawnUntil = until;
    for (const chart of this.charts) chart.draw(bins);
  }
}
