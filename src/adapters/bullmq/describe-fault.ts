import { type Redis, ReplyError } from 'ioredis';
import { OwnedRedis, RedisUnavailable } from './connect-redis.ts';

/** What is known of a connection when something on it fails. */
export interface FaultContext {
  /** Host and port, without user and password. */
  readonly address: string;
  /** Whether it was to be encrypted. */
  readonly isTls: boolean;
  /** How long an answer was waited for. */
  readonly timeoutMs: number | undefined;
  /** Why the connection is not there, where that is known. */
  readonly lastFault?: Error | undefined;
  /** Whether Redis said last that it still reads its data from its disk. */
  readonly isLoading?: boolean;
}

/** The failure as an error for whoever called, with what to make of it. */
export function unavailable(redis: Redis, cause: unknown, consequence = '', accepted = 0): RedisUnavailable {
  return new RedisUnavailable(describeFault(cause, contextOf(redis)) + consequence, { cause, accepted });
}

/** The failure where Redis answers but still reads its data from its disk. */
export function stillLoading(redis: Redis): RedisUnavailable {
  return unavailable(redis, LOADING);
}

const LOADING: Error = new ReplyError('LOADING');

/** Whether Redis itself refused, so that what was asked of it was not done. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ReplyError;
}

/** One sentence without an end: which Redis, what is wrong with it and what helps. Never holds a password. */
export function describeFault(error: unknown, context: FaultContext): string {
  const { address, lastFault, isLoading } = context;
  const cause = rootOf(error);
  if (cause.name === 'NotOnDisk') return `Redis at ${address} ${cause.message}`;
  // Where the connection itself was refused, for want of a password for instance, each command only says that
  // it was given up.
  const reply = isLoading ? LOADING : [cause, lastFault].find(isRefusal);
  if (reply instanceof Error) return `Redis at ${address} cannot be used: ${describeReply(reply.message)}`;
  return `Redis at ${address} does not answer${describeSilence(cause, context)}`;
}

/** A transaction only says that it was dropped; what for, the commands in it have been told. */
function rootOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const earlier = (error as { readonly previousErrors?: readonly Error[] }).previousErrors;
  return earlier?.[0] ?? error;
}

/** What Redis' own refusals mean, by the word that they begin with. */
const REPLIES: Readonly<Record<string, string>> = {
  NOAUTH: 'it asks for a password, and REDIS_URL holds none',
  WRONGPASS: 'it refuses the user or the password in REDIS_URL',
  OOM: 'its memory is full (maxmemory); it takes reports again when there is room, or when maxmemory is raised',
  READONLY: 'it is a read-only replica; REDIS_URL has to name the primary',
  LOADING: 'it is still loading its data; it takes reports again when it is done',
  MASTERDOWN: 'it is a replica that has lost its primary; REDIS_URL has to name the primary',
  MISCONF: 'it takes no writes because it cannot save to its disk; its own log says why',
  BUSY: 'a script keeps it busy',
  MOVED: 'the key is on another node of its cluster; REDIS_URL has to name a Redis that holds all keys',
  CLUSTERDOWN: 'its cluster is down',
};

function describeReply(message: string): string {
  const [code = ''] = message.split(' ', 1);
  if (code === 'NOPERM') return `the user in REDIS_URL may not do what is needed (${message})`;
  if (message.includes('max number of clients')) return 'it has as many clients as it may have (maxclients)';
  return REPLIES[code] ?? message;
}

/** ioredis' words for "nobody answered", which say nothing of why. */
const NOTHING_SAID = /^(Command timed out|Connection is closed|Reached the max retries per request)/;

/** Without a fault beside it, this is a connection that the other side ended in good order. */
const CLOSED = /^(Connection is closed|Reached the max retries per request)/;

function describeSilence(cause: Error, { lastFault, isTls, timeoutMs }: FaultContext): string {
  const fault = NOTHING_SAID.test(cause.message) ? (lastFault ?? cause) : cause;
  const code = 'code' in fault ? String(fault.code) : '';
  const { message } = fault;
  if (message.startsWith('Unknown RESP type')) return ': what answers there is not Redis';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `: its name cannot be resolved (${message})`;
  if (TLS_CODE.test(code)) {
    return `: its certificate or TLS is not accepted (${message}); NODE_EXTRA_CA_CERTS adds authorities`;
  }
  if (code === 'ECONNRESET' || code === 'EPIPE' || CLOSED.test(message)) {
    const hint = isTls ? '' : '; a port that asks for TLS does that, and rediss:// is for it';
    return `: it ends the connection at once (${code === '' ? 'closed' : code})${hint}`;
  }
  if (message === 'connect ETIMEDOUT') {
    const hint = isTls ? '; a port without TLS does that, and redis:// is for it' : '';
    return `: no connection in time (ETIMEDOUT)${hint}`;
  }
  if (NOTHING_SAID.test(message) || message.startsWith('Socket timeout')) {
    return timeoutMs === undefined ? ' in time' : ` within ${timeoutMs} ms`;
  }
  return `: ${message}`;
}

/** Node's and OpenSSL's codes for a handshake that failed and for a certificate that was not accepted. */
const TLS_CODE: RegExp =
  /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH$)/;

/** Host and port of a connection, without user and password. */
export function addressOf(redis: Redis): string {
  const { host = 'localhost', port = 6379 } = redis.options;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function contextOf(redis: Redis): FaultContext {
  const { tls, commandTimeout } = redis.options;
  const isOwned = redis instanceof OwnedRedis;
  return {
    address: addressOf(redis),
    isTls: tls !== undefined,
    timeoutMs: commandTimeout,
    lastFault: isOwned ? redis.lastFault : undefined,
    // Connected and not ready: what was said last is said of now.
    isLoading: isOwned && redis.isLoading && redis.status === 'connect',
  };
}
