/** What is seen at a glance: the verdict, the stages, the workers, the redrives. */
import { byId, fill, make, setText } from './dom.js';
import {
  formatCount,
  formatDuration,
  formatMoment,
  formatOf,
  formatRate,
  formatSeconds,
  sayCode,
} from './format.js';

/** @typedef {import('./types.js').Overview} Overview */
/** @typedef {import('./types.js').Run} Run */
/** @typedef {import('./flow.js').Flow} Flow */

/** @param {Overview} overview */
export const lettersIn = ({ dead_letters }) =>
  Object.values(dead_letters).reduce((sum, count) => sum + count, 0);

/**
 * One sentence for how it stands, the gravest first.
 *
 * @param {Overview} overview
 * @param {number} nowMs
 * @returns {{ readonly state: 'good' | 'warn' | 'bad', readonly title: string, readonly detail: string }}
 */
export function verdictOf(overview, nowMs) {
  const { waiting, delayed, circuit, workers, pause } = overview;
  const held = waiting + delayed;
  const wait = held === 0 ? 'Nothing waits' : `${formatOf(held, 'report waits', 'reports wait')}`;
  if (overview.paused) {
    const who =
      pause === undefined
        ? 'Nobody has left a note.'
        : `By ${pause.by}, ${formatMoment(pause.at, nowMs)}${pause.reason === undefined ? '' : `: ${pause.reason}`}.`;
    return { state: 'warn', title: 'Paused', detail: `${who} ${wait}; reports are accepted as before.` };
  }
  if (workers.length === 0) {
    return {
      state: held > 0 ? 'bad' : 'warn',
      title: 'No worker is there',
      detail: `${wait}. Start one: sync-error-relay work`,
    };
  }
  if (circuit.state === 'open') {
    const forMs = Math.max(0, nowMs - Date.parse(circuit.since));
    return {
      state: 'bad',
      title: `Elasticsearch is away for ${formatSeconds(forMs)}`,
      detail: `${capital(sayCode(circuit.code))}. ${wait}, no attempt is used, and the fleet tries again by itself.`,
    };
  }
  if (overview.hold_ms > 0) {
    return {
      state: 'warn',
      title: 'Elasticsearch asked to wait',
      detail: `The fleet holds for ${formatDuration(overview.hold_ms)} more. ${wait}.`,
    };
  }
  return {
    state: 'good',
    title: 'Reports flow',
    detail: `${wait}. ${formatOf(workers.length, 'worker')} there.`,
  };
}

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/**
 * Says that nothing new is known, and marks what is seen as old.
 *
 * @param {string} title
 * @param {string} detail
 */
export function showSilence(title, detail) {
  document.body.dataset['stale'] = 'true';
  byId('verdict').dataset['state'] = 'bad';
  setText(byId('verdict-title'), title);
  setText(byId('verdict-detail'), detail);
}

/** @param {Overview} overview @param {number} nowMs */
export function showVerdict(overview, nowMs) {
  const { state, title, detail } = verdictOf(overview, nowMs);
  document.body.dataset['stale'] = 'false';
  byId('verdict').dataset['state'] = state;
  // Whoever listens hears that it is away, and not every second that goes by.
  const heading = byId('verdict-title');
  heading.setAttribute(
    'aria-live',
    overview.circuit.state === 'open' && heading.dataset['state'] === 'bad' ? 'off' : 'polite',
  );
  heading.dataset['state'] = state;
  setText(heading, title);
  setText(byId('verdict-detail'), detail);
}

/**
 * The stages are made once, and only their texts change, so that whoever reads one is not thrown out.
 *
 * @param {Overview} overview
 * @param {Flow} flow
 */
