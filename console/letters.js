/** The dead letters: codes, filter, table, pages. */
import { call, describe, queryOf } from './api.js';
import { askPurge, askRedrive } from './dialogs.js';
import { byId, fill, make, setText, unlessPressed } from './dom.js';
import { formatCount, formatMoment, formatOf, sayCode } from './format.js';

/** @typedef {import('./types.js').Letter} Letter */

const PAGE = 25;

/** How long typing has to rest before it is searched for, in milliseconds. */
const REST_MS = 300;

/** How often a list that changes is fetched at most, in milliseconds. */
const REFRESH_MS = 900;

/** Longest piece of a text in the table, in characters. */
const EXCERPT = 220;

/** @type {readonly { readonly name: string, readonly label: string, readonly placeholder: string }[]} */
const FIELDS = [
  { name: 'text', label: 'Text', placeholder: 'in the error or the sync job' },
  { name: 'connector_sync_job_id', label: 'Sync job', placeholder: 'its whole id' },
  { name: 'connector_id', label: 'Connector', placeholder: 'its whole id' },
  { name: 'source', label: 'Source', placeholder: 'its whole name' },
  { name: 'status', label: 'Status', placeholder: '404, completed, …' },
];

export class Letters {
  #code = '';
  /** Cursors of the pages before this one, the first of which is the beginning. @type {(string | undefined)[]} */
  #before = [];
  /** @type {string | undefined} */
  #cursor;
  /** @type {string | undefined} */
  #next;
  #counts = '';
  #loadedAtMs = 0;
  /** Answers may overtake each other. */
  #asked = 0;
  #isAtLeast = false;
  #total = 0;
  #nowMs = Date.now();

  /** @param {{ readonly mayOperate: boolean, readonly onOpen: (id: string) => void }} options */
  constructor({ mayOperate, onOpen }) {
    this.onOpen = onOpen;
    this.mayOperate = mayOperate;
    this.form = byId('filters', HTMLFormElement);
    this.change = unlessPressed(byId('letters'));
    this.#buildFilters();
    this.#buildBulk();
  }

