import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConfigInvalid, type ConfigProblem, type Environment, readConfig } from '../src/config.ts';
import { CONFIG_OPTIONS, type ConfigOption, type ConfigVariable } from '../src/config-options.ts';

const OPTIONS = Object.entries(CONFIG_OPTIONS) as [ConfigVariable, ConfigOption][];

function failureOf(env: Environment): ConfigInvalid {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigInvalid) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

function problemsOf(env: Environment): readonly ConfigProblem[] {
  return failureOf(env).problems;
}

function file(content: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'sync-error-relay-config-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'value');
  writeFileSync(path, content);
  return path;
}

describe('the defaults', () => {
  test('are accepted by their own options', () => {
    for (const [name, { parse, fallback }] of OPTIONS) {
      if (fallback !== undefined) expect(parse.safeParse(fallback).success, name).toBe(true);
    }
  });

  test('make a configuration out of an empty environment', () => {
    const config = readConfig({});
    expect(config.redis.url).toBe('redis://127.0.0.1:6379');
    expect(config.elasticsearch).toMatchObject({ nodes: ['http://127.0.0.1:9200'], auth: undefined });
    expect(config.http).toBeUndefined();
    expect(config.worker.name).toMatch(/-\d+$/);
  });

  test('stand in for variables that are set to nothing', () => {
    const empty = Object.fromEntries(OPTIONS.map(([name]) => [name, '']));
    expect(readConfig({ ...empty, ES_LOCAL_URL: '', REDIS_URL_FILE: '' })).toEqual(readConfig({}));
  });
});

describe('what is wrong', () => {
  test('is told of every variable at once, with what was expected and what came', () => {
    const problems = problemsOf({
      CONCURRENCY: 'many',
      HTTP_PORT: '65536',
      KEY_PREFIX: 'no-tag',
      ELASTICSEARCH_URL: 'localhost:9200',
      LOG_LEVEL: 'loud',
      MAX_ATTEMPTS: '1.5',
    });
    expect(problems.map(({ variable }) => variable).sort()).toEqual([
      'CONCURRENCY',
      'ELASTICSEARCH_URL',
      'HTTP_PORT',
      'KEY_PREFIX',
      'LOG_LEVEL',
      'MAX_ATTEMPTS',
    ]);
    expect(problems).toContainEqual({
      variable: 'CONCURRENCY',
      expected: 'a whole number of attempts from 1 to 1000',
      got: '"many"',
    });
  });

  test('is one line for each in the message', () => {
    const { message } = failureOf({ CONCURRENCY: '0', LOG_LEVEL: 'a\nb' });
    expect(message.split('\n')).toEqual([
      'CONCURRENCY: expected a whole number of attempts from 1 to 1000, got "0"',
      'LOG_LEVEL: expected one of silent, fatal, error, warn, info, debug, trace, got "a\\nb"',
    ]);
  });

  test.each(['-1', '1e3', '0x10', ' 5', '5 ', '9999999999999999', 'NaN'])(
    'is a number written %j',
    (text) => {
      expect(problemsOf({ MAX_AGE_MS: text }).map(({ variable }) => variable)).toEqual(['MAX_AGE_MS']);
    },
  );

  test('is a cap below its base', () => {
    const problems = problemsOf({ BACKOFF_BASE_MS: '5000', BACKOFF_CAP_MS: '100', OUTAGE_DELAY_MS: '20000' });
    expect(problems).toEqual([
      { variable: 'BACKOFF_CAP_MS', expected: 'at least BACKOFF_BASE_MS, which is 5000', got: '100' },
      { variable: 'OUTAGE_DELAY_CAP_MS', expected: 'at least OUTAGE_DELAY_MS, which is 20000', got: '5000' },
    ]);
  });

  test.each<[string, Environment]>([
    ['ELASTICSEARCH_API_KEY', { ELASTICSEARCH_API_KEY: 'k', ELASTICSEARCH_BEARER_TOKEN: 't' }],
    ['ELASTICSEARCH_PASSWORD', { ELASTICSEARCH_USERNAME: 'u' }],
    ['ELASTICSEARCH_CLOUD_ID', { ELASTICSEARCH_CLOUD_ID: 'c:x', ELASTICSEARCH_URL: 'http://h' }],
    ['ELASTICSEARCH_CLOUD_ID', { ELASTICSEARCH_CLOUD_ID: 'c:x', ES_LOCAL_URL: 'http://h' }],
  ])('is a %s that does not fit what stands beside it', (variable, env) => {
    expect(problemsOf(env).map((problem) => problem.variable)).toEqual([variable]);
  });

  test.each(['ELASTICSEARCH_API_KEY_FILE', 'REDIS_URL_FILE', 'ELASTICSEARCH_CA_FILE'])(
    'is a %s that names no file',
    (variable) => {
      expect(problemsOf({ [variable]: '/no/such/file' })).toEqual([
        { variable, expected: 'a file that can be read', got: 'ENOENT for "/no/such/file"' },
      ]);
    },
  );

  test('is a secret file with nothing in it', () => {
    const problems = problemsOf({ ELASTICSEARCH_API_KEY_FILE: file(' \n') });
    expect(problems.map(({ variable }) => variable)).toEqual(['ELASTICSEARCH_API_KEY_FILE']);
  });
});

