const WAYS = `Any one of these gives you one:
  Debian, Ubuntu   sudo apt-get install redis-server
  macOS            brew install redis
  Docker           docker run --rm -p 127.0.0.1:6379:6379 redis:8-alpine redis-server --maxmemory-policy noeviction
                   and REDIS_URL=redis://127.0.0.1:6379`;

/** No Redis could be found or provided; the message says what was tried and how to get one. */
export class RedisMissing extends Error {
  override readonly name = 'RedisMissing';
  /** What stood in the way of each, in the order tried. */
  readonly tried: readonly string[];

  constructor(tried: readonly string[]) {
    super(`There is no Redis to use.\n${tried.map((reason) => `  - ${reason}\n`).join('')}${WAYS}`);
    this.tried = tried;
  }
}
