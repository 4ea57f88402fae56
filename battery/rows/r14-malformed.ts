import { connect } from 'node:net';
import { type JobsOptions, Queue } from 'bullmq';
import type { Evidence } from '../judge/evidence.ts';
import { type Finding, finding } from '../judge/finding.ts';
import { commonFindings } from '../judge/invariants.ts';
import { askedOf } from '../judge/sync-job-path.ts';
import { below } from '../seeded.ts';
import type { Acknowledged, OracleReport } from '../stage/producer.ts';
import { openStage, type Stage } from '../stage/stage.ts';
import { HOSTILE_SEGMENTS, type MadePayload, makePayload } from './malformed.ts';
import { makeReports } from './reports.ts';
import { defineRow, named, type Row, type RowContext } from './row.ts';

interface Sizes {
  readonly payloads: number;
  readonly good: number;
  readonly segments: number;
  readonly env: Readonly<Record<string, string>>;
}

const SETTLE_MS = 180_000;
const BATCH = 500;
const ABREAST = 16;
const ANSWER_TIMEOUT_MS = 5_000;
const LINES_A_CALL = 100;

/** Fields of a job that BullMQ itself reads before anybody is asked. */
const BROKEN_FIELDS = [
  ['opts', 'no JSON'],
  ['opts', 'null'],
  ['progress', '{'],
  ['parent', 'no JSON'],
  ['stc', '-'],
  ['timestamp', 'now'],
] as const;
/** One job in so many has such a field besides; they wait for the sweep. */
const BROKEN_ONE_IN = 200;

/** R14: what no producer should send, straight into the queue and by HTTP. */
export const malformed: Row = defineRow<Sizes>({
  id: 'R14',
  fault: 'malformed reports, into the queue directly and by HTTP',
  sizes: {
    full: { payloads: 10_000, good: 2_000, segments: 1_000, env: {} },
    short: { payloads: 1_000, good: 200, segments: 100, env: { SWEEP_INTERVAL_MS: '1000' } },
  },
  async run(context, sizes) {
    return [
      ...named('queue', await intoTheQueue(context, sizes)),
      ...named('HTTP', await byHttp(context, sizes)),
    ];
  },
});

/** A foreign producer writes jobs as it likes; good reports come beside them. */
async function intoTheQueue(context: RowContext, { payloads, good, env }: Sizes): Promise<Finding[]> {
  await using stage = await openStage(context, { workers: 2, env });
  const random = stage.random('queue');
  const made = Array.from({ length: payloads }, (_, n) => makePayload('queue', n, random));
  const foreign = await writeJobs(stage, made);
  const neighbours = makeReports('good', good);
  stage.putSyncJobsOf([...neighbours, ...foreign.filter(({ ending }) => ending === 'applied')]);
  await stage.producer.report(neighbours);
  await stage.fleet.start();
  const hasSettled = await stage.settle(SETTLE_MS);

  const gathered = await stage.evidence();
  const evidence = { ...gathered, reports: [...gathered.reports, ...foreign] };
  const invalid = foreign.filter(({ ending }) => ending !== 'applied').length;
  const buried = evidence.letters.filter(({ code }) => code === 'invalid_report').length;
  return [
    ...commonFindings(evidence),
    finding(
      'each ends',
      hasSettled && buried === invalid,
      `${buried} of ${invalid} that are no reports dead-lettered as invalid_report, ${foreign.length - invalid} hostile ones that are`,
      'all',
    ),
    onlyItsPath(stage, evidence),
    goesOn(stage),
  ];
}

