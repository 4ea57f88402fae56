import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Durability } from './adapters/bullmq/durability.ts';
import type { QueueNames } from './adapters/bullmq/names.ts';
import type { WorkerOptions } from './adapters/bullmq/report-worker.ts';
import type { ElasticsearchOptions } from './adapters/elasticsearch/connector-api.ts';
import type { LogLevel } from './adapters/observe/log-level.ts';
import {
  CONFIG_OPTIONS,
  type ConfigOption,
  type ConfigValues,
  type ConfigVariable,
} from './config-options.ts';
import type { ReportLimits } from './domain/error-report.ts';
import type { RetryPolicy } from './domain/outcome.ts';
import type { DoorOptions } from './http/ports.ts';
import type { Retention } from './pipeline/expire-dead-letters.ts';
import type { GatePolicy } from './pipeline/gate.ts';

/** Everything an operator may set, read once and checked. */
export interface Config {
  readonly redis: {
    readonly url: string;
    /** How long a producer waits for Redis before it gives up, in milliseconds. */
    readonly enqueueTimeoutMs: number;
    /** When a report counts as accepted. */
    readonly durability: Durability;
    /** Whether a report that is accepted goes before those that wait, and not behind them. */
    readonly freshFirst: boolean;
  };
  readonly names: QueueNames;
  readonly elasticsearch: ElasticsearchOptions;
  readonly reports: ReportLimits;
  readonly retry: RetryPolicy;
  readonly worker: WorkerOptions;
  /** How load is kept from Elasticsearch, and found out. */
  readonly gate: GatePolicy;
  /** How often workers may die on a report before it is given up as poison. */
  readonly maxCrashes: number;
  /** How long Redis may leave a worker without an answer before it connects anew, in milliseconds. */
  readonly silenceMs: number;
  /** How long a worker may take nothing while reports wait, before it counts as stuck, in milliseconds. */
  readonly stuckAfterMs: number;
  /** How often failed and unreadable jobs are looked for, in milliseconds. */
  readonly sweepIntervalMs: number;
  /** How long and how many dead letters are kept; for ever and all of them where nothing is said. */
  readonly retention: Retention;
  /** How long a stopping worker waits for the attempts under way, in milliseconds. */
  readonly shutdownGraceMs: number;
  /** Where the health endpoints listen; absent: nowhere. */
  readonly http?: HttpOptions;
  readonly logLevel: LogLevel;
}

/** Where and how HTTP is served. */
export type HttpOptions = Omit<DoorOptions, 'reports' | 'version'>;

/** One thing wrong with one variable. Never carries a secret's value. */
export interface ConfigProblem {
  readonly variable: string;
  readonly expected: string;
  readonly got: string;
}

/** All that is wrong with the configuration, at once. */
export class ConfigInvalid extends Error {
  override readonly name = 'ConfigInvalid';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(
      problems
        .map(({ variable, expected, got }) => `${variable}: expected ${expected}, got ${got}`)
        .join('\n'),
    );
    this.problems = problems;
  }
}

/** The environment, or anything of its form. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Names that users of Elastic's start-local have in their `.env` already. */
const ALIASES: Readonly<Partial<Record<ConfigVariable, string>>> = {
  ELASTICSEARCH_URL: 'ES_LOCAL_URL',
  ELASTICSEARCH_API_KEY: 'ES_LOCAL_API_KEY',
  ELASTICSEARCH_PASSWORD: 'ES_LOCAL_PASSWORD',
};

/**
 * Reads the configuration from the environment, and the files that it names.
 *
 * An empty variable counts as not set, as compose files write it.
 *
 * @throws {ConfigInvalid} with every problem at once
 */
export function readConfig(env: Environment): Config {
  const problems: ConfigProblem[] = [];
  const values = readValues(env, problems);
  const auth = readAuth(values, problems);
  const ca = readCa(values.ELASTICSEARCH_CA_FILE, problems);
  const tls = readTls(values, problems);
  checkTogether(values, env, problems);
  if (problems.length > 0) throw new ConfigInvalid(problems);
  return assemble(values, auth, ca, tls);
}

function readValues(env: Environment, problems: ConfigProblem[]): Partial<ConfigValues> {
  const entries = Object.entries(CONFIG_OPTIONS).flatMap(([name, option]: [string, ConfigOption]) => {
    const { variable, raw } = lookUp(env, name as ConfigVariable, option, problems);
    if (raw === undefined) return [];
    const parsed = option.parse.safeParse(raw);
    if (parsed.success) return [[name, parsed.data] as const];
    problems.push({
      variable,
      expected: parsed.error.issues[0]?.message ?? 'another value',
      got: option.secret === true ? 'something else (not shown)' : JSON.stringify(withoutUserInfo(raw)),
    });
    return [];
  });
  return Object.fromEntries(entries) as Partial<ConfigValues>;
}

