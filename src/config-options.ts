import { z } from 'zod';
import type { Durability } from './adapters/bullmq/durability.ts';
import { LOG_LEVELS, type LogLevel } from './adapters/observe/log-level.ts';
import { API_KEYS_FORM, type ApiKey, parseApiKeys } from './http/api-keys.ts';

/** One variable: what it takes, and what it is where it is not set. */
export interface ConfigOption<Value = unknown> {
  readonly parse: z.ZodType<Value, string>;
  /** The default, as it would be written in the environment; absent: not set. */
  readonly fallback?: string;
  /** What the number counts. */
  readonly unit?: 'ms' | 'bytes';
  /** May be given as `<NAME>_FILE`, a path to a file that holds it; never printed. */
  readonly secret?: true;
}

const whole = (from: number, to: number, unit: string): z.ZodType<number, string> => {
  const expected = `a whole number${unit === '' ? '' : ` of ${unit}`} from ${from} to ${to}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, expected)
    .transform(Number)
    .refine((value) => value >= from && value <= to, expected);
};

const DAY_MS = 86_400_000;
const ms = (from: number, to: number): z.ZodType<number, string> => whole(from, to, 'milliseconds');
const text = (expected: string): z.ZodType<string, string> => z.string().min(1, expected);
const url = (protocols: readonly string[]): z.ZodType<string, string> =>
  z
    .string()
    .refine(
      (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
      `a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    );
const urls = (protocols: readonly string[]): z.ZodType<readonly string[], string> =>
  z
    .string()
    .transform((value) => value.split(',').map((part) => part.trim()))
    .pipe(z.array(url(protocols)));

const ORIGINS_FORM =
  'origins as browsers write them, https://console.example.org for instance, separated by commas';
const origins: z.ZodType<readonly string[], string> = z
  .string()
  .transform((value) => value.split(',').map((part) => part.trim()))
  .pipe(
    z.array(
      z.string().refine((value) => {
        const isHttp = /^https?:\/\//.test(value) && URL.canParse(value);
        // A path, a capital letter, a default port: no browser sends it, and it would never be met.
        return isHttp && new URL(value).origin === value;
      }, ORIGINS_FORM),
    ),
  );

/** What each variable comes to. */
export interface ConfigValues {
  readonly REDIS_URL: string;
  readonly KEY_PREFIX: string;
  readonly QUEUE_NAME: string;
  readonly ENQUEUE_TIMEOUT_MS: number;
  readonly DURABILITY: Durability;
  readonly ORDER: 'oldest-first' | 'fresh-first';
  readonly ELASTICSEARCH_URL: readonly string[];
  readonly ELASTICSEARCH_CLOUD_ID: string;
  readonly ELASTICSEARCH_API_KEY: string;
  readonly ELASTICSEARCH_USERNAME: string;
  readonly ELASTICSEARCH_PASSWORD: string;
  readonly ELASTICSEARCH_BEARER_TOKEN: string;
  readonly ELASTICSEARCH_CA_FILE: string;
  readonly ELASTICSEARCH_CA_FINGERPRINT: string;
  readonly ELASTICSEARCH_TIMEOUT_MS: number;
  readonly ELASTICSEARCH_MAX_RESPONSE_BYTES: number;
  readonly MAX_ERROR_BYTES: number;
  readonly CONCURRENCY: number;
  readonly MAX_CONCURRENCY: number;
  readonly CIRCUIT_FAILURES: number;
  readonly PROBE_INTERVAL_MS: number;
  readonly REDIS_SILENCE_MS: number;
  readonly STUCK_AFTER_MS: number;
  readonly MAX_ATTEMPTS: number;
  readonly MAX_AGE_MS: number;
  readonly BACKOFF_BASE_MS: number;
  readonly BACKOFF_CAP_MS: number;
  readonly OUTAGE_DELAY_MS: number;
  readonly OUTAGE_DELAY_CAP_MS: number;
  readonly NOT_RUNNING_MAX_MS: number;
  readonly NOT_RUNNING_DELAY_MS: number;
  readonly WORKER_NAME: string;
  readonly LOCK_DURATION_MS: number;
  readonly STALLED_INTERVAL_MS: number;
  readonly MAX_CRASHES: number;
  readonly SWEEP_INTERVAL_MS: number;
  readonly DEAD_LETTER_MAX_AGE_MS: number;
  readonly DEAD_LETTER_MAX_COUNT: number;
  readonly SHUTDOWN_GRACE_MS: number;
  readonly HTTP_HOST: string;
  readonly HTTP_PORT: number;
  readonly HTTP_TLS_CERT_FILE: string;
  readonly HTTP_TLS_KEY_FILE: string;
  readonly HTTP_MAX_BODY_BYTES: number;
  readonly HTTP_MAX_ITEMS: number;
  readonly HTTP_BODY_TIMEOUT_MS: number;
  readonly HTTP_REQUESTS_PER_SECOND: number;
  readonly HTTP_CORS_ORIGINS: readonly string[];
  readonly API_KEYS: readonly ApiKey[];
  readonly MAX_BACKLOG: number;
  readonly LOG_LEVEL: LogLevel;
}

