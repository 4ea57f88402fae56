/**
 * One connection through a fault proxy:
 *
 * 1. What comes from the client while no answer is awaited begins an exchange, and the proxy decides which
 *    fault strikes it.
 * 2. Watchers see every piece before it is passed on.
 * 3. Each direction is a lane, which keeps the order and may be late or held.
 * 4. The end of one side is passed on to the other after everything before it; a reset of the server's at once.
 */
import { connect, type Socket } from 'node:net';
import type { Exchange, ExchangeFault, Watcher } from './fault.ts';

/**
 * Where a proxy leads. A Unix socket takes a third of the CPU that a port of this machine takes, and the battery
 * shares its cores with the workers that it measures.
 */
export type Upstream = { readonly host: string; readonly port: number } | { readonly path: string };

/** What a link asks of its proxy. */
export interface LinkOwner {
  readonly upstream: Upstream;
  readonly watchers: ReadonlySet<Watcher>;
  readonly isHeld: boolean;
  /** Notes an exchange, and says what strikes it. */
  begin(firstBytes: Buffer): { readonly exchange: Exchange; readonly fault: ExchangeFault | undefined };
  /** Notes that an exchange waits for its answer no more. */
  end(exchange: Exchange): void;
}

/** Characters of the piece before that a watcher sees again. */
const TAIL_CHARACTERS = 512;

/** A pair of sockets with a proxy's faults between them. */
export class FaultLink {
  readonly #owner: LinkOwner;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #toServer: Lane;
  readonly #toClient: Lane;
  #exchange: Exchange | undefined;
  #fault: ExchangeFault | undefined;
  #isAwaiting = false;
  readonly #tails = { client: '', server: '' };