interface Found {
  /** The variable that said it, for messages. */
  readonly variable: string;
  readonly raw: string | undefined;
}

function lookUp(
  env: Environment,
  name: ConfigVariable,
  option: ConfigOption,
  problems: ConfigProblem[],
): Found {
  const own = env[name];
  if (isSet(own)) return { variable: name, raw: own };
  const fileVariable = `${name}_FILE`;
  const path = env[fileVariable];
  if (option.secret === true && isSet(path)) {
    return { variable: fileVariable, raw: readText(fileVariable, path, problems)?.trim() };
  }
  const alias = ALIASES[name];
  const aliased = alias === undefined ? undefined : env[alias];
  if (alias !== undefined && isSet(aliased)) return { variable: alias, raw: withPort(aliased, env) };
  return { variable: name, raw: option.fallback };
}

/** start-local writes its URL with `${ES_LOCAL_PORT}` in it, which a shell fills in and Node does not. */
function withPort(text: string, env: Environment): string {
  return text.replaceAll(/\$\{ES_LOCAL_PORT\}/g, env['ES_LOCAL_PORT'] ?? '');
}

/**
 * A URL may carry a password before its last `@`. That one may hold `/`, `@` or white space, which is often
 * why the URL is wrong, or its scheme may be missing.
 */
function withoutUserInfo(raw: string): string {
  return raw.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@');
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

function readText(variable: string, path: string, problems: ConfigProblem[]): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error';
    problems.push({
      variable,
      expected: 'a file that can be read',
      got: `${code} for ${JSON.stringify(path)}`,
    });
    return undefined;
  }
}

function readCa(path: string | undefined, problems: ConfigProblem[]): string | undefined {
  return path === undefined ? undefined : readText('ELASTICSEARCH_CA_FILE', path, problems);
}

function readTls(
  { HTTP_TLS_CERT_FILE: certFile, HTTP_TLS_KEY_FILE: keyFile }: Partial<ConfigValues>,
  problems: ConfigProblem[],
): HttpOptions['tls'] | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    const [variable, given] =
      certFile === undefined
        ? ['HTTP_TLS_CERT_FILE', 'HTTP_TLS_KEY_FILE']
        : ['HTTP_TLS_KEY_FILE', 'HTTP_TLS_CERT_FILE'];
    problems.push({ variable, expected: `a file that belongs to ${given}`, got: 'nothing' });
    return undefined;
  }
  const cert = readText('HTTP_TLS_CERT_FILE', certFile, problems);
  const key = readText('HTTP_TLS_KEY_FILE', keyFile, problems);
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

function readAuth(values: Partial<ConfigValues>, problems: ConfigProblem[]): ElasticsearchOptions['auth'] {
  const { ELASTICSEARCH_API_KEY: apiKey, ELASTICSEARCH_BEARER_TOKEN: token } = values;
  const { ELASTICSEARCH_PASSWORD: password } = values;
  // Elastic's own user is the only one whose name start-local leaves out.
  const username = values.ELASTICSEARCH_USERNAME ?? (password === undefined ? undefined : 'elastic');
  if (apiKey !== undefined && token !== undefined) {
    problems.push({
      variable: 'ELASTICSEARCH_API_KEY',
      expected: 'one way to authenticate',
      got: 'ELASTICSEARCH_BEARER_TOKEN as well',
    });
  }
  if (apiKey !== undefined) return { kind: 'api-key', apiKey };
  if (token !== undefined) return { kind: 'bearer', token };
  if (username === undefined) return undefined;
  if (password !== undefined) return { kind: 'basic', username, password };
  problems.push({
    variable: 'ELASTICSEARCH_PASSWORD',
    expected: 'the password of ELASTICSEARCH_USERNAME',
    got: 'nothing',
  });
  return undefined;
}

/** Rules that more than one variable has a part in. */
function checkTogether(values: Partial<ConfigValues>, env: Environment, problems: ConfigProblem[]): void {
  const isUrlGiven = isSet(env['ELASTICSEARCH_URL']) || isSet(env['ES_LOCAL_URL']);
  if (values.ELASTICSEARCH_CLOUD_ID !== undefined && isUrlGiven) {
    problems.push({
      variable: 'ELASTICSEARCH_CLOUD_ID',
      expected: 'either a Cloud ID or ELASTICSEARCH_URL',
      got: 'both',
    });
  }
  const pairs = [
    ['BACKOFF_BASE_MS', 'BACKOFF_CAP_MS'],
    ['OUTAGE_DELAY_MS', 'OUTAGE_DELAY_CAP_MS'],
  ] as const;
  for (const [base, cap] of pairs) {
    const [least, most] = [values[base], values[cap]];
    if (least !== undefined && most !== undefined && least > most) {
      problems.push({ variable: cap, expected: `at least ${base}, which is ${least}`, got: String(most) });
    }
  }
}