describe('a message never holds', () => {
  const SECRET = 'hunter2';

  test.each<[string, Environment]>([
    ['the password of a REDIS_URL', { REDIS_URL: `http://user:${SECRET}@host` }],
    ['a REDIS_URL without a scheme', { REDIS_URL: `user:${SECRET}@host:6379` }],
    ['the password of an ELASTICSEARCH_URL', { ELASTICSEARCH_URL: `ftp://user:${SECRET}@host` }],
    ['a password with a slash in it', { ELASTICSEARCH_URL: `https://user:a/${SECRET}@host` }],
    ['a password with an @ in it', { ELASTICSEARCH_URL: `https://user:a@${SECRET}@host:x` }],
    ['a password with white space in it', { ELASTICSEARCH_URL: `https://user:a b/${SECRET}@host` }],
    ['a password with a line break in it', { ELASTICSEARCH_URL: `ftp://user:a\n${SECRET}@host` }],
    ['a password without a scheme', { ELASTICSEARCH_URL: `elastic:${SECRET}@host:9200` }],
    [
      'a password in a list of nodes',
      { ELASTICSEARCH_URL: `https://elastic:${SECRET}@a,elastic:${SECRET}@b:9200,nonsense` },
    ],
    [
      'credentials that exclude each other',
      { ELASTICSEARCH_API_KEY: SECRET, ELASTICSEARCH_BEARER_TOKEN: SECRET },
    ],
  ])('%s', (_name, env) => {
    expect(JSON.stringify(problemsOf(env))).not.toContain(SECRET);
  });

  test('a REDIS_URL that a file holds', () => {
    const problems = problemsOf({ REDIS_URL_FILE: file(`nonsense ${SECRET}`) });
    expect(JSON.stringify(problems)).not.toContain(SECRET);
  });

  test('any password of any URL that is refused', () => {
    const password = fc.string({ minLength: 1, unit: 'binary' }).map((text) => `${SECRET}${text}`);
    const scheme = fc.constantFrom('', 'ftp://', 'https://', 'http:/', '//');
    fc.assert(
      fc.property(scheme, password, fc.webAuthority(), (prefix, secret, host) => {
        try {
          readConfig({ ELASTICSEARCH_URL: `${prefix}elastic:${secret}@${host}`, REDIS_URL: `x${secret}` });
        } catch (error) {
          expect(String(error)).not.toContain(SECRET);
        }
      }),
    );
  });
});

describe('where a value comes from', () => {
  test('a secret may stand in a file, white space around it left out', () => {
    const config = readConfig({
      ELASTICSEARCH_API_KEY_FILE: file('a2V5\n'),
      REDIS_URL_FILE: file('redis://r\n'),
    });
    expect(config.elasticsearch.auth).toEqual({ kind: 'api-key', apiKey: 'a2V5' });
    expect(config.redis.url).toBe('redis://r');
  });

  test('what is no secret has no file', () => {
    expect(readConfig({ CONCURRENCY_FILE: '/no/such/file' }).worker.concurrency).toBe(50);
  });

  test('a variable counts before its file, and the file before what start-local calls it', () => {
    const path = file('from-file');
    const keyOf = (env: Environment): unknown => readConfig(env).elasticsearch.auth;
    const both = { ELASTICSEARCH_API_KEY_FILE: path, ES_LOCAL_API_KEY: 'from-start-local' };
    expect(keyOf({ ...both, ELASTICSEARCH_API_KEY: 'own' })).toEqual({ kind: 'api-key', apiKey: 'own' });
    expect(keyOf(both)).toEqual({ kind: 'api-key', apiKey: 'from-file' });
    expect(keyOf({ ES_LOCAL_API_KEY: 'k' })).toEqual({ kind: 'api-key', apiKey: 'k' });
  });

  test('the .env of start-local is understood as it is', () => {
    const { elasticsearch } = readConfig({
      ES_LOCAL_PASSWORD: 'pw',
      ES_LOCAL_PORT: '9201',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: start-local writes it so, and Node does not fill it in
      ES_LOCAL_URL: 'http://localhost:${ES_LOCAL_PORT}',
    });
    expect(elasticsearch.nodes).toEqual(['http://localhost:9201']);
    expect(elasticsearch.auth).toEqual({ kind: 'basic', username: 'elastic', password: 'pw' });
  });

  test('a problem names the variable that the value came from', () => {
    expect(problemsOf({ ES_LOCAL_URL: 'nonsense' }).map(({ variable }) => variable)).toEqual([
      'ES_LOCAL_URL',
    ]);
  });

  test('a certificate authority is read from its file', () => {
    expect(readConfig({ ELASTICSEARCH_CA_FILE: file('PEM') }).elasticsearch.ca).toBe('PEM');
  });
});

test('several nodes are separated by commas', () => {
  const { elasticsearch } = readConfig({ ELASTICSEARCH_URL: 'http://a:1, https://b' });
  expect(elasticsearch.nodes).toEqual(['http://a:1', 'https://b']);
});

test('a Cloud ID stands in for every node', () => {
  const { elasticsearch } = readConfig({ ELASTICSEARCH_CLOUD_ID: 'c:x' });
  expect(elasticsearch).toMatchObject({ nodes: [], cloudId: 'c:x' });
});

test('a port of 0 is a port', () => {
  expect(readConfig({ HTTP_PORT: '0' }).http).toMatchObject({ host: '127.0.0.1', port: 0 });
});
