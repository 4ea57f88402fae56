/** The story of one dead letter: what it says, what was tried, what can be done. */
import { call, describe } from './api.js';
import { askEdit, askPurge, askRedrive } from './dialogs.js';
import { byId, fill, make } from './dom.js';
import { formatDuration, formatMoment, formatOf, sayCode } from './format.js';

/** @typedef {import('./types.js').Letter} Letter */
/** @typedef {import('./types.js').Answer} Answer */

/** Above this a text is folded, in characters. */
const LONG = 4_000;

/**
 * Opens it.
 *
 * @param {string} id
 * @param {{ readonly mayOperate: boolean, readonly words: Readonly<Record<string, { readonly advice: string }>>, readonly onChanged: () => void }} options
 */
export async function openStory(id, options) {
  const dialog = byId('story', HTMLDialogElement);
  fill(dialog, make('p', { class: 'empty' }, 'Looking …'));
  if (!dialog.open) dialog.showModal();
  try {
    show(dialog, await call('GET', `/v1/dead-letters/${encodeURIComponent(id)}`), options);
  } catch (error) {
    fill(dialog, head('It is not here any more', dialog), make('p', { class: 'problem' }, describe(error)));
  }
}

/** @param {string} title @param {HTMLDialogElement} dialog */
const head = (title, dialog) =>
  make(
    'header',
    { class: 'drawer-head' },
    make('h2', { id: 'story-title' }, title),
    make(
      'button',
      { type: 'button', class: 'quiet', 'aria-label': 'Close', onclick: () => dialog.close() },
      '✕',
    ),
  );

/**
 * @param {HTMLDialogElement} dialog
 * @param {Letter} letter
 * @param {Parameters<typeof openStory>[1]} options
 */
function show(dialog, letter, options) {
  const { mayOperate, words, onChanged } = options;
  const { report } = letter;
  const nowMs = Date.now();
  const close = () => {
    dialog.close();
    onChanged();
  };
  const buttons = mayOperate
    ? make(
        'div',
        { class: 'buttons drawer-buttons' },
        make(
          'button',
          {
            type: 'button',
            class: 'primary',
            disabled: report === null,
            onclick: () =>
              askRedrive({ what: 'this report', count: 1, filter: {}, id: letter.id, onBegun: close }),
          },
          'Redrive',
        ),
        make(
          'button',
          {
            type: 'button',
            onclick: () =>
              askEdit(letter, (edited) => {
                show(dialog, edited, options);
                onChanged();
              }),
          },
          'Edit',
        ),
        make(
          'button',
          {
            type: 'button',
            class: 'danger-quiet',
            onclick: () =>
              askPurge({ what: 'this letter', filter: new URLSearchParams(), id: letter.id, onDone: close }),
          },
          'Purge',
        ),
      )
    : null;
  const body = make(
    'div',
    { class: 'drawer-body' },
    make(
      'p',
      { class: 'story-reason' },
      make('span', { class: 'badge code-badge' }, sayCode(letter.code)),
      ' ',
      letter.reason,
    ),
    make('p', { class: 'advice' }, words[letter.code]?.advice ?? ''),
    buttons,
    facts([
      ['Sync job', report?.connector_sync_job_id],
      ['Connector', report?.connector_id],
      ['Source', report?.source],
      ['Accepted', formatMoment(letter.enqueued_at, nowMs)],
      ['Died', formatMoment(letter.dead_at, nowMs)],
      ['Given up by', letter.worker],
      ['Attempts used', String(letter.attempts_made)],
      ['Last answer', letter.answer === undefined ? undefined : sayAnswer(letter.answer)],
      ['Sync job was', letter.found?.status],
      ['Letter', letter.id],
    ]),
    report === null ? block('Payload, as it was found', letter.payload ?? '') : block('Error', report.error),
    letter.problems === undefined
      ? null
      : make(
          'ul',
          { class: 'problems' },
          letter.problems.map(({ field, expected, got }) =>
            make('li', {}, `${field === '' ? 'it' : field}: expected ${expected}, got ${got}`),
          ),
        ),
    letter.found?.error === undefined ? null : block('What the sync job held', letter.found.error),
    letter.original?.report === undefined || letter.original.report === null
      ? null
      : block('As it was accepted', letter.original.report.error),
    make('h3', {}, 'What was tried'),
    timeline(letter, nowMs),
  );
  fill(dialog, head(report?.connector_sync_job_id ?? 'No report', dialog), body);
}

/** @param {readonly (readonly [string, string | undefined])[]} entries */
const facts = (entries) =>
  make(
    'dl',
    { class: 'facts' },
    entries.flatMap(([name, value]) =>
      value === undefined || value === '' ? [] : [make('dt', {}, name), make('dd', {}, value)],
    ),
  );

/** @param {string} title @param {string} text */
function block(title, text) {
  const pre = make('pre', { tabindex: '0' }, text);
  if (text.length <= LONG) return make('section', { class: 'block' }, make('h3', {}, title), pre);
  return make(
    'details',
    { class: 'block' },
    make('summary', {}, `${title}, ${formatOf(text.length, 'character')}`),
    pre,
  );
}

/** @param {Answer} answer */
const sayAnswer = ({ status, type, reason }) =>
  [status, type, reason].filter((part) => part !== undefined).join(' · ');

/** All that happened to it, oldest first. @param {Letter} letter @param {number} nowMs */
function timeline(letter, nowMs) {
  const { attempts, redrives, edits = [] } = letter;
  /** @type {{ readonly at: string, readonly what: string, readonly detail: string, readonly state: string }[]} */
  const happened = [
    { at: letter.enqueued_at, what: 'accepted', detail: '', state: '' },
    ...redrives.map(({ at, by, code, attempts_made }) => ({
      at,
      what: 'redriven',
      detail: `by ${by}; it had been ${sayCode(code)} after ${formatOf(attempts_made, 'attempt')}`,
      state: 'accent',
    })),
    ...edits.map(({ at, by, fields }) => ({
      at,
      what: 'edited',
      detail: `by ${by}: ${fields.join(', ')}`,
      state: 'accent',
    })),
    ...attempts.map((attempt) => ({
      at: attempt.at,
      what: `attempt ${attempt.attempt}: ${sayCode(attempt.code)}`,
      detail: [sayAnswer(attempt), `${formatDuration(attempt.duration_ms)} on ${attempt.worker}`]
        .filter((part) => part !== '')
        .join(' – '),
      state: 'warn',
    })),
    { at: letter.dead_at, what: `dead: ${sayCode(letter.code)}`, detail: '', state: 'bad' },
  ].sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
  return make(
    'ol',
    { class: 'timeline' },
    happened.map(({ at, what, detail, state }) =>
      make(
        'li',
        { 'data-state': state },
        make('time', { datetime: at }, formatMoment(at, nowMs)),
        make('span', { class: 'what' }, what),
        detail === '' ? null : make('span', { class: 'detail' }, detail),
      ),
    ),
  );
}
