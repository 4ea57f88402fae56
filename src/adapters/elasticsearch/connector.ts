import type { X509Certificate } from 'node:crypto';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';

/** How connections to one node are made. */
export interface ConnectorOptions {
  /** For connecting, the TLS handshake included, in milliseconds. */
  readonly timeoutMs: number;
  /** Certificate authorities to trust instead of the system's, as PEM text. */
  readonly ca?: string | undefined;
  /** SHA-256 that some certificate of the server's chain must have, hexadecimal, with or without colons. */
  readonly caFingerprint?: string | undefined;
}

/** What undici says about the connection it asks for. */
export interface ConnectTarget {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: string | undefined;
}

type Connected = (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void;

/**
 * Makes undici's connections, and knows those that are still being made, so that none outlives its owner.
 *
 * With a fingerprint the server's certificate has to be the pinned one, or be signed by it through the chain
 * that the server sends. Each signature of that chain is checked; the client's own pinning only follows the
 * names in it, so that a forged certificate sent together with the authority's public one passes. As with
 * Elastic's clients a fingerprint stands for itself: names and dates are checked only where `ca` is given too.
 */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #pinned: string | undefined;
  readonly #connecting = new Set<Socket>();

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#pinned = options.caFingerprint === undefined ? undefined : plain(options.caFingerprint);
  }

  /** undici's connector: calls `done` once, with an open socket or with the reason why there is none. */
  readonly connect = (target: ConnectTarget, done: Connected): void => {
    const socket = this.#open(target);
    this.#connecting.add(socket);

    const settle = (error: Error | null): void => {
      clearTimeout(deadline);
      socket.off('error', settle).off('close', onClose);
      this.#connecting.delete(socket);
      if (error === null) {
        done(null, socket);
        return;
      }
      // A socket may go on to report what it was destroyed for.
      socket.on('error', () => {}).destroy();
      done(error, null);
    };
    const onClose = (): void => settle(new ConnectError('ECONNABORTED', 'closed while connecting'));
    const deadline = setTimeout(
      () => settle(new ConnectError('ETIMEDOUT', `no connection within ${this.#options.timeoutMs} ms`)),
      this.#options.timeoutMs,
    );
    socket.once('error', settle).once('close', onClose);
    socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => settle(this.#fault(socket)));
  };

  /** Ends every connection that is still being made. */
  abort(): void {
    for (const socket of this.#connecting) socket.destroy();
  }

  #open({ protocol, hostname, port }: ConnectTarget): Socket {
    if (protocol !== 'https:') return prepared(connectTcp({ host: hostname, port: Number(port || 80) }));
    const { ca } = this.#options;
    return prepared(
      // No session is resumed: a resumed one carries no chain whose signatures could be checked.
      connectTls({
        host: hostname,
        port: Number(port || 443),
        ALPNProtocols: ['http/1.1'],
        rejectUnauthorized: this.#pinned === undefined || ca !== undefined,
        // An address is no server name.
        ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
        ...(ca === undefined ? {} : { ca }),
      }),
    );
  }

  #fault(socket: Socket): Error | null {
    if (this.#pinned === undefined) return null;
    const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
    if (leadsTo(certificate, this.#pinned)) return null;
    return new ConnectError(
      'ERR_TLS_FINGERPRINT',
      'no certificate with the configured fingerprint vouches for it',
    );
  }
}

function prepared(socket: Socket): Socket {
  return socket.setNoDelay(true).setKeepAlive(true, 60_000);
}

/** Follows a chain from a server's certificate towards its root, as far as each is truly signed by the next. */
function leadsTo(leaf: X509Certificate | undefined, pinned: string): boolean {
  for (let certificate = leaf; certificate !== undefined; ) {
    if (plain(certificate.fingerprint256) === pinned) return true;
    const issuer: X509Certificate | undefined = certificate.issuerCertificate;
    if (issuer === undefined || issuer.fingerprint256 === certificate.fingerprint256) return false;
    if (!issuer.ca || !certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) return false;
    certificate = issuer;
  }
  return false;
}

const plain = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase();

class ConnectError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