  constructor(client: Socket, owner: LinkOwner, onClose: () => void) {
    this.#owner = owner;
    this.#client = client;
    this.#server = connect({ noDelay: true, ...owner.upstream });
    this.#toServer = new Lane(client, this.#server, owner);
    this.#toClient = new Lane(this.#server, client, owner);
    client.on('data', (chunk) => this.#fromClient(chunk));
    this.#server.on('data', (chunk) => this.#fromServer(chunk));
    client.on('end', () => {
      // A client that closes its side awaits no answer any more; the server hears of it in its turn.
      this.#settle();
      this.#toServer.end();
    });
    this.#server.on('end', () => this.#toClient.end());
    // The client is often killed on purpose; what it had sent must still arrive.
    client.on('error', () => this.#toServer.end());
    this.#server.on('error', () => this.reset());
    client.on('close', () => {
      this.#toServer.end();
      this.#settle();
      onClose();
    });
  }

  /** The exchange that waits for its answer. */
  get open(): Exchange | undefined {
    return this.#exchange?.endedAtMs === undefined ? this.#exchange : undefined;
  }

  /** Cuts both ends at once. */
  reset(): void {
    this.#settle();
    // Node never finishes the reset of a socket whose end is under way, and the process would not exit.
    if (this.#client.writableEnded) this.#client.destroy();
    else this.#client.resetAndDestroy();
    this.#server.destroy();
    this.#toClient.drop();
    this.#toServer.drop();
  }

  /** Goes on with what was held. */
  release(): void {
    this.#toServer.pump();
    this.#toClient.pump();
  }

  #fromClient(chunk: Buffer): void {
    if (!this.#isAwaiting) {
      const { exchange, fault } = this.#owner.begin(chunk);
      this.#exchange = exchange;
      this.#fault = fault;
      this.#isAwaiting = true;
      if (fault?.kind === 'answer') {
        exchange.status = statusOf(fault.bytes) ?? 0;
        exchange.bytesBack += fault.bytes.length;
        this.#settle();
        this.#toClient.push(Buffer.from(fault.bytes), 0);
        this.#toClient.end();
        // What follows of the request is swallowed.
        this.#isAwaiting = true;
      }
    }
    if (!this.#passes('client', chunk)) return;
    switch (this.#fault?.kind) {
      case 'reset':
        this.reset();
        return;
      case 'swallow':
      case 'answer':
        return;
      default:
        this.#toServer.push(chunk, 0);
    }
  }

  #fromServer(chunk: Buffer): void {
    if (!this.#passes('server', chunk)) return;
    const exchange = this.#exchange;
    const fault = this.#fault;
    if (fault?.kind === 'drop-response') {
      this.reset();
      return;
    }
    if (exchange !== undefined && exchange.bytesBack === 0) {
      const status = statusOf(chunk.toString('latin1', 0, 16));
      if (status !== undefined) exchange.status = status;
    }
    this.#settle();
    switch (fault?.kind) {
      case 'cut': {
        const room = fault.afterBytes - (exchange?.bytesBack ?? 0);
        this.#pass(chunk.subarray(0, Math.max(0, room)), 0);
        if (chunk.length >= room) this.#cut();
        return;
      }
      case 'delay':
        this.#pass(chunk, fault.delayMs);
        return;
      case 'dribble':
        for (let from = 0, late = 0; from < chunk.length; from += fault.pieceBytes, late += fault.everyMs) {
          this.#pass(chunk.subarray(from, from + fault.pieceBytes), late);
        }
        return;
      default:
        this.#pass(chunk, 0);
    }
  }

  #pass(chunk: Buffer, lateMs: number): void {
    if (this.#exchange !== undefined) this.#exchange.bytesBack += chunk.length;
    this.#toClient.push(chunk, lateMs);
  }

  #cut(): void {
    this.#toClient.end();
    this.#server.destroy();
  }

  #settle(): void {
    this.#isAwaiting = false;
    const exchange = this.open;
    if (exchange === undefined) return;
    exchange.endedAtMs = Date.now();
    this.#owner.end(exchange);
  }

  #passes(from: 'client' | 'server', chunk: Buffer): boolean {
    if (this.#owner.watchers.size === 0) {
      this.#tails[from] = '';
      return true;
    }
    const text = this.#tails[from] + chunk.toString('latin1');
    this.#tails[from] = text.slice(-TAIL_CHARACTERS);
    for (const watcher of this.#owner.watchers) {
      if (watcher({ from, text, exchange: this.#exchange }) === 'stop') {
        this.reset();
        return false;
      }
    }
    return true;
  }
}

/** One direction: in order, each piece at its time, and nothing while the way is held. */
class Lane {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #owner: LinkOwner;
  #waiting: { readonly dueMs: number; readonly chunk: Buffer | undefined }[] = [];
  #lastDueMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(source: Socket, target: Socket, owner: LinkOwner) {
    this.#source = source;
    this.#target = target;
    this.#owner = owner;
    target.on('drain', () => source.resume());
  }

  push(chunk: Buffer, lateMs: number): void {
    if (chunk.length > 0) this.#enter(chunk, lateMs);
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#enter(undefined, 0);
  }

  drop(): void {
    this.#waiting = [];
    clearTimeout(this.#timer);
  }

  pump(): void {
    clearTimeout(this.#timer);
    while (!this.#owner.isHeld) {
      const next = this.#waiting[0];
      if (next === undefined) return;
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), waitMs);
        return;
      }
      this.#waiting.shift();
      this.#write(next.chunk);
    }
  }

  #enter(chunk: Buffer | undefined, lateMs: number): void {
    this.#lastDueMs = Math.max(this.#lastDueMs, performance.now() + lateMs);
    const isFirst = this.#waiting.length === 0;
    this.#waiting.push({ dueMs: lateMs === 0 && isFirst ? 0 : this.#lastDueMs, chunk });
    if (isFirst) this.pump();
  }

  #write(chunk: Buffer | undefined): void {
    if (this.#target.destroyed) return;
    if (chunk === undefined) this.#target.end();
    else if (!this.#target.write(chunk)) this.#source.pause();
  }
}

function statusOf(text: string): number | undefined {
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
  return status === undefined ? undefined : Number(status);
}