export function showStages(overview, flow) {
  const { waiting, delayed, active, workers, circuit } = overview;
  const room = workers.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const died = flow.rate('dead:');
  stage('accepted', 'Accepted', `${formatRate(flow.rate('accepted'))}`, 'a second', '');
  stage(
    'waiting',
    'In the queue',
    formatCount(waiting + delayed),
    delayed > 0
      ? `${formatCount(delayed)} for a later attempt`
      : waiting > 0
        ? 'waiting for a worker'
        : 'nothing waits',
    overview.oldest_waiting_ms > 60_000 ? 'warn' : '',
    waiting > 0 ? `oldest ${formatDuration(overview.oldest_waiting_ms)}` : '',
  );
  stage(
    'active',
    'Under way',
    formatCount(active),
    workers.length === 0
      ? 'no worker'
      : circuit.state === 'open'
        ? 'held back, one probes'
        : `of ${formatCount(room)} at once`,
    workers.length === 0 ? 'warn' : '',
    workers.length === 0 ? '' : formatOf(workers.length, 'worker'),
  );
  stage(
    'applied',
    'Elasticsearch',
    formatRate(flow.rate('applied', 'already_applied')),
    'applied a second',
    circuit.state === 'open' ? 'bad' : 'good',
    circuit.state === 'open' ? `circuit open: ${sayCode(circuit.code)}` : 'circuit closed',
  );
  const letters = lettersIn(overview);
  stage(
    'dead',
    'Dead letters',
    formatCount(letters),
    letters === 0 ? 'none' : 'to look at',
    letters > 0 ? 'warn' : '',
    died > 0 ? `${formatRate(died)} more a second` : '',
  );
}

/**
 * @param {string} id
 * @param {string} label
 * @param {string} figure
 * @param {string} unit
 * @param {string} state
 * @param {string} [note]
 */
function stage(id, label, figure, unit, state, note = '') {
  let element = document.getElementById(`stage-${id}`);
  if (element === null) {
    element = make(
      'li',
      { class: 'stage', id: `stage-${id}` },
      make('span', { class: 'stage-label' }, label),
      make('span', { class: 'stage-figure' }),
      make('span', { class: 'stage-unit' }),
      make('span', { class: 'stage-note' }),
    );
    byId('stages').append(element);
  }
  element.dataset['state'] = state;
  const [, figureElement, unitElement, noteElement] = element.children;
  if (figureElement) setText(figureElement, figure);
  if (unitElement) setText(unitElement, unit);
  if (noteElement) setText(noteElement, note);
}

/** @param {Overview} overview @param {number} nowMs */
export function showWorkers({ workers }, nowMs) {
  if (workers.length === 0) {
    fill(
      byId('workers'),
      make(
        'p',
        { class: 'empty' },
        'No worker has been there for 15 s. Start one: ',
        make('code', {}, 'sync-error-relay work'),
      ),
    );
    return;
  }
  const head = ['Worker', 'Under way', 'At once', 'Circuit', 'Up for'];
  const rows = workers.map((worker) =>
    make(
      'tr',
      {},
      make('th', { scope: 'row' }, worker.name),
      make('td', { class: 'number' }, formatCount(worker.in_flight)),
      make('td', { class: 'number' }, formatCount(worker.concurrency)),
      make('td', {}, worker.circuit_open ? make('span', { class: 'badge bad' }, 'open') : 'closed'),
      make('td', { class: 'number' }, formatDuration(Math.max(0, nowMs - Date.parse(worker.started_at)))),
    ),
  );
  fill(
    byId('workers'),
    make(
      'div',
      { class: 'table-frame' },
      make(
        'table',
        { class: 'plain' },
        make(
          'thead',
          {},
          make(
            'tr',
            {},
            head.map((title, index) =>
              make('th', { scope: 'col', class: [1, 2, 4].includes(index) ? 'number' : undefined }, title),
            ),
          ),
        ),
        make('tbody', {}, rows),
      ),
    ),
  );
}