/** By BullMQ as it is, and then with the payload put in place as the other producer wrote it. */
async function writeJobs(
  { redis, env, random: chance }: Stage,
  made: readonly MadePayload[],
): Promise<Acknowledged[]> {
  const random = chance('fields');
  const queue = new Queue('reports', { connection: redis.client, prefix: env['KEY_PREFIX'] ?? '' });
  const written: Acknowledged[] = [];
  for (let from = 0; from < made.length; from += BATCH) {
    const batch = made.slice(from, from + BATCH);
    const options = (n: number): JobsOptions => ({ jobId: `r-foreign-${from + n}` });
    const jobs = await queue.addBulk(batch.map((_, n) => ({ name: 'report', data: {}, opts: options(n) })));
    const pipeline = redis.client.pipeline();
    batch.forEach(({ bytes, report }, n) => {
      const jobId = jobs[n]?.id ?? '';
      const key = queue.toKey(jobId);
      pipeline.hset(key, 'data', bytes);
      const broken = BROKEN_FIELDS[below(random, BROKEN_FIELDS.length * BROKEN_ONE_IN)];
      if (broken !== undefined) pipeline.hset(key, ...broken);
      const { syncJobId, error } = report ?? { syncJobId: `none of ${jobId}`, error: '' };
      const ending: OracleReport['ending'] = report === undefined ? { dead: 'invalid_report' } : 'applied';
      written.push({ syncJobId, error, ending, jobId, atMs: Date.now(), queued: 1, duplicate: 0 });
    });
    await pipeline.exec();
  }
  await queue.close();
  return written;
}

/** The same kinds of payload as bodies and as lines, and paths that no client ought to write. */
async function byHttp(context: RowContext, { payloads, good, segments, env }: Sizes): Promise<Finding[]> {
  await using stage = await openStage(context, { workers: 2, env });
  const random = stage.random('http');
  await stage.fleet.start();
  const started = await stage.fleet.slots[0]?.worker?.line('worker started');
  const address = String(started?.fields['address']);
  const made = Array.from({ length: payloads }, (_, n) => makePayload('http', n, random));
  const neighbours = makeReports('good', good);
  stage.putSyncJobsOf([...neighbours, ...made.flatMap(oracleReport)]);
  const inflow = stage.producer.inflow(neighbours, good / 5);

  const half = Math.floor(made.length / 2);
  const tally = new Tally();
  await abreast(made.slice(0, half), async (payload) => postOne(stage, address, payload, tally));
  for (let from = half; from < made.length; from += LINES_A_CALL) {
    await postLines(stage, address, made.slice(from, from + LINES_A_CALL), tally);
  }
  await abreast(
    Array.from({ length: segments }, (_, n) => n),
    async (n) => {
      const segment = HOSTILE_SEGMENTS[n % HOSTILE_SEGMENTS.length] ?? '';
      await putRaw(stage, new URL(address), segment, n, tally);
    },
  );
  await inflow;
  const hasSettled = await stage.settle(SETTLE_MS);
  const evidence = await stage.evidence();
  return [
    ...commonFindings(evidence),
    finding(
      'each answered',
      hasSettled && tally.wrong.length === 0,
      `${tally.refused} refused with 4xx, ${tally.taken} taken, ${tally.wrong.length} answered otherwise${tally.wrong.slice(0, 3).join('; ')}`,
      '0 answered otherwise',
    ),
    onlyItsPath(stage, evidence),
    goesOn(stage),
  ];
}

/** What the door said. */
class Tally {
  refused = 0;
  taken = 0;
  readonly wrong: string[] = [];
}

const oracleReport = ({ report }: MadePayload): OracleReport[] =>
  report === undefined ? [] : [{ ...report, ending: 'applied' }];

async function postOne(stage: Stage, address: string, made: MadePayload, tally: Tally): Promise<void> {
  const response = await fetch(`${address}/v1/reports`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: new Uint8Array(made.bytes),
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  });
  const body = await response.text();
  if (made.report !== undefined && response.status === 202) {
    tally.taken += 1;
    const { status, id } = JSON.parse(body) as { status: 'queued' | 'duplicate'; id: string };
    stage.producer.note({ ...made.report, ending: 'applied' }, { status, id });
  } else if (made.report === undefined && isRefusal(response.status)) tally.refused += 1;
  else tally.wrong.push(` ${response.status} for ${shown(made)}: ${body.slice(0, 100)}`);
}

