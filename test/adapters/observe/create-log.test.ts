import { expect, test } from 'vitest';
import { createLog } from '../../../src/adapters/observe/create-log.ts';

function setup() {
  const lines: string[] = [];
  const log = createLog('info', { write: (line: string) => void lines.push(line) });
  return { log, lines };
}

const NAMES = ['apiKey', 'api_key', 'authorization', 'password', 'token', 'url'];

test.each(NAMES)('what stands under %s is gone on three levels and in lists', (name) => {
  const { log, lines } = setup();
  const fields = {
    [name]: 'hunter2-top',
    inner: { kept: 'yes', [name]: 'hunter2-inner', deep: { [name]: { key: 'hunter2-deep' } } },
    list: [{ [name]: 'hunter2-list' }, 'kept too'],
  };
  log.info(fields, 'said');

  expect(lines.join('')).not.toContain('hunter2');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'info',
    msg: 'said',
    [name]: '[redacted]',
    inner: { kept: 'yes', [name]: '[redacted]', deep: { [name]: '[redacted]' } },
    list: [{ [name]: '[redacted]' }, 'kept too'],
  });
});

test('what the caller passed stays as it was', () => {
  const { log } = setup();
  const fields = { inner: { token: 'hunter2' }, password: 'hunter2' };
  log.info(fields, 'said');

  expect(fields).toEqual({ inner: { token: 'hunter2' }, password: 'hunter2' });
});

test('fields that refer to themselves stop nothing', () => {
  const { log, lines } = setup();
  const fields: Record<string, unknown> = { kept: 1 };
  fields['self'] = fields;
  log.info(fields, 'said');

  expect(lines.join('')).toContain('"kept":1');
});