/** How many letters a run has come to. @param {Run} run */
const settledOf = ({ counts }) => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** @param {Run} run */
function whatOf({ filter }) {
  const parts = Object.entries(filter).map(([name, value]) =>
    name === 'ids'
      ? formatOf(/** @type {unknown[]} */ (value).length, 'letter')
      : `${FILTER_WORDS[name] ?? name} ${sayCode(String(value))}`,
  );
  return parts.length === 0 ? 'every letter' : parts.join(', ');
}

/** @type {Readonly<Record<string, string>>} */
const FILTER_WORDS = {
  code: 'code',
  connectorId: 'connector',
  source: 'source',
  syncJobId: 'sync job',
  status: 'status',
  text: 'text',
};

/**
 * @param {readonly Run[]} runs
 * @param {number} nowMs
 * @param {((run: Run) => void) | undefined} onCancel
 */
export function showRuns(runs, nowMs, onCancel) {
  const parent = byId('runs');
  if (runs.length === 0) {
    fill(
      parent,
      make(
        'p',
        { class: 'empty' },
        'None yet. A redrive puts dead letters back into the queue once their cause is mended.',
      ),
    );
    return;
  }
  const known = new Map(
    Array.from(parent.querySelectorAll('article'), (article) => [article.dataset['run'], article]),
  );
  const articles = runs.map((run) => {
    const article = known.get(run.id) ?? newRun(run, onCancel);
    updateRun(article, run, nowMs);
    return article;
  });
  // What has the focus must not be moved while it is looked at.
  if (
    articles.some((article, index) => parent.children[index] !== article) ||
    parent.children.length !== articles.length
  ) {
    parent.replaceChildren(...articles);
  }
}

/** @param {Run} run @param {((run: Run) => void) | undefined} onCancel */
function newRun(run, onCancel) {
  return make(
    'article',
    { class: 'run', 'data-run': run.id },
    make(
      'div',
      { class: 'run-head' },
      make('span', { class: 'badge' }),
      make('span', { class: 'run-what' }, whatOf(run)),
      make(
        'button',
        { type: 'button', class: 'small', hidden: true, onclick: () => onCancel?.(run) },
        'Cancel',
      ),
    ),
    make('progress', { max: '1', value: '0', 'aria-label': `Redrive of ${whatOf(run)}` }),
    make('p', { class: 'run-counts', role: 'status' }),
    make('p', { class: 'run-note' }),
  );
}

/** @param {HTMLElement} article @param {Run} run @param {number} nowMs */
function updateRun(article, run, nowMs) {
  const goal = Math.max(1, Math.min(run.matched, run.limit ?? run.matched));
  const settled = settledOf(run);
  const isRunning = run.state === 'running';
  article.dataset['state'] = run.state;
  const badge = article.querySelector('.badge');
  if (badge) {
    setText(badge, run.state);
    badge.className = `badge ${{ running: 'accent', done: 'good', stopped: 'bad', interrupted: 'warn', cancelled: '' }[run.state] ?? ''}`;
  }
  const progress = article.querySelector('progress');
  if (progress) {
    progress.max = goal;
    progress.value = isRunning ? settled : Math.max(settled, run.state === 'done' ? goal : 0);
  }
  const button = article.querySelector('button');
  if (button) button.hidden = !isRunning || document.body.dataset['operate'] !== 'true';
  const passed = settled - run.counts.redriven;
  const parts = [
    `${formatCount(run.counts.redriven)} of ${formatCount(goal)} put back`,
    passed > 0 ? `${formatCount(passed)} passed over` : '',
    run.again > 0 ? `${formatCount(run.again)} dead again` : '',
  ];
  const counts = article.querySelector('.run-counts');
  if (counts) setText(counts, parts.filter((part) => part !== '').join(' · '));
  const note = article.querySelector('.run-note');
  const when = formatMoment(run.ended_at ?? run.started_at, nowMs);
  if (note)
    setText(
      note,
      `${isRunning ? 'since' : 'ended'} ${when}, by ${run.by}${run.reason === null ? '' : ` – ${run.reason}`}`,
    );
}