  #buildFilters() {
    const fields = FIELDS.map(({ name, label, placeholder }) =>
      make(
        'div',
        { class: `filter filter-${name}` },
        make('label', { for: `filter-${name}` }, label),
        make('input', {
          id: `filter-${name}`,
          name,
          type: 'search',
          placeholder,
          autocomplete: 'off',
          spellcheck: 'false',
        }),
      ),
    );
    this.clear = make('button', { type: 'reset', class: 'quiet small', hidden: true }, 'Clear the filter');
    fill(this.form, fields, this.clear);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let resting;
    this.form.addEventListener('input', () => {
      clearTimeout(resting);
      resting = setTimeout(() => this.first(), REST_MS);
    });
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      clearTimeout(resting);
      void this.first();
    });
    this.form.addEventListener('reset', () => {
      this.#code = '';
      // The fields are emptied after the event.
      setTimeout(() => this.first(), 0);
    });
  }

  #buildBulk() {
    if (!this.mayOperate) return;
    this.redrive = make('button', { type: 'button', onclick: () => this.#askRedrive() }, 'Redrive …');
    this.purge = make(
      'button',
      { type: 'button', class: 'danger-quiet', onclick: () => this.#askPurge() },
      'Purge …',
    );
    fill(byId('bulk'), this.redrive, this.purge);
  }

  /** What is asked for, in the words of the API. @returns {Record<string, string>} */
  filter() {
    const values = Object.fromEntries(
      [...new FormData(this.form)].flatMap(([name, value]) =>
        typeof value === 'string' && value.trim() !== '' ? [[name, value.trim()]] : [],
      ),
    );
    return this.#code === '' ? values : { code: this.#code, ...values };
  }

  #what() {
    const count = `${this.#isAtLeast ? 'at least ' : ''}${formatOf(this.#total, 'dead letter')}`;
    const isAll = Object.keys(this.filter()).length === 0;
    return isAll ? `all ${count}` : `${count} that ${this.#total === 1 ? 'matches' : 'match'}`;
  }

  #askRedrive() {
    askRedrive({ what: this.#what(), count: this.#total, filter: this.filter(), onBegun: () => this.load() });
  }

  #askPurge() {
    askPurge({ what: this.#what(), filter: queryOf(this.filter()), onDone: () => this.first() });
  }

  /** Begins again at the first page. */
  first() {
    this.#before = [];
    this.#cursor = undefined;
    return this.load();
  }

  /** Fetches the page that is shown. */
  async load() {
    this.#loadedAtMs = Date.now();
    const asked = ++this.#asked;
    const query = queryOf({ ...this.filter(), limit: String(PAGE), cursor: this.#cursor });
    try {
      const page = await call('GET', `/v1/dead-letters?${query}`);
      if (asked !== this.#asked) return;
      this.change('page', () => {
        this.#total = page.total;
        this.#isAtLeast = page.total_is_at_least === true;
        this.#next = page.next;
        this.#show(page.dead_letters);
      });
    } catch (error) {
      if (asked !== this.#asked) return;
      this.change('page', () => this.#showEmpty(describe(error)));
    }
  }

  /**
   * Takes in how many there are of each code, and fetches the page anew where that has changed.
   *
   * @param {Readonly<Record<string, number>>} counts
   * @param {number} nowMs
   */
  takeCounts(counts, nowMs) {
    this.#nowMs = nowMs;
    const text = JSON.stringify(counts);
    if (text === this.#counts) return;
    // Whoever reads further back is not to have the page move under the eyes.
    const isFirst = this.#cursor === undefined;
    if (Date.now() - this.#loadedAtMs < REFRESH_MS) return;
    this.#counts = text;
    this.change('codes', () => this.#showCodes(counts));
    if (isFirst) void this.load();
  }

  /** @param {Readonly<Record<string, number>>} counts */
  #showCodes(counts) {
    const entries = Object.entries(counts)
      .filter(([code, count]) => count > 0 || code === this.#code)
      .sort(([, one], [, other]) => other - one);
    const focused =
      document.activeElement instanceof HTMLElement ? document.activeElement.dataset['code'] : undefined;
    const buttons = entries.map(([code, count]) =>
      make(
        'button',
        {
          type: 'button',
          class: 'code',
          'data-code': code,
          'aria-pressed': String(code === this.#code),
          onclick: () => {
            this.#code = this.#code === code ? '' : code;
            this.#showCodes(counts);
            void this.first();
          },
        },
        sayCode(code),
        ' ',
        make('b', {}, formatCount(count)),
      ),
    );
    fill(
      byId('codes'),
      buttons.map((button) => make('li', {}, button)),
    );
    buttons.find((button) => button.dataset['code'] === focused)?.focus();
  }

  /** @param {readonly Letter[]} letters */
  #show(letters) {
    const isFiltered = Object.keys(this.filter()).length > 0;
    if (this.clear) this.clear.hidden = !isFiltered;
    setText(byId('letters-total'), `${this.#isAtLeast ? '≥ ' : ''}${formatCount(this.#total)}`);
    for (const button of [this.redrive, this.purge]) if (button) button.disabled = this.#total === 0;
    if (letters.length === 0 && this.#next === undefined && this.#before.length === 0) {
      this.#showEmpty(
        isFiltered
          ? 'No dead letter matches. Clear the filter to see all of them.'
          : 'No dead letters. A report that cannot reach Elasticsearch ends here, with its code and its story.',
      );
      return;
    }
    byId('letters-table').hidden = false;
    byId('letters-empty').hidden = true;
    const focused =
      document.activeElement instanceof HTMLElement ? document.activeElement.dataset['letter'] : undefined;
    fill(
      byId('letters-body'),
      letters.map((letter) => this.#row(letter)),
    );
    if (focused !== undefined) {
      byId('letters-body')
        .querySelector(`[data-letter="${CSS.escape(focused)}"]`)
        ?.dispatchEvent(new Event('refocus'));
    }
    this.#showPager();
  }

  /** @param {string} text */
  #showEmpty(text) {
    byId('letters-table').hidden = true;
    byId('letters-empty').hidden = false;
    setText(byId('letters-empty'), text);
    fill(byId('letters-body'));
    this.#showPager();
  }

  /** @param {Letter} letter */
  #row(letter) {
    const { report } = letter;
    // Of a sync job that it does not know, Elasticsearch says no more than the id.
    const answered = letter.answer?.reason;
    const said =
      answered === undefined || answered === report?.connector_sync_job_id ? letter.reason : answered;
    const text = report?.error ?? letter.payload ?? '';
    const open = make(
      'button',
      { type: 'button', class: 'link', 'data-letter': letter.id, onclick: () => this.onOpen(letter.id) },
      report?.connector_sync_job_id ?? 'no report',
    );
    open.addEventListener('refocus', () => open.focus({ preventScroll: true }));
    const row = make(
      'tr',
      {},
      make(
        'td',
        { class: 'when' },
        make('time', { datetime: letter.dead_at }, formatMoment(letter.dead_at, this.#nowMs)),
      ),
      make('td', { class: 'code-cell' }, make('span', { class: 'badge code-badge' }, sayCode(letter.code))),
      make('td', { class: 'job' }, open),
      make(
        'td',
        { class: 'said' },
        make('span', { class: 'error-text' }, excerpt(text)),
        make('span', { class: 'answer-text' }, excerpt(said)),
      ),
      make(
        'td',
        { class: 'number attempts' },
        formatCount(letter.attempts_made),
        letter.redrives.length > 0
          ? make('span', { class: 'again', title: 'times redriven' }, ` ↻${letter.redrives.length}`)
          : null,
      ),
    );
    // The whole row opens it for a mouse; the keyboard has the button in it.
    row.addEventListener('click', (event) => {
      if (event.target instanceof Element && event.target.closest('button') !== null) return;
      if (String(getSelection()) === '') this.onOpen(letter.id);
    });
    return row;
  }

  #showPager() {
    const back = make(
      'button',
      { type: 'button', class: 'small', disabled: this.#before.length === 0, onclick: () => this.#goBack() },
      '← Newer',
    );
    const on = make(
      'button',
      { type: 'button', class: 'small', disabled: this.#next === undefined, onclick: () => this.#goOn() },
      'Older →',
    );
    const isNeeded = this.#before.length > 0 || this.#next !== undefined;
    fill(byId('pager'), isNeeded ? [back, make('span', {}, `Page ${this.#before.length + 1}`), on] : []);
  }

  #goOn() {
    this.#before.push(this.#cursor);
    this.#cursor = this.#next;
    void this.load();
  }

  #goBack() {
    this.#cursor = this.#before.pop();
    void this.load();
  }
}

/** @param {string} text */
function excerpt(text) {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > EXCERPT ? `${line.slice(0, EXCERPT)}…` : line;
}
