import { describe, expect, onTestFinished, test } from 'vitest';
import type { Verdict } from '../../src/domain/verdict.ts';
import { type Gate, type GatePolicy, openGate } from '../../src/pipeline/gate.ts';
import { APPLIED, INTERRUPTED, SERVER_ERROR, THROTTLED, UNREACHABLE } from '../domain/outcome-cases.ts';
import { type FakeClock, fakeClock } from '../support/fake-clock.ts';
import { type FakeFleet, fakeFleet } from '../support/fake-fleet.ts';

const POLICY: GatePolicy = {
  failuresToOpen: 10,
  concurrency: { base: 50, max: 400 },
  probeIntervalMs: 2_000,
  probers: 6,
  lookIntervalMs: 250,
};

/** Far in the past, so that nothing at the beginning counts as having changed just now. */
const SOON_MS = 5_000;

interface Worker {
  readonly gate: Gate;
  /** What the worker was told of its concurrency, oldest first. */
  readonly limits: number[];
  readonly logged: string[];
  /** An attempt that waits at the gate and then for its verdict. */
  attempt(): Attempt;
  attempts(count: number): readonly Attempt[];
}

interface Attempt {
  /** Whether it may go by now, was interrupted, or waits. */
  state(): 'waits' | 'under way' | 'interrupted' | 'ended';
  /** Ends the attempt with a verdict. */
  end(verdict: Verdict, retryAfterMs?: number): { readonly circuitWasOpen: boolean };
  /** Stops waiting, as a worker that shuts down does. */
  interrupt(): void;
}

interface Scene {
  readonly clock: FakeClock;
  readonly fleet: FakeFleet;
  worker(policy?: Partial<GatePolicy>): Worker;
}

function setup(): Scene {
  const clock = fakeClock();
  const fleet = fakeFleet(clock);
  return { clock, fleet, worker: (policy) => openWorker(clock, fleet, policy) };
}

function openWorker(clock: FakeClock, fleet: FakeFleet, policy: Partial<GatePolicy> = {}): Worker {
  const limits: number[] = [];
  const logged: string[] = [];
  const log = (_: unknown, message: string): void => {
    logged.push(message);
  };
  const gate = openGate({
    fleet,
    policy: { ...POLICY, ...policy },
    now: clock.now,
    pause: clock.pause,
    onConcurrency: (limit) => limits.push(limit),
    log: { debug() {}, info: log, warn: log, error: log },
  });
  onTestFinished(() => {
    fleet.holdLooks(false);
    return gate.close();
  });

  function attempt(): Attempt {
    const interruption = new AbortController();
    let state: ReturnType<Attempt['state']> = 'waits';
    let startedAtMs = 0;
    void Promise.resolve(gate.enter(interruption.signal)).then((passed) => {
      startedAtMs = clock.now();
      state = passed === 'go' ? 'under way' : 'interrupted';
    });
    return {
      state: () => state,
      end(verdict, retryAfterMs = 0) {
        expect(state).toBe('under way');
        state = 'ended';
        return gate.note({ attempt: 1, verdict, latencyMs: clock.now() - startedAtMs, retryAfterMs });
      },
      interrupt: () => interruption.abort(),
    };
  }

  return { gate, limits, logged, attempt, attempts: (count) => Array.from({ length: count }, attempt) };
}

const underWay = (attempts: readonly Attempt[]): readonly Attempt[] =>
  attempts.filter((attempt) => attempt.state() === 'under way');

/** Three refused connections are enough to open it. */
async function openCircuit({ clock }: Scene, worker: Worker): Promise<void> {
  await clock.advance(SOON_MS);
  const attempts = worker.attempts(3);
  await clock.settle();
  for (const attempt of attempts) attempt.end(UNREACHABLE);
  await clock.settle();
  expect(worker.gate.snapshot().circuit.kind).toBe('open');
}

