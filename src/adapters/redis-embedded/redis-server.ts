/** A Redis that somebody can use until `stop()`, however it was come by. */
export interface RedisServer extends AsyncDisposable {
  /** Where it is, such as `redis://127.0.0.1:41234`; may hold a password. */
  readonly url: string;
  /** What it is, for people and free of secrets: `redis-server 7.0.15 on port 41234`. */
  readonly description: string;
  /** `given` by its URL, a `server` found on PATH, one that was `installed` first, or a `container`. */
  readonly origin: 'given' | 'server' | 'installed' | 'container';
  /** Ends what was started for it and removes what it left; a given server is left alone. May be called twice. */
  stop(): Promise<void>;
  /** Process id of a server that was started here; absent for a given one and for a container. */
  readonly pid?: number;
}

/** What Redis does when it is full; a queue needs `noeviction`. */
export type MaxMemoryPolicy =
  | 'noeviction'
  | 'allkeys-lru'
  | 'allkeys-lfu'
  | 'allkeys-random'
  | 'volatile-lru'
  | 'volatile-lfu'
  | 'volatile-random'
  | 'volatile-ttl';

/** The settings that a queue stands on, as arguments of redis-server and of valkey-server. */
export function settingsOf(appendOnly: boolean, maxMemoryPolicy: MaxMemoryPolicy = 'noeviction'): string[] {
  const appending = appendOnly
    ? ['--appendonly', 'yes', '--appendfsync', 'everysec']
    : ['--appendonly', 'no'];
  return ['--save', '', ...appending, '--maxmemory-policy', maxMemoryPolicy];
}
