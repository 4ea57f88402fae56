import { describe, expect, test } from 'vitest';
import { clientOptions } from '../../../src/adapters/elasticsearch/client-options.ts';
import {
  connectElasticsearch,
  type ElasticsearchOptions,
} from '../../../src/adapters/elasticsearch/connector-api.ts';

const SECRET = 'correct-horse-battery';
const cloud = (text: string): string => `my-deployment:${btoa(text)}`;

const options = (changed: Partial<ElasticsearchOptions>): ElasticsearchOptions => ({
  nodes: ['http://127.0.0.1:9200'],
  requestTimeoutMs: 1_000,
  maxResponseBytes: 1_000,
  ...changed,
});

describe('options are refused', () => {
  const basic = { kind: 'basic', username: 'elastic', password: SECRET } as const;
  const refused: [string, Partial<ElasticsearchOptions>][] = [
    ['no node and no cloud id', { nodes: [] }],
    ['a node and a cloud id', { cloudId: cloud('eu.example.org$abc$def') }],
    ['an address that is none', { nodes: [`http//elastic:${SECRET}@host`] }],
    ['an address with a bad port', { nodes: [`https://elastic:${SECRET}@host:99999`] }],
    ['an address of another scheme', { nodes: [`ftp://elastic:${SECRET}@host`] }],
    ['an address with a query', { nodes: [`http://host/?key=${SECRET}`] }],
    ['an address with a user and no password', { nodes: [`http://${SECRET}@host`] }],
    ['an address with a badly encoded password', { nodes: [`http://elastic:${SECRET}%zz@host`] }],
    ['an address with a user beside other credentials', { nodes: [`http://e:${SECRET}@host`], auth: basic }],
    ['addresses with two users', { nodes: [`http://a:${SECRET}@host`, `http://b:${SECRET}@host2`] }],
    ['a cloud id without parts', { nodes: [], cloudId: cloud(SECRET) }],
    ['a cloud id that is no base64', { nodes: [], cloudId: `name:${SECRET}!` }],
    ['a cloud id that leads elsewhere', { nodes: [], cloudId: cloud(`host/$user:${SECRET}@evil`) }],
    ['an API key that is not encoded', { auth: { kind: 'api-key', apiKey: `id:${SECRET}` } }],
    ['an API key that breaks the header', { auth: { kind: 'api-key', apiKey: `${SECRET}\r\nX: y` } }],
    ['an empty API key', { auth: { kind: 'api-key', apiKey: '' } }],
    ['a token that breaks the header', { auth: { kind: 'bearer', token: `${SECRET} ` } }],
    ['a user with a colon', { auth: { ...basic, username: 'a:b' } }],
    ['an empty password', { auth: { ...basic, password: '' } }],
    ['a CA that is no PEM', { nodes: ['https://host'], ca: SECRET }],
    ['a CA for plain HTTP', { ca: 'x' }],
    ['a fingerprint that is too short', { nodes: ['https://host'], caFingerprint: 'ab:cd' }],
    ['a fingerprint for plain HTTP', { caFingerprint: 'ab'.repeat(32) }],
  ];

  test.each(refused)('that hold %s, without repeating a value', (_name, changed) => {
    let error: unknown;
    try {
      connectElasticsearch(options(changed));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(Error);
    const { message, stack, cause } = error as Error;
    expect(message).toMatch(/./);
    for (const text of [message, stack, JSON.stringify(error)]) expect(text).not.toContain(SECRET);
    expect(cause).toBeUndefined();
  });
});

describe('a cloud id', () => {
  test.each([
    ['eu.example.org$abc$def', 'https://abc.eu.example.org/'],
    ['eu.example.org$abc', 'https://abc.eu.example.org/'],
    ['eu.example.org:9243$abc$def', 'https://abc.eu.example.org:9243/'],
  ])('of %s leads to the deployment', (text, href) => {
    const { nodes } = clientOptions(options({ nodes: [], cloudId: cloud(text) }));
    expect(nodes).toEqual([{ url: new URL(href) }]);
  });
});