test('how long nothing was heard of Elasticsearch counts from the last answer that was no failure', async () => {
  const { clock, ...scene } = setup();
  const { gate, attempts } = scene.worker();
  expect(gate.silentForMs()).toBe(Number.POSITIVE_INFINITY);
  const [applied, throttled, failed] = attempts(3);
  await clock.settle();
  applied?.end(APPLIED);
  await clock.advance(30);
  expect(gate.silentForMs()).toBe(30);
  throttled?.end(THROTTLED);
  await clock.advance(20);
  failed?.end(SERVER_ERROR);
  expect(gate.silentForMs()).toBe(20);
  gate.heard();
  expect(gate.silentForMs()).toBe(0);
});

describe('while the circuit is closed', () => {
  test('every attempt goes at once, as many as the concurrency allows', async () => {
    const scene = setup();
    const attempts = scene.worker().attempts(60);
    await scene.clock.settle();
    expect(underWay(attempts)).toHaveLength(50);

    underWay(attempts)[0]?.end(APPLIED);
    await scene.clock.settle();
    expect(underWay(attempts)).toHaveLength(50);
  });

  test('so many failures in a row open it, for the whole fleet', async () => {
    const scene = setup();
    const [mine, other] = [scene.worker(), scene.worker()];
    await scene.clock.advance(SOON_MS);
    const attempts = mine.attempts(10);
    await scene.clock.settle();
    const noted = attempts.map((attempt) => attempt.end(SERVER_ERROR));

    expect(noted.map(({ circuitWasOpen }) => circuitWasOpen)).toEqual(Array(10).fill(false));
    expect(mine.gate.snapshot().circuit).toMatchObject({ kind: 'open', code: 'server_error' });
    await scene.clock.advance(250);
    expect(other.gate.snapshot().circuit).toMatchObject({ kind: 'open', code: 'server_error' });
    expect([mine.logged, other.logged].map((lines) => lines.length)).toEqual([1, 1]);
  });

  test('what was under way when it opened uses no attempt and is no news', async () => {
    const scene = setup();
    const worker = scene.worker();
    await scene.clock.advance(SOON_MS);
    const [late, ...others] = worker.attempts(4);
    await scene.clock.settle();
    for (const attempt of others) attempt.end(UNREACHABLE);
    await scene.clock.advance(500);
    const { circuit } = worker.gate.snapshot();

    expect(late?.end(SERVER_ERROR)).toMatchObject({ circuitWasOpen: true });
    expect(worker.gate.snapshot().circuit).toBe(circuit);
  });
});