async function postLines(
  stage: Stage,
  address: string,
  made: readonly MadePayload[],
  tally: Tally,
): Promise<void> {
  // A line that holds a line break is two; one of nothing is none.
  const lines = made.filter(
    ({ bytes }) => !bytes.includes('\n') && !bytes.includes('\r') && bytes.toString().trim() !== '',
  );
  const body = Buffer.concat(lines.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]));
  const response = await fetch(`${address}/v1/reports`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: new Uint8Array(body),
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  });
  const text = await response.text();
  const results = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { status: string; id?: string });
  lines.forEach((payload, index) => {
    const { status, id } = results[index] ?? { status: `nothing (HTTP ${response.status})` };
    const isTaken = (status === 'queued' || status === 'duplicate') && id !== undefined;
    if (payload.report !== undefined && isTaken) {
      tally.taken += 1;
      stage.producer.note({ ...payload.report, ending: 'applied' }, { status, id });
    } else if (payload.report === undefined && status === 'invalid') tally.refused += 1;
    else tally.wrong.push(` ${status} for the line ${shown(payload)}`);
  });
}

/** Elasticsearch's own call, byte by byte, because no client would send such a path. */
async function putRaw(
  stage: Stage,
  { hostname, port }: URL,
  segment: string,
  n: number,
  tally: Tally,
): Promise<void> {
  const error = `Error ${n} of a path`;
  const body = JSON.stringify({ error });
  const head = `PUT /_connector/_sync_job/${segment}/_error HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  const answer = await exchange(hostname, Number(port), Buffer.from(head + body, 'utf8'));
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
  if (status === 202) {
    tally.taken += 1;
    const { id, duplicate } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as {
      id: string;
      duplicate?: boolean;
    };
    const report: OracleReport = {
      syncJobId: decoded(segment),
      error,
      ending: { dead: 'sync_job_not_found' },
    };
    stage.producer.note(report, { id, status: duplicate === true ? 'duplicate' : 'queued' });
  } else if (isRefusal(status)) tally.refused += 1;
  else tally.wrong.push(` ${status} for the path of ${JSON.stringify(segment)}: ${answer.slice(0, 100)}`);
}

/** Escapes are bytes of UTF-8; those that are not become U+FFFD. */
function decoded(segment: string): string {
  const bytes = segment.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return segment.includes('%') ? Buffer.from(bytes, 'latin1').toString('utf8') : segment;
}

function exchange(host: string, port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host, port });
    const end = (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, end);
    socket.on('data', (chunk) => {
      answer += chunk.toString('utf8');
    });
    socket.on('error', end);
    socket.on('close', end);
    // Not ended: who leaves before the answer is not answered.
    socket.write(bytes);
  });
}

/** Every request was about a sync job that some report named, in a segment of its own. */
function onlyItsPath({ standIn }: Stage, { exchanges, reports }: Evidence): Finding {
  const known = new Set(reports.map(({ syncJobId }) => syncJobId));
  const paths = [
    ...exchanges.map(({ exchange: { method, path } }) => ({ method, path })),
    ...standIn.ledger.entries(),
  ];
  const astray = paths.filter(({ method, path }) => {
    if (path === '/') return false;
    const asked = askedOf(method, path);
    return asked === undefined || !known.has(asked.syncJobId);
  });
  const [first] = astray;
  return finding(
    'only its path',
    astray.length === 0,
    `${paths.length} requests seen, ${astray.length} to anything but the sync job of a report${first === undefined ? '' : ` (${first.method} ${first.path.slice(0, 80)})`}`,
    '0',
  );
}

/** No process ended, and none said that it could not go on. */
function goesOn({ fleet }: Stage): Finding {
  const ended = fleet.workers.filter(({ exit }) => exit !== undefined).length;
  const faults = fleet.lines.filter(
    ({ level }) => level === 'error' || level === 'fatal' || level === 'stray',
  );
  return finding(
    'nothing stops',
    ended === 0 && faults.length === 0,
    `${ended} of ${fleet.workers.length} processes ended, ${faults.length} faults logged${faults
      .slice(0, 2)
      .map(({ msg, fields }) => ` (${msg} ${JSON.stringify(fields).slice(0, 150)})`)
      .join('')}`,
    '0, 0',
  );
}

const isRefusal = (status: number): boolean =>
  status >= 400 && status < 500 && status !== 408 && status !== 429;
const shown = ({ bytes }: MadePayload): string => JSON.stringify(bytes.toString('latin1').slice(0, 80));

/** So many at the same time, in their order. */
async function abreast<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: ABREAST }, async () => {
      for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
    }),
  );
}
