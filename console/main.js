/**
 * The console:
 *
 * 1. Asks who is there; without a session it asks for a key, once.
 * 2. Listens to the door's events and shows each moment as it comes.
 * 3. Does what is confirmed, by the same API that everybody has.
 */
import { call, describe } from './api.js';
import { Charts, RANGES } from './charts.js';
import { askPause, say } from './dialogs.js';
import { byId, fill, make, setText } from './dom.js';
import { Flow } from './flow.js';
import { Letters } from './letters.js';
import { showRuns, showSilence, showStages, showVerdict, showWorkers } from './panels.js';
import { openStory } from './story.js';
import { toggleTheme } from './theme.js';

/** @typedef {import('./types.js').Overview} Overview */
/** @typedef {import('./types.js').Run} Run */

/** @param {'connecting' | 'live' | 'away' | 'lost'} state @param {string} text */
function showLink(state, text) {
  byId('link-state').dataset['state'] = state;
  setText(byId('link-text'), text);
}

/** @param {Overview} overview */
function showSwitch({ paused }) {
  const parent = byId('switch');
  if (parent.dataset['paused'] === String(paused)) return;
  parent.dataset['paused'] = String(paused);
  const resume = async () => {
    try {
      await call('POST', '/v1/queue/resume');
      say('Resumed.');
    } catch (error) {
      say(describe(error), 'bad');
    }
  };
  fill(
    parent,
    paused
      ? make('button', { type: 'button', class: 'primary', onclick: resume }, 'Resume')
      : make('button', { type: 'button', onclick: askPause }, 'Pause …'),
  );
}

/** @param {Run} run */
async function cancelRun(run) {
  try {
    await call('DELETE', `/v1/redrives/${encodeURIComponent(run.id)}`);
    say('Cancelled; what was put back stays in the queue.');
  } catch (error) {
    say(describe(error), 'bad');
  }
}

/** @param {{ readonly scopes: readonly string[], readonly name: string, readonly needs_key: boolean }} session */
async function start(session) {
  const mayOperate = session.scopes.includes('operate');
  document.body.dataset['operate'] = String(mayOperate);
  byId('sign-in').hidden = true;
  byId('console').hidden = false;
  byId('sign-out').hidden = !session.needs_key;
  setText(byId('who'), session.needs_key ? `${session.name}${mayOperate ? '' : ' (may look)'}` : '');

  const words = await call('GET', '/console/words');
  const flow = new Flow();
  const charts = new Charts(byId('charts'), flow);
  const letters = new Letters({
    mayOperate,
    onOpen: (id) => void openStory(id, { mayOperate, words, onChanged: () => void letters.load() }),
  });
  buildRanges(charts);
  void letters.load();

  const source = new EventSource('/console/events');
  source.addEventListener('history', ({ data }) => {
    const history = JSON.parse(data);
    flow.begin(history.flow, history.bucket_ms);
  });
  source.addEventListener('moment', ({ data }) => {
    /** @type {{ readonly overview: Overview, readonly flow: readonly import('./flow.js').Point[], readonly redrives: readonly Run[] }} */
    const moment = JSON.parse(data);
    const { overview } = moment;
    const nowMs = Date.parse(overview.at);
    flow.add(moment.flow, nowMs);
    showLink('live', 'live');
    showVerdict(overview, nowMs);
    showStages(overview, flow);
    showWorkers(overview, nowMs);
    showRuns(moment.redrives, nowMs, (run) => void cancelRun(run));
    letters.takeCounts(overview.dead_letters, nowMs);
    charts.draw();
    if (mayOperate) showSwitch(overview);
    document.body.dataset['ready'] = 'true';
  });
  source.addEventListener('away', () => {
    showLink('away', 'waiting for Redis');
    showSilence(
      'Redis does not answer',
      'Until it does, nothing is accepted, and producers are told so; what was accepted is kept in it.',
    );
  });
  source.addEventListener('error', () => {
    showLink('lost', 'connecting again');
    showSilence('The door does not answer', 'What is shown here is old; the page tries again by itself.');
    // It may be that the session is over: a stream does not say why it was refused.
    if (source.readyState === EventSource.CLOSED) void call('GET', '/v1/queue').catch(() => undefined);
  });
  document.addEventListener(
    'signedout',
    () => {
      source.close();
      location.reload();
    },
    { once: true },
  );
}

/** @param {Charts} charts */
function buildRanges(charts) {
  const buttons = RANGES.map(({ label }, index) =>
    make(
      'button',
      {
        type: 'button',
        'aria-pressed': String(index === 0),
        onclick: () => {
          for (const [each, button] of buttons.entries())
            button.setAttribute('aria-pressed', String(each === index));
          charts.choose(index);
        },
      },
      label,
    ),
  );
  fill(byId('ranges'), buttons);
}

function askForKey() {
  showLink('connecting', 'signed out');
  byId('sign-in').hidden = false;
  byId('nav-queues').hidden = true;
  const key = byId('key', HTMLInputElement);
  key.focus();
  byId('sign-in-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      const session = await call('POST', '/console/session', { key: key.value });
      key.value = '';
      byId('nav-queues').hidden = false;
      await start(session);
    } catch (error) {
      setText(byId('sign-in-problem'), describe(error));
      key.select();
    }
  });
}

byId('theme').addEventListener('click', toggleTheme);
byId('sign-out').addEventListener('click', async () => {
  await call('DELETE', '/console/session').catch(() => undefined);
  location.reload();
});
document.addEventListener('keydown', (event) => {
  const isTyping =
    event.target instanceof Element && event.target.closest('input, textarea, select, dialog') !== null;
  if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || byId('console').hidden) return;
  event.preventDefault();
  byId('filter-text').focus();
});

const session = await call('GET', '/console/session').catch((error) => {
  showLink('lost', describe(error));
  return undefined;
});
if (session !== undefined) {
  if (session.signed_in) await start(session);
  else askForKey();
}