describe('while the circuit is open', () => {
  test('one attempt goes at once to probe, and one more with every interval', async () => {
    const scene = setup();
    const worker = scene.worker();
    await openCircuit(scene, worker);
    const attempts = worker.attempts(20);
    await scene.clock.settle();
    expect(underWay(attempts)).toHaveLength(1);

    await scene.clock.advance(1_999);
    expect(underWay(attempts)).toHaveLength(1);
    await scene.clock.advance(251);
    expect(underWay(attempts)).toHaveLength(2);
  });

  test('the whole fleet sends at most one request an interval, however many workers and failures there are', async () => {
    const scene = setup();
    const workers = Array.from({ length: 5 }, () => scene.worker());
    const [first] = workers;
    if (first === undefined) throw new Error('no worker');
    await openCircuit(scene, first);
    await scene.clock.advance(500);
    const attempts = workers.flatMap((worker) => worker.attempts(30));

    const startMs = scene.clock.now();
    for (let n = 0; n < 600; n += 1) {
      await scene.clock.advance(100);
      for (const attempt of underWay(attempts)) attempt.end(UNREACHABLE);
    }
    const { probes } = scene.fleet;
    expect(probes.length).toBeGreaterThanOrEqual(60_000 / 2_250);
    expect(probes.length).toBe(attempts.filter((attempt) => attempt.state() === 'ended').length);
    for (const [n, probeMs] of probes.entries()) {
      if (n > 0) expect(probeMs - (probes[n - 1] ?? 0)).toBeGreaterThanOrEqual(2_000);
    }
    expect(scene.clock.now() - startMs).toBe(60_000);
    for (const worker of workers) expect(worker.logged).toHaveLength(1);
  });

  test('a probe that fails uses no attempt', async () => {
    const scene = setup();
    const worker = scene.worker();
    await openCircuit(scene, worker);
    const [probe] = worker.attempts(1);
    await scene.clock.advance(100);
    expect(probe?.end(SERVER_ERROR)).toMatchObject({ circuitWasOpen: true });
  });

  test('a worker keeps as many reports at hand as there may be probes under way', async () => {
    const scene = setup();
    const worker = scene.worker();
    await openCircuit(scene, worker);
    expect(worker.limits).toEqual([6]);
  });

  test('requests that hang since before do not take the place of those that probe', async () => {
    const scene = setup();
    const worker = scene.worker();
    await scene.clock.advance(SOON_MS);
    const hanging = worker.attempts(47);
    await openCircuit(scene, worker);
    expect(worker.limits).toEqual([53]);

    await scene.clock.advance(100);
    for (const attempt of hanging) attempt.end(SERVER_ERROR);
    expect(worker.limits.at(-1)).toBe(6);
  });

  test('nothing is read back, because it would be one more request, but what Elasticsearch itself answered', async () => {
    const scene = setup();
    const worker = scene.worker();
    const causes = ['lost-response', 'foreign-success', 'unreadable-success', 'refused-transition'] as const;
    expect(causes.map(worker.gate.mayReadBack)).toEqual([true, true, true, true]);
    await openCircuit(scene, worker);
    expect(causes.map(worker.gate.mayReadBack)).toEqual([false, false, true, true]);
  });

  test('a success of a request that was sent before does not close it', async () => {
    const scene = setup();
    const worker = scene.worker();
    await scene.clock.advance(SOON_MS);
    const [late] = worker.attempts(1);
    await openCircuit(scene, worker);
    await scene.clock.advance(1_000);
    late?.end(APPLIED);
    expect(worker.gate.snapshot().circuit.kind).toBe('open');
  });

  test('it is not forgotten while a probe takes longer than it takes to forget', async () => {
    const scene = setup();
    const [mine, other] = [scene.worker(), scene.worker()];
    await openCircuit(scene, mine);
    const attempts = mine.attempts(1);
    await scene.clock.advance(30_000);
    expect(underWay(attempts)).toHaveLength(1);
    for (const worker of [mine, other]) {
      expect(worker.gate.snapshot().circuit.kind).toBe('open');
      expect(worker.logged).toHaveLength(1);
    }
  });
});

