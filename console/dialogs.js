/** Questions before something is done, and words about what was. */
import { call, describe } from './api.js';
import { byId, fill, make, setText } from './dom.js';

/** How long a word stays, in milliseconds. */
const TOAST_MS = 8_000;

/**
 * Says what was done, or what went wrong.
 *
 * @param {string} text
 * @param {'good' | 'bad'} [state]
 */
export function say(text, state = 'good') {
  const toasts = byId('toasts');
  const toast = make('p', { class: 'toast', 'data-state': state }, text);
  // What was shown last lies on top: a dialog that is open would cover them.
  toasts.hidePopover();
  toasts.showPopover();
  toasts.append(toast);
  setTimeout(() => toast.remove(), TOAST_MS);
}

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {string} [hint]
 * @property {'text' | 'number' | 'long'} [kind]
 * @property {string} [value]
 * @property {string} [placeholder]
 * @property {number} [min]
 * @property {boolean} [required]
 * @property {string} [mustBe] the only text that lets it pass
 */

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} text
 * @property {readonly Field[]} [fields]
 * @property {string} button
 * @property {boolean} [isDangerous]
 * @property {(values: Readonly<Record<string, string>>) => Promise<string | undefined>} act does it; what it
 * resolves with is said
 */

/**
 * Asks, does it where that is confirmed, and says what came of it. What goes wrong stays on the dialog.
 *
 * @param {Question} question
 */
export function ask({ title, text, fields = [], button, isDangerous = false, act }) {
  const dialog = byId('ask', HTMLDialogElement);
  const inputs = fields.map((field) => ({ field, input: inputFor(field) }));
  const problem = make('p', { class: 'problem', role: 'alert' });
  const working = make('progress', { class: 'working', hidden: true, 'aria-label': 'Under way' });
  const submit = make('button', { type: 'submit', class: isDangerous ? 'danger' : 'primary' }, button);
  const cancel = make('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel');
  const form = make(
    'form',
    { method: 'dialog' },
    make('h2', { id: 'ask-title' }, title),
    make('p', { class: 'ask-text' }, text),
    inputs.flatMap(({ field, input }) => [
      make('label', { for: input.id }, field.label),
      input,
      field.hint === undefined ? null : make('p', { class: 'hint', id: `${input.id}-hint` }, field.hint),
    ]),
    working,
    problem,
    make('div', { class: 'buttons' }, cancel, submit),
  );

  const check = () => {
    submit.disabled = inputs.some(
      ({ field, input }) => field.mustBe !== undefined && input.value.trim() !== field.mustBe,
    );
  };
  for (const { input } of inputs) input.addEventListener('input', check);
  check();

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    setText(problem, '');
    submit.disabled = true;
    working.hidden = false;
    try {
      const values = Object.fromEntries(inputs.map(({ field, input }) => [field.name, input.value]));
      const done = await act(values);
      dialog.close();
      if (done !== undefined) say(done);
    } catch (error) {
      setText(problem, describe(error));
      check();
    } finally {
      working.hidden = true;
    }
  });

  fill(dialog, form);
  dialog.showModal();
  // Where it is dangerous, the first thing under the hand is the way out.
  if (inputs.length > 0) inputs[0]?.input.focus();
  else (isDangerous ? cancel : submit).focus();
}

/** @param {Field} field */
function inputFor({ name, kind = 'text', value = '', placeholder, min, required = false, hint }) {
  const shared = {
    id: `ask-${name}`,
    name,
    placeholder,
    required,
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': hint === undefined ? undefined : `ask-${name}-hint`,
  };
  const input =
    kind === 'long'
      ? make('textarea', { ...shared, rows: '10' })
      : make('input', { ...shared, type: kind, min, step: kind === 'number' ? '1' : undefined });
  input.value = value;
  return input;
}

/** @param {Readonly<Record<string, string>>} values @param {string} name */
function numberIn(values, name) {
  const text = values[name]?.trim() ?? '';
  return text === '' ? {} : { [name]: Number(text) };
}

/**
 * Asks about a redrive, and begins it.
 *
 * @param {{ readonly what: string, readonly count: number | undefined, readonly filter: Readonly<Record<string, string>>, readonly id?: string, readonly onBegun: () => void }} redrive
 */
