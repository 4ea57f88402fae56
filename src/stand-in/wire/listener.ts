/**
 * The listening socket and its outages.
 *
 * listening → (outage begins) closed, every connection cut → (outage ends) listening on the same port
 * → (close) closed for good.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

const retryMs = 20;

/** Listens, refuses for a while, and closes. */
export class Listener {
  readonly #server: Server;
  #port = 0;
  #host = '';
  #isClosed = false;
  #outageEndsMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param server - Whose connections these are. */
  constructor(server: Server) {
    this.#server = server;
  }

  /** Starts to listen; resolves with the port. */
  async open(port: number, host: string): Promise<number> {
    this.#host = host;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
    return this.#port;
  }

  /** Serves a connection that came by another way than the port; an outage cuts it, too. */
  accept(connection: Duplex): void {
    if (this.#server.listening) this.#server.emit('connection', connection);
    else connection.destroy();
  }

  /** Refuses every connection for so long; a longer outage that is under way goes on. */
  beginOutage(forMs: number): void {
    const endsMs = performance.now() + forMs;
    if (this.#isClosed || endsMs <= this.#outageEndsMs) return;
    this.#outageEndsMs = endsMs;
    if (this.#server.listening) {
      this.#server.close();
      this.#server.closeAllConnections();
    }
    this.#schedule(forMs);
  }

  /** Listens again at once. */
  endOutage(): void {
    if (this.#outageEndsMs === 0) return;
    this.#schedule(0);
  }

  /** Stops for good and cuts every connection. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #schedule(afterMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#reopen(), afterMs);
  }

  /** The port may still be held by a connection that is being torn down, so it is tried until it is free. */
  #reopen(): void {
    if (this.#isClosed) return;
    const retry = (): void => this.#schedule(retryMs);
    this.#server.once('error', retry);
    try {
      this.#server.listen(this.#port, this.#host, () => {
        this.#server.off('error', retry);
        this.#outageEndsMs = 0;
      });
    } catch {
      this.#server.off('error', retry);
      retry();
    }
  }
}