describe('a look at the fleet', () => {
  test('that was answered before the opening was told does not close it', async () => {
    const scene = setup();
    const worker = scene.worker();
    await scene.clock.advance(SOON_MS);
    scene.fleet.holdLooks(true);
    await scene.clock.advance(250);
    await openCircuitNow(scene, worker);
    scene.fleet.holdLooks(false);
    await scene.clock.settle();

    expect(worker.gate.snapshot().circuit.kind).toBe('open');
    expect(worker.logged).toHaveLength(1);
  });

  test('does not close it while the opening is still on its way to the fleet', async () => {
    const clock = fakeClock();
    const fleet = fakeFleet(clock);
    const { signal } = new AbortController();
    const slowly: FakeFleet['sayOpen'] = async (...said) => {
      await clock.pause(300, signal);
      await fleet.sayOpen(...said);
    };
    const worker = openWorker(clock, { ...fleet, sayOpen: slowly });
    await clock.advance(SOON_MS);
    await openCircuitNow({ clock }, worker);
    await clock.advance(1_000);
    expect(worker.logged).toHaveLength(1);
  });

  test('that was answered before the closing was told does not open it again', async () => {
    const scene = setup();
    const worker = scene.worker();
    await openCircuit(scene, worker);
    const [probe] = worker.attempts(1);
    await scene.clock.advance(100);
    scene.fleet.holdLooks(true);
    await scene.clock.advance(600);
    probe?.end(APPLIED);
    scene.fleet.holdLooks(false);
    await scene.clock.settle();

    expect(worker.gate.snapshot().circuit.kind).toBe('closed');
  });

  test('closes what nobody confirms any more, on trial: one failure opens it again', async () => {
    const scene = setup();
    const worker = scene.worker();
    await openCircuit(scene, worker);
    await scene.clock.advance(9_000);
    expect(worker.gate.snapshot().circuit.kind).toBe('open');
    await scene.clock.advance(1_500);
    expect(worker.gate.snapshot().circuit.kind).toBe('closed');

    const [trial] = worker.attempts(1);
    await scene.clock.advance(50);
    trial?.end(SERVER_ERROR);
    expect(worker.gate.snapshot().circuit.kind).toBe('open');
  });

  async function openCircuitNow({ clock }: Pick<Scene, 'clock'>, worker: Worker): Promise<void> {
    const attempts = worker.attempts(3);
    await clock.settle();
    for (const attempt of attempts) attempt.end(UNREACHABLE);
    await clock.settle();
  }
});

describe('a probe that succeeds', () => {
  test('closes the circuit, and soon after everybody else’s', async () => {
    const scene = setup();
    const [mine, other] = [scene.worker(), scene.worker()];
    await openCircuit(scene, mine);
    await scene.clock.advance(1_000);
    expect(other.gate.snapshot().circuit.kind).toBe('open');
    const [probe] = mine.attempts(1);
    await scene.clock.advance(1_500);
    probe?.end(APPLIED);

    expect(mine.gate.snapshot().circuit).toEqual({ kind: 'closed', failures: 0 });
    await scene.clock.advance(250);
    expect(other.gate.snapshot().circuit.kind).toBe('closed');
    expect(mine.logged.at(-1)).toContain('circuit closed');
  });

  test('lets those that waited go one at a time, and then twice as many a round', async () => {
    const scene = setup();
    const worker = scene.worker();
    await scene.clock.advance(SOON_MS);
    const hold = worker.attempts(50);
    await scene.clock.settle();
    const waiting = worker.attempts(40);
    for (const attempt of hold.slice(0, 3)) attempt.end(UNREACHABLE);
    for (const attempt of hold.slice(3)) attempt.end(UNREACHABLE);
    await scene.clock.advance(300);
    const [probe] = underWay(waiting);
    probe?.end(APPLIED);

    const rounds: number[] = [];
    while (waiting.some((attempt) => attempt.state() === 'waits') && rounds.length < 10) {
      // Nobody waits for a clock: each round begins with the end of the one before.
      await scene.clock.settle();
      const round = underWay(waiting);
      rounds.push(round.length);
      for (const attempt of round) attempt.end(APPLIED);
    }
    expect(rounds).toEqual([1, 2, 4, 8, 16, 8]);
  });

  test('is not undone by probes that were sent before it and fail', async () => {
    const scene = setup();
    const [mine, other] = [scene.worker(), scene.worker()];
    await openCircuit(scene, mine);
    await scene.clock.advance(500);
    // Three hang in the other worker; the next succeeds in this one.
    const hanging = other.attempts(3);
    await scene.clock.advance(6_300);
    expect(underWay(hanging)).toHaveLength(3);
    const [probe] = mine.attempts(1);
    await scene.clock.advance(2_300);
    probe?.end(APPLIED);
    hanging[0]?.end(SERVER_ERROR);
    await scene.clock.advance(300);
    const noted = hanging.slice(1).map((attempt) => attempt.end(UNREACHABLE));
    await scene.clock.advance(300);

    expect(noted).toMatchObject([{ circuitWasOpen: true }, { circuitWasOpen: true }]);
    expect([mine, other].map(({ gate }) => gate.snapshot().circuit.kind)).toEqual(['closed', 'closed']);
    expect(mine.logged.filter((line) => line.includes('open:'))).toHaveLength(1);
  });

  test('is followed by others although earlier probes still hang', async () => {
    const scene = setup();
    const worker = scene.worker();
    await openCircuit(scene, worker);
    const attempts = worker.attempts(6);
    await scene.clock.advance(9_000);
    const hanging = underWay(attempts);
    expect(hanging).toHaveLength(5);
    await scene.clock.advance(2_000);
    const [probe] = underWay(attempts).filter((attempt) => !hanging.includes(attempt));
    probe?.end(APPLIED);
    expect(worker.limits.at(-1)).toBe(6);

    const [fresh] = worker.attempts(1);
    await scene.clock.advance(50);
    expect(fresh?.state()).toBe('under way');
  });
});