export function askRedrive({ what, count, filter, id, onBegun }) {
  const isOne = id !== undefined;
  ask({
    title: isOne ? 'Redrive this report' : `Redrive ${what}`,
    text: isOne
      ? 'It goes back into the queue with a fresh start; the letter is gone until it fails again.'
      : 'They go back into the queue, oldest first. The run stops by itself where the first of them comes back with the same code.',
    fields: isOne
      ? []
      : [
          { name: 'rate', label: 'Reports a second', kind: 'number', value: '100', min: 1, required: true },
          {
            name: 'canary',
            label: 'First, alone',
            kind: 'number',
            value: (count ?? 0) > 10 ? '1' : '0',
            min: 0,
            hint: 'So many go first; the rest only goes when they have passed.',
          },
          { name: 'limit', label: 'At most', kind: 'number', min: 1, placeholder: 'all that match' },
        ],
    button: 'Redrive',
    act: async (values) => {
      const hasFilter = Object.keys(filter).length > 0;
      const path = isOne ? `/v1/dead-letters/${encodeURIComponent(id)}/redrive` : '/v1/dead-letters/redrive';
      const body = {
        ...(hasFilter ? { filter } : { all: true }),
        ...numberIn(values, 'rate'),
        ...numberIn(values, 'canary'),
        ...numberIn(values, 'limit'),
      };
      await call('POST', path, isOne ? undefined : body);
      onBegun();
      return isOne ? 'Back in the queue.' : 'The redrive has begun; see Redrives.';
    },
  });
}

/**
 * Asks about a purge, and does it.
 *
 * @param {{ readonly what: string, readonly filter: URLSearchParams, readonly id?: string, readonly onDone: () => void }} purge
 */
export function askPurge({ what, filter, id, onDone }) {
  const isOne = id !== undefined;
  ask({
    title: isOne ? 'Purge this dead letter' : `Purge ${what}`,
    text: `${isOne ? 'It is' : 'They are'} taken away for good; nobody can bring ${isOne ? 'it' : 'them'} back. Redrive what may still reach Elasticsearch.`,
    fields: isOne ? [] : [{ name: 'sure', label: 'Write “purge” to confirm', mustBe: 'purge' }],
    button: 'Purge for good',
    isDangerous: true,
    act: async () => {
      const query = filter.size === 0 ? 'all=true' : filter.toString();
      const path = isOne ? `/v1/dead-letters/${encodeURIComponent(id)}` : `/v1/dead-letters?${query}`;
      const { purged } = await call('DELETE', path);
      onDone();
      return purged === 1 ? 'Purged 1 dead letter.' : `Purged ${purged} dead letters.`;
    },
  });
}

/**
 * Asks for a report's new text, and writes it into its letter.
 *
 * @param {import('./types.js').Letter} letter
 * @param {(letter: import('./types.js').Letter) => void} onEdited
 */
export function askEdit(letter, onEdited) {
  const { report } = letter;
  ask({
    title: report === null ? 'Make it a report' : 'Edit the report',
    text: 'The letter stays where it is, and what was accepted is kept with it. Redrive it afterwards.',
    fields: [
      { name: 'id', label: 'Sync job', value: report?.connector_sync_job_id ?? '', required: true },
      { name: 'error', label: 'Error', kind: 'long', value: report?.error ?? '', required: true },
    ],
    button: 'Save',
    act: async ({ id = '', error = '' }) => {
      const patch =
        report === null
          ? [{ op: 'replace', path: '', value: { connector_sync_job_id: id, error } }]
          : [
              ...changeOf('/connector_sync_job_id', report.connector_sync_job_id, id),
              // A text field makes every line end the same; where nobody has typed, nothing is to change.
              ...changeOf('/error', report.error, sameBut(report.error, error) ? report.error : error),
            ];
      if (patch.length === 0) return 'Nothing was changed.';
      const path = `/v1/dead-letters/${encodeURIComponent(letter.id)}`;
      onEdited(await call('PATCH', path, patch, 'application/json-patch+json'));
      return 'Saved. It is not sent before it is redriven.';
    },
  });
}

/** @param {string} before @param {string} after */
const sameBut = (before, after) => before.replaceAll(/\r\n?/g, '\n') === after;

/** What was edited meanwhile by somebody else is not written over. @param {string} path @param {string} before @param {string} after */
const changeOf = (path, before, after) =>
  before === after
    ? []
    : [
        { op: 'test', path, value: before },
        { op: 'replace', path, value: after },
      ];

/** Asks for a reason, and pauses. */
export function askPause() {
  ask({
    title: 'Pause the workers',
    text: 'No worker takes a report until somebody resumes, whatever restarts meanwhile. Reports are accepted as before.',
    fields: [
      {
        name: 'reason',
        label: 'Reason, for whoever looks',
        placeholder: 'Elasticsearch is upgraded until noon',
      },
    ],
    button: 'Pause',
    act: async ({ reason = '' }) => {
      const { status, note } = await call(
        'POST',
        '/v1/queue/pause',
        reason.trim() === '' ? {} : { reason: reason.trim() },
      );
      return status === 'paused'
        ? 'Paused.'
        : `It is paused already${note === undefined ? '' : `, by ${note.by}`}.`;
    },
  });
}
