/** A TCP proxy that does to connections what networks, proxies and crashes do to them. */
import { randomInt } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../seeded.ts';
import {
  type Exchange,
  type ExchangeFault,
  type Fault,
  type FaultScope,
  isWayFault,
  type Watcher,
  type WayFault,
} from './fault.ts';
import { FaultLink, type LinkOwner, type Upstream } from './fault-link.ts';

/** A proxy on a port of its own. */
export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** Every request that came, oldest first. Not kept for Redis, where a worker sends thousands a second. */
  readonly exchanges: readonly Exchange[];
  /** The requests that wait for an answer now. */
  open(): Exchange[];
  /** Puts a fault in force; returns what lifts it. */
  strike(fault: Fault, scope?: FaultScope): () => void;
  /** Shows everything that passes; returns what ends it. */
  watch(watcher: Watcher): () => void;
  /** Most requests about sync jobs that waited for an answer at the same time. */
  readonly peakOpen: number;
  /** Lifts every fault. */
  clear(): void;
}

/** Where a proxy leads, and what decides its chances. */
export interface FaultProxyOptions {
  readonly upstream: Upstream;
  readonly random: Random;
  readonly protocol: 'http' | 'redis';
}

interface Standing {
  readonly fault: ExchangeFault;
  readonly scope: FaultScope;
}

/** Starts a proxy. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new OpenProxy(options);
  await proxy.listen();
  return proxy;
}

const PORTS_TO_TRY = 50;
const REOPEN_MS = 10;

class OpenProxy implements FaultProxy, LinkOwner {
  readonly upstream: Upstream;
  readonly watchers = new Set<Watcher>();
  readonly exchanges: Exchange[] = [];
  readonly #random: Random;
  readonly #keeps: boolean;
  readonly #links = new Set<FaultLink>();
  readonly #standing = new Set<Standing>();
  readonly #ways = new Set<WayFault>();
  readonly #lifters = new Set<() => void>();
  #server: Server | undefined;
  #port = 0;
  #isStopped = false;
  #open = 0;
  #peakOpen = 0;

  constructor({ upstream, random, protocol }: FaultProxyOptions) {
    this.upstream = upstream;
    this.#random = random;
    this.#keeps = protocol === 'http';
  }

  get port(): number {
    return this.#port;
  }

  get peakOpen(): number {
    return this.#peakOpen;
  }

  get isHeld(): boolean {
    return this.#has('blackhole');
  }

  open(): Exchange[] {
    return [...this.#links].flatMap((link) => link.open ?? []);
  }

  watch(watcher: Watcher): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  strike(fault: Fault, scope: FaultScope = {}): () => void {
    const timers: NodeJS.Timeout[] = [];
    let end = (): void => undefined;
    const lift = (): void => {
      for (const timer of timers) clearTimeout(timer);
      this.#lifters.delete(lift);
      end();
    };
    const begin = (): void => {
      end = isWayFault(fault) ? this.#block({ ...fault }) : this.#stand({ fault, scope });
      if (scope.forMs !== undefined) timers.push(setTimeout(lift, scope.forMs));
    };
    this.#lifters.add(lift);
    if (scope.afterMs === undefined) begin();
    else timers.push(setTimeout(begin, scope.afterMs));
    return lift;
  }

  clear(): void {
    for (const lift of [...this.#lifters]) lift();
  }

  begin(firstBytes: Buffer): { exchange: Exchange; fault: ExchangeFault | undefined } {
    const [method = '', path = ''] = this.#keeps ? firstBytes.toString('latin1', 0, 2_048).split(' ', 2) : [];
    const exchange: Exchange = { atMs: Date.now(), method, path, bytesBack: 0 };
    if (this.#keeps) this.#enter(exchange);
    for (const { fault, scope } of this.#standing) {
      if (scope.matches !== undefined && !scope.matches(exchange)) continue;
      if (scope.probability !== undefined && this.#random() >= scope.probability) continue;
      exchange.fault = fault.kind;
      return { exchange, fault };
    }
    return { exchange, fault: undefined };
  }

  end(exchange: Exchange): void {
    if (isOfReport(exchange)) this.#open -= 1;
  }

  /** Ports below the range that outgoing connections take theirs from, so that it is still free when it opens again. */
  async listen(): Promise<void> {
    for (let left = PORTS_TO_TRY; this.#port === 0; left -= 1) {
      const port = randomInt(10_240, 30_000);
      try {
        this.#server = await this.#listenOn(port);
        this.#port = port;
      } catch (error) {
        if (left === 0) throw error;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    this.clear();
    this.#close();
  }

  #enter(exchange: Exchange): void {
    this.exchanges.push(exchange);
    if (!isOfReport(exchange)) return;
    this.#open += 1;
    this.#peakOpen = Math.max(this.#peakOpen, this.#open);
  }

  #stand(standing: Standing): () => void {
    this.#standing.add(standing);
    return () => this.#standing.delete(standing);
  }

  #block(way: WayFault): () => void {
    this.#ways.add(way);
    if (way.kind === 'refuse') this.#close();
    return () => {
      this.#ways.delete(way);
      if (way.kind === 'refuse' && !this.#has('refuse')) this.#reopen();
      if (!this.isHeld) for (const link of this.#links) link.release();
    };
  }

  #has(kind: WayFault['kind']): boolean {
    for (const way of this.#ways) if (way.kind === kind) return true;
    return false;
  }

  #close(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const link of [...this.#links]) link.reset();
  }

  #reopen(): void {
    if (this.#isStopped || this.#has('refuse') || this.#server !== undefined) return;
    this.#listenOn(this.#port).then(
      (server) => {
        if (this.#isStopped || this.#has('refuse')) server.close();
        else this.#server = server;
      },
      () => setTimeout(() => this.#reopen(), REOPEN_MS),
    );
  }

  #listenOn(port: number): Promise<Server> {
    return new Promise((resolve, reject) => {
      const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve(server));
    });
  }

  #accept(socket: Socket): void {
    const link: FaultLink = new FaultLink(socket, this, () => this.#links.delete(link));
    this.#links.add(link);
  }
}

/** A health check is no report's request. */
const isOfReport = ({ path }: Exchange): boolean => path.startsWith('/_connector');