describe('where Elasticsearch asks to wait', () => {
  test('the whole fleet sends nothing until then', async () => {
    const scene = setup();
    const [mine, other] = [scene.worker(), scene.worker()];
    await scene.clock.advance(SOON_MS);
    const [asked] = mine.attempts(1);
    await scene.clock.settle();
    asked?.end(THROTTLED, 10_000);
    await scene.clock.advance(250);
    const attempts = [...mine.attempts(2), ...other.attempts(2)];

    await scene.clock.advance(9_700);
    expect(attempts.map((attempt) => attempt.state())).toEqual(Array(4).fill('waits'));
    await scene.clock.advance(2_500);
    expect(underWay(attempts)).toHaveLength(4);
  });

  test('the later end counts, and a wait of nothing is none', async () => {
    const scene = setup();
    const worker = scene.worker();
    await scene.clock.advance(SOON_MS);
    const attempts = worker.attempts(3);
    await scene.clock.settle();
    attempts[0]?.end(THROTTLED, 0);
    expect(worker.logged).toEqual([]);
    attempts[1]?.end(THROTTLED, 8_000);
    attempts[2]?.end(THROTTLED, 2_000);
    expect(worker.logged).toHaveLength(1);
    expect(worker.gate.snapshot().holdUntilMs).toBe(scene.clock.now() + 8_000);
    await scene.clock.advance(1_000);
    expect(worker.gate.snapshot().holdUntilMs).toBe(scene.clock.now() + 7_000);
  });

  test('requests go out at the pace it bears, and the concurrency shrinks', async () => {
    const scene = setup();
    const worker = scene.worker();
    await scene.clock.advance(SOON_MS);
    const attempts = worker.attempts(20);
    await scene.clock.settle();
    for (const attempt of attempts.slice(0, 10)) attempt.end(APPLIED);
    for (const attempt of attempts.slice(10)) attempt.end(THROTTLED);

    expect(worker.gate.snapshot().pacePerSecond).toBeCloseTo(16);
    expect(worker.gate.snapshot().concurrency).toBeLessThan(5);
    expect(worker.gate.snapshot().circuit.kind).toBe('closed');
    const paced = worker.attempts(1);
    await scene.clock.advance(110);
    expect(underWay(paced)).toHaveLength(1);
  });
});