export type ConfigVariable = keyof ConfigValues;

/** Every option, once. docs/configuration.md says what each is for. */
export const CONFIG_OPTIONS: { readonly [V in ConfigVariable]: ConfigOption<ConfigValues[V]> } = {
  REDIS_URL: { parse: url(['redis:', 'rediss:']), fallback: 'redis://127.0.0.1:6379', secret: true },
  KEY_PREFIX: {
    parse: z.string().regex(/^\{[\w.-]+\}$/, 'a hash tag: letters, digits, ".", "_" or "-" in braces'),
    fallback: '{sync-error-relay}',
  },
  QUEUE_NAME: {
    parse: z.string().regex(/^[\w.-]+$/, 'letters, digits, ".", "_" or "-"'),
    fallback: 'reports',
  },
  ENQUEUE_TIMEOUT_MS: { parse: ms(50, 60_000), fallback: '1000', unit: 'ms' },
  DURABILITY: { parse: z.enum(['memory', 'fsync'], 'memory or fsync'), fallback: 'memory' },
  ORDER: {
    parse: z.enum(['oldest-first', 'fresh-first'], 'oldest-first or fresh-first'),
    fallback: 'oldest-first',
  },
  ELASTICSEARCH_URL: { parse: urls(['http:', 'https:']), fallback: 'http://127.0.0.1:9200' },
  ELASTICSEARCH_CLOUD_ID: { parse: text('a Cloud ID') },
  ELASTICSEARCH_API_KEY: { parse: text('an encoded API key'), secret: true },
  ELASTICSEARCH_USERNAME: { parse: text('a user name') },
  ELASTICSEARCH_PASSWORD: { parse: text('a password'), secret: true },
  ELASTICSEARCH_BEARER_TOKEN: { parse: text('a token'), secret: true },
  ELASTICSEARCH_CA_FILE: { parse: text('a path to a PEM file') },
  ELASTICSEARCH_CA_FINGERPRINT: {
    parse: z
      .string()
      .regex(/^([0-9a-fA-F]{2}:?){32}$/, 'a SHA-256 fingerprint: 64 hexadecimal digits, colons allowed'),
  },
  ELASTICSEARCH_TIMEOUT_MS: { parse: ms(100, 600_000), fallback: '10000', unit: 'ms' },
  ELASTICSEARCH_MAX_RESPONSE_BYTES: {
    parse: whole(262_144, 104_857_600, 'bytes'),
    fallback: '1048576',
    unit: 'bytes',
  },
  MAX_ERROR_BYTES: { parse: whole(1, 67_108_864, 'bytes'), fallback: '1048576', unit: 'bytes' },
  CONCURRENCY: { parse: whole(1, 1_000, 'attempts'), fallback: '50' },
  MAX_CONCURRENCY: { parse: whole(1, 1_000, 'attempts'), fallback: '400' },
  CIRCUIT_FAILURES: { parse: whole(1, 10_000, 'failures'), fallback: '10' },
  PROBE_INTERVAL_MS: { parse: ms(100, 600_000), fallback: '2000', unit: 'ms' },
  REDIS_SILENCE_MS: { parse: ms(100, 600_000), fallback: '10000', unit: 'ms' },
  STUCK_AFTER_MS: { parse: ms(1_000, 3_600_000), fallback: '45000', unit: 'ms' },
  MAX_ATTEMPTS: { parse: whole(1, 1_000, 'attempts'), fallback: '25' },
  MAX_AGE_MS: { parse: ms(1_000, 365 * DAY_MS), fallback: String(DAY_MS), unit: 'ms' },
  BACKOFF_BASE_MS: { parse: ms(1, 3_600_000), fallback: '1000', unit: 'ms' },
  BACKOFF_CAP_MS: { parse: ms(1, DAY_MS), fallback: '60000', unit: 'ms' },
  OUTAGE_DELAY_MS: { parse: ms(1, 3_600_000), fallback: '1000', unit: 'ms' },
  OUTAGE_DELAY_CAP_MS: { parse: ms(1, DAY_MS), fallback: '5000', unit: 'ms' },
  NOT_RUNNING_MAX_MS: { parse: ms(0, 365 * DAY_MS), fallback: '600000', unit: 'ms' },
  NOT_RUNNING_DELAY_MS: { parse: ms(1, DAY_MS), fallback: '15000', unit: 'ms' },
  WORKER_NAME: { parse: text('a name') },
  LOCK_DURATION_MS: { parse: ms(1_000, 600_000), fallback: '10000', unit: 'ms' },
  STALLED_INTERVAL_MS: { parse: ms(100, 600_000), fallback: '2500', unit: 'ms' },
  MAX_CRASHES: { parse: whole(3, 100, 'crashes'), fallback: '5' },
  SWEEP_INTERVAL_MS: { parse: ms(100, DAY_MS), fallback: '15000', unit: 'ms' },
  DEAD_LETTER_MAX_AGE_MS: { parse: ms(1_000, 3_650 * DAY_MS), unit: 'ms' },
  DEAD_LETTER_MAX_COUNT: { parse: whole(1, 1_000_000_000, 'dead letters') },
  SHUTDOWN_GRACE_MS: { parse: ms(0, 600_000), fallback: '15000', unit: 'ms' },
  HTTP_HOST: { parse: text('a host name or address'), fallback: '127.0.0.1' },
  HTTP_PORT: { parse: whole(0, 65_535, '') },
  HTTP_TLS_CERT_FILE: { parse: text('a path to a PEM file') },
  HTTP_TLS_KEY_FILE: { parse: text('a path to a PEM file') },
  HTTP_MAX_BODY_BYTES: { parse: whole(1_024, 268_435_456, 'bytes'), fallback: '16777216', unit: 'bytes' },
  HTTP_MAX_ITEMS: { parse: whole(1, 1_000_000, 'reports'), fallback: '10000' },
  HTTP_BODY_TIMEOUT_MS: { parse: ms(100, 3_600_000), fallback: '30000', unit: 'ms' },
  HTTP_REQUESTS_PER_SECOND: { parse: whole(1, 1_000_000, 'requests'), fallback: '20000' },
  HTTP_CORS_ORIGINS: { parse: origins },
  API_KEYS: {
    parse: z.string().transform((raw, context) => {
      const keys = parseApiKeys(raw);
      if (keys !== undefined) return keys;
      context.addIssue(API_KEYS_FORM);
      return z.NEVER;
    }),
    secret: true,
  },
  MAX_BACKLOG: { parse: whole(1, 1_000_000_000, 'reports'), fallback: '1000000' },
  LOG_LEVEL: { parse: z.enum(LOG_LEVELS, `one of ${LOG_LEVELS.join(', ')}`), fallback: 'info' },
};