function assemble(
  values: Partial<ConfigValues>,
  auth: ElasticsearchOptions['auth'],
  ca: string | undefined,
  tls: HttpOptions['tls'] | undefined,
): Config {
  // Every option with a default has a value by now; the others are looked at one by one.
  const set = values as ConfigValues;
  return {
    redis: {
      url: set.REDIS_URL,
      enqueueTimeoutMs: set.ENQUEUE_TIMEOUT_MS,
      durability: set.DURABILITY,
      freshFirst: set.ORDER === 'fresh-first',
    },
    names: { prefix: set.KEY_PREFIX, queue: set.QUEUE_NAME },
    elasticsearch: {
      nodes: values.ELASTICSEARCH_CLOUD_ID === undefined ? set.ELASTICSEARCH_URL : [],
      cloudId: values.ELASTICSEARCH_CLOUD_ID,
      auth,
      ca,
      caFingerprint: values.ELASTICSEARCH_CA_FINGERPRINT,
      requestTimeoutMs: set.ELASTICSEARCH_TIMEOUT_MS,
      maxResponseBytes: set.ELASTICSEARCH_MAX_RESPONSE_BYTES,
    },
    reports: { maxErrorBytes: set.MAX_ERROR_BYTES },
    retry: {
      maxAttempts: set.MAX_ATTEMPTS,
      maxAgeMs: set.MAX_AGE_MS,
      backoff: { baseMs: set.BACKOFF_BASE_MS, capMs: set.BACKOFF_CAP_MS },
      outage: { baseMs: set.OUTAGE_DELAY_MS, capMs: set.OUTAGE_DELAY_CAP_MS },
      notRunningMaxMs: set.NOT_RUNNING_MAX_MS,
      notRunningDelayMs: set.NOT_RUNNING_DELAY_MS,
    },
    worker: {
      name: values.WORKER_NAME ?? `${hostname()}-${process.pid}`,
      concurrency: set.CONCURRENCY,
      lockDurationMs: set.LOCK_DURATION_MS,
      stalledIntervalMs: set.STALLED_INTERVAL_MS,
    },
    gate: {
      concurrency: { base: set.CONCURRENCY, max: Math.max(set.CONCURRENCY, set.MAX_CONCURRENCY) },
      failuresToOpen: set.CIRCUIT_FAILURES,
      probeIntervalMs: set.PROBE_INTERVAL_MS,
      probers: Math.min(Math.ceil(set.ELASTICSEARCH_TIMEOUT_MS / set.PROBE_INTERVAL_MS) + 1, set.CONCURRENCY),
      // Often enough to take the turn to probe soon after it has become free.
      lookIntervalMs: Math.min(Math.ceil(set.PROBE_INTERVAL_MS / 8), 500),
    },
    maxCrashes: set.MAX_CRASHES,
    silenceMs: set.REDIS_SILENCE_MS,
    stuckAfterMs: set.STUCK_AFTER_MS,
    sweepIntervalMs: set.SWEEP_INTERVAL_MS,
    retention: { maxAgeMs: values.DEAD_LETTER_MAX_AGE_MS, maxCount: values.DEAD_LETTER_MAX_COUNT },
    shutdownGraceMs: set.SHUTDOWN_GRACE_MS,
    ...(values.HTTP_PORT === undefined ? {} : { http: httpOptions(set, tls) }),
    logLevel: set.LOG_LEVEL,
  };
}

function httpOptions(set: ConfigValues, tls: HttpOptions['tls'] | undefined): HttpOptions {
  return {
    host: set.HTTP_HOST,
    port: set.HTTP_PORT,
    apiKeys: set.API_KEYS ?? [],
    corsOrigins: set.HTTP_CORS_ORIGINS ?? [],
    ...(tls === undefined ? {} : { tls }),
    limits: {
      maxBodyBytes: set.HTTP_MAX_BODY_BYTES,
      maxItems: set.HTTP_MAX_ITEMS,
      requestsPerSecond: set.HTTP_REQUESTS_PER_SECOND,
      maxBacklog: set.MAX_BACKLOG,
      bodyTimeoutMs: set.HTTP_BODY_TIMEOUT_MS,
    },
  };
}