describe('a gate that closes', () => {
  test('hands back everything that waits at it, and lets nothing more through', async () => {
    const scene = setup();
    const worker = scene.worker();
    await openCircuit(scene, worker);
    const attempts = worker.attempts(5);
    await scene.clock.advance(100);
    const closing = worker.gate.close();
    await scene.clock.settle();

    expect(attempts.map((attempt) => attempt.state())).toEqual([
      'under way',
      ...Array(4).fill('interrupted'),
    ]);
    const [late] = worker.attempts(1);
    await scene.clock.settle();
    expect(late?.state()).toBe('interrupted');
    await closing;
  });

  test('lets nothing through at once either', async () => {
    const scene = setup();
    const worker = scene.worker();
    await worker.gate.close();
    const [late] = worker.attempts(1);
    await scene.clock.settle();
    expect(late?.state()).toBe('interrupted');
    expect(worker.gate.snapshot().inFlight).toBe(0);
  });

  test('looks at the fleet no longer', async () => {
    const scene = setup();
    const worker = scene.worker();
    await worker.gate.close();
    await scene.fleet.sayOpen({ sinceMs: 1, code: 'tls' }, 60_000);
    await scene.clock.advance(1_000);
    expect(worker.gate.snapshot().circuit.kind).toBe('closed');
  });
});

test('an attempt that is interrupted while it waits goes back, and the others go on waiting', async () => {
  const scene = setup();
  const worker = scene.worker();
  await openCircuit(scene, worker);
  const attempts = worker.attempts(3);
  await scene.clock.advance(100);
  attempts[1]?.interrupt();
  await scene.clock.settle();
  expect(attempts.map((attempt) => attempt.state())).toEqual(['under way', 'interrupted', 'waits']);
  expect(worker.gate.snapshot().inFlight).toBe(1);
});

test('an attempt that is interrupted while it asks for its turn is not under way', async () => {
  const scene = setup();
  const worker = scene.worker();
  await openCircuit(scene, worker);
  const [attempt] = worker.attempts(1);
  attempt?.interrupt();
  await scene.clock.settle();
  expect(attempt?.state()).toBe('interrupted');
  expect(worker.gate.snapshot().inFlight).toBe(0);
});

test('an attempt whose time was measured a little too long keeps nobody from their turn', async () => {
  const scene = setup();
  const worker = scene.worker();
  await openCircuit(scene, worker);
  const [probe] = worker.attempts(1);
  await scene.clock.advance(2_000);
  probe?.end(APPLIED);
  const { signal } = new AbortController();
  for (let n = 0; n < 5; n += 1) {
    expect(await worker.gate.enter(signal)).toBe('go');
    worker.gate.note({ attempt: 1, verdict: APPLIED, latencyMs: 1, retryAfterMs: 0 });
  }
});

test('an attempt that this worker stopped itself changes nothing', async () => {
  const scene = setup();
  const worker = scene.worker();
  await scene.clock.advance(SOON_MS);
  const attempts = worker.attempts(12);
  await scene.clock.settle();
  for (const attempt of attempts) expect(attempt.end(INTERRUPTED)).toMatchObject({ circuitWasOpen: false });
  expect(worker.gate.snapshot()).toMatchObject({
    circuit: { kind: 'closed', failures: 0 },
    concurrency: 50,
    inFlight: 0,
  });
});

describe('where the fleet cannot be reached', () => {
  test('a worker goes on by itself: reports flow, failures open the circuit, and nobody probes', async () => {
    const scene = setup();
    const worker = scene.worker();
    scene.fleet.cutOff(true);
    await scene.clock.advance(SOON_MS);
    const [one] = worker.attempts(1);
    await scene.clock.settle();
    expect(one?.state()).toBe('under way');
    one?.end(APPLIED);

    await openCircuit(scene, worker);
    const attempts = worker.attempts(3);
    await scene.clock.advance(20_000);
    expect(attempts.map((attempt) => attempt.state())).toEqual(['waits', 'waits', 'waits']);
    expect(worker.gate.snapshot().circuit.kind).toBe('open');
  });

  test('it takes its turns again when the fleet is back', async () => {
    const scene = setup();
    const worker = scene.worker();
    scene.fleet.cutOff(true);
    await openCircuit(scene, worker);
    const attempts = worker.attempts(3);
    await scene.clock.advance(1_000);
    scene.fleet.cutOff(false);
    await scene.clock.advance(250);
    expect(underWay(attempts).length).toBeGreaterThanOrEqual(1);
  });
});
