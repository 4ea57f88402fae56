/**
 * The faults in force, and what they do to a request.
 *
 * A request is first held against every fault in the order they were added. Waits add up; of the other
 * effects the first that strikes wins. A fault that is used up or over is forgotten.
 */
import type { ActiveFault, Fault, FaultEffect } from './fault.ts';
import { type Random, sampleLatency, seededRandom } from './random.ts';

/** What happens to one request. */
export interface Strike {
  readonly delayMs: number;
  /** Undefined where the request is only late. */
  readonly effect: Exclude<FaultEffect, { kind: 'latency' | 'refuse' }> | undefined;
}

interface Standing {
  readonly id: string;
  readonly fault: Fault;
  readonly startsMs: number;
  readonly endsMs: number;
  readonly path: RegExp | undefined;
  struck: number;
  passed: number;
  /** Requests a rate limit lets through at once, refilled as time passes. */
  tokens: number;
  refilledMs: number;
}

/** Cuts the server off and lets it listen again. */
export interface Outage {
  /** Takes effect at once; a longer outage that is under way goes on. */
  readonly begin: (forMs: number) => void;
  readonly end: () => void;
}

const isWrite = (method: string): boolean => method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';

/** Faults, added and removed while the stand-in runs. */
export class Faults {
  readonly #standing = new Map<string, Standing>();
  readonly #random: Random;
  readonly #outage: Outage;
  readonly #refusals = new Map<string, { readonly fault: Fault; timer: NodeJS.Timeout; hasBegun: boolean }>();
  #nextId = 1;

  /**
   * @param seed - Decides every chance.
   * @param outage - How connections are refused.
   */
  constructor(seed: number, outage: Outage) {
    this.#random = seededRandom(seed);
    this.#outage = outage;
  }

  /** Whether any fault is in force, so that a request without any costs nothing. */
  get any(): boolean {
    return this.#standing.size > 0;
  }

  /** Puts a fault in force; returns the id to remove it by. */
  add(fault: Fault): string {
    const id = String(this.#nextId++);
    const now = performance.now();
    const startsMs = now + (fault.afterMs ?? 0);
    if (fault.kind === 'refuse') {
      this.#refuse(id, fault, fault.forMs ?? 0);
      return id;
    }
    this.#standing.set(id, {
      id,
      fault,
      startsMs,
      endsMs: fault.forMs === undefined ? Infinity : startsMs + fault.forMs,
      path: fault.path === undefined ? undefined : pathPattern(fault.path),
      struck: 0,
      passed: 0,
      tokens: fault.kind === 'rate-limit' ? (fault.burst ?? fault.perSecond) : 0,
      refilledMs: now,
    });
    return id;
  }

  /** Removes a fault; false when there is none of that id any more. */
  remove(id: string): boolean {
    const refusal = this.#refusals.get(id);
    if (refusal === undefined) return this.#standing.delete(id);
    clearTimeout(refusal.timer);
    this.#refusals.delete(id);
    if (refusal.hasBegun) this.#outage.end();
    return true;
  }

  /** Removes every fault; a refusal under way ends at once. */
  clear(): void {
    this.#standing.clear();
    for (const id of [...this.#refusals.keys()]) this.remove(id);
  }

  /** The faults in force. */
  list(): ActiveFault[] {
    this.#forget(performance.now());
    return [
      ...[...this.#refusals].map(([id, { fault, hasBegun }]) => ({ id, fault, struck: hasBegun ? 1 : 0 })),
      ...[...this.#standing.values()].map(({ id, fault, struck }) => ({ id, fault, struck })),
    ];
  }

  /** What happens to a request; undefined for nothing. */
  strike(method: string, url: string): Strike | undefined {
    const now = performance.now();
    this.#forget(now);
    let delayMs = 0;
    let effect: Strike['effect'];
    for (const standing of this.#standing.values()) {
      const { fault } = standing;
      if (fault.kind === 'refuse') continue;
      if (fault.kind !== 'latency' && effect !== undefined) continue;
      if (!this.#strikes(standing, method, url, now)) continue;
      if (fault.kind === 'latency') delayMs += sampleLatency(fault.latency, this.#random);
      else effect = fault;
    }
    return delayMs === 0 && effect === undefined ? undefined : { delayMs, effect };
  }

  #strikes(standing: Standing, method: string, url: string, now: number): boolean {
    const { fault, path } = standing;
    if (now < standing.startsMs) return false;
    if (fault.method !== undefined && fault.method.toUpperCase() !== method) return false;
    if (path !== undefined && !path.test(url)) return false;
    if ((fault.kind === 'read-only' || fault.kind === 'version-conflict') && !isWrite(method)) return false;
    if (standing.passed < (fault.skip ?? 0)) {
      standing.passed++;
      return false;
    }
    if (fault.probability !== undefined && this.#random() >= fault.probability) return false;
    if (fault.kind === 'rate-limit' && takeToken(standing, fault.perSecond, fault.burst, now)) return false;
    standing.struck++;
    return true;
  }

  #forget(now: number): void {
    for (const [id, { fault, struck, endsMs }] of this.#standing) {
      if (now >= endsMs || (fault.count !== undefined && struck >= fault.count)) this.#standing.delete(id);
    }
  }

  /** A refusal strikes the listener rather than requests: at once, or when its time has come. */
  #refuse(id: string, fault: Fault, forMs: number): void {
    const begin = (): void => {
      this.#outage.begin(forMs);
      const timer = setTimeout(() => this.#refusals.delete(id), forMs);
      this.#refusals.set(id, { fault, timer, hasBegun: true });
    };
    if (fault.afterMs === undefined) begin();
    else this.#refusals.set(id, { fault, timer: setTimeout(begin, fault.afterMs), hasBegun: false });
  }
}

/** Takes one request's worth from the bucket; false when it is empty. */
function takeToken(standing: Standing, perSecond: number, burst: number | undefined, now: number): boolean {
  const refill = ((now - standing.refilledMs) / 1000) * perSecond;
  standing.tokens = Math.min(burst ?? perSecond, standing.tokens + refill);
  standing.refilledMs = now;
  if (standing.tokens < 1) return false;
  standing.tokens--;
  return true;
}

function pathPattern(text: string): RegExp {
  const escaped = text.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(escaped.join('.*'));
}
