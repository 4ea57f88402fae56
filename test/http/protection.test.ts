import { expect, test } from 'vitest';
import { createApiKey } from '../../src/http/api-keys.ts';
import { fakeQueue, injectedDoor } from './setup.ts';

test.each([
  ['an answer', '/livez', 200],
  ['a refusal for want of a key', '/v1/dead-letters', 401],
  ['a path that there is not', '/nowhere', 404],
  ["a refusal in Elasticsearch's words", '/_nowhere', 400],
  ['a page', '/docs', 200],
])('%s says what a browser may not do with it', async (_what, url, status) => {
  const { line } = createApiKey('somebody', ['read']);
  const door = await injectedDoor(fakeQueue(), { API_KEYS: line });
  const { statusCode, headers } = await door.inject(url);
  expect(statusCode).toBe(status);
  expect(headers).toMatchObject({
    'content-security-policy': "default-src 'none';style-src 'self';frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'SAMEORIGIN',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
  });
  expect(headers).not.toHaveProperty('x-powered-by');
  // Only HTTPS may promise HTTPS.
  expect(headers).not.toHaveProperty('strict-transport-security');
});
