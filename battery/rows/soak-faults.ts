/** What a soak chooses from: each fault begins, lasts a while, and is over when its promise resolves. */
import { setTimeout as sleep } from 'node:timers/promises';
import { below, type Random } from '../seeded.ts';
import type { WayFault } from '../stage/fault.ts';
import type { FaultProxy } from '../stage/fault-proxy.ts';
import type { Slot } from '../stage/fleet.ts';
import type { Stage } from '../stage/stage.ts';

/** Where a fault strikes, and how long it lasts where that is not in its nature. */
export interface SoakScene {
  readonly stage: Stage;
  readonly forMs: number;
  readonly random: Random;
}

/** One kind of fault. */
export interface SoakFault {
  readonly name: string;
  /** Whether no worker can reach a working Elasticsearch while it lasts. */
  readonly isOutage: boolean;
  strike(scene: SoakScene): Promise<void>;
}

/** The first worker lives through everything, so that what grows can be seen to grow. */
function victim({ stage, random }: SoakScene): Slot {
  const { slots } = stage.fleet;
  const slot = slots[1 + below(random, slots.length - 1)];
  if (slot === undefined) throw new Error('a soak needs at least two workers');
  return slot;
}

async function onWays(ways: readonly FaultProxy[], kind: WayFault['kind'], forMs: number): Promise<void> {
  const heals = ways.map((way) => way.strike({ kind }));
  await sleep(forMs);
  for (const heal of heals) heal();
}

const standIn = (
  name: string,
  isOutage: boolean,
  fault: Parameters<Stage['standIn']['faults']['add']>[0],
): SoakFault => ({
  name,
  isOutage,
  async strike({ stage, forMs }) {
    stage.standIn.faults.add({ ...fault, forMs });
    await sleep(forMs);
  },
});

const answers = (name: string, fault: Parameters<FaultProxy['strike']>[0], probability = 0.3): SoakFault => ({
  name,
  isOutage: probability === 1,
  async strike({ stage, forMs }) {
    for (const { elasticsearch } of stage.fleet.slots) {
      elasticsearch.strike(fault, {
        forMs,
        probability,
        // What strikes everything is an outage, and to be seen as one by health checks too.
        matches: ({ path }) => probability === 1 || path.startsWith('/_connector'),
      });
    }
    await sleep(forMs);
  },
});

const redis = (signal: 'SIGTERM' | 'SIGKILL'): SoakFault => ({
  name: `Redis ${signal}`,
  isOutage: false,
  async strike({ stage, random }) {
    await stage.redis.end(signal);
    await sleep(below(random, 2_000));
    await stage.redis.start();
  },
});

const worker = (signal: 'SIGTERM' | 'SIGKILL'): SoakFault => ({
  name: `worker ${signal}`,
  isOutage: false,
  async strike(scene) {
    const slot = victim(scene);
    slot.worker?.signal(signal);
    await slot.worker?.exited;
    await slot.start();
  },
});

const cutOff = (kind: WayFault['kind']): SoakFault => ({
  name: `a worker’s Redis ${kind}`,
  isOutage: false,
  strike: (scene) => onWays([victim(scene).redis], kind, scene.forMs),
});

/** Every fault that a soak may choose. */
export const SOAK_FAULTS: readonly SoakFault[] = [
  worker('SIGKILL'),
  worker('SIGTERM'),
  redis('SIGKILL'),
  redis('SIGTERM'),
  cutOff('refuse'),
  cutOff('blackhole'),
  {
    name: 'the producer’s Redis blackhole',
    isOutage: false,
    strike: ({ stage, forMs }) => onWays([stage.producer.proxy], 'blackhole', forMs),
  },
  {
    name: 'Elasticsearch refused',
    isOutage: true,
    strike: ({ stage, forMs }) =>
      onWays(
        stage.fleet.slots.map(({ elasticsearch }) => elasticsearch),
        'refuse',
        forMs,
      ),
  },
  answers('Elasticsearch resets', { kind: 'reset' }, 1),
  standIn('Elasticsearch 503', true, { kind: 'status', status: 503 }),
  standIn('Elasticsearch 401', true, { kind: 'auth-loss' }),
  standIn('a proxy’s 404', true, { kind: 'status', status: 404, body: 'proxy-not-found' }),
  standIn('brown-out', false, { kind: 'status', status: 503, probability: 0.3 }),
  standIn('429', false, { kind: 'rate-limit', perSecond: 50 }),
  standIn('429 with Retry-After', false, { kind: 'status', status: 429, retryAfter: 2, probability: 0.05 }),
  answers('responses lost', { kind: 'drop-response' }),
  answers('responses cut', { kind: 'cut', afterBytes: 60 }),
  answers('responses late', { kind: 'delay', delayMs: 2_000 }),
];
