/** Reads faults from JSON and from the short form of the command line. */
import { cannedBodies } from './canned-answers.ts';
import type { Fault, FaultEffect, FaultScope } from './fault.ts';

/** Members each kind has of its own; a question mark marks those that may be left out. */
const members: Readonly<Record<FaultEffect['kind'], Readonly<Record<string, string>>>> = {
  status: { status: 'number', body: 'string?', retryAfter: 'retry?' },
  latency: { latency: 'latency' },
  'rate-limit': { perSecond: 'number', burst: 'number?', retryAfter: 'retry?' },
  refuse: {},
  reset: {},
  blackhole: {},
  cut: { afterBytes: 'number' },
  'wrong-content-length': { difference: 'number' },
  'lose-response': {},
  html: {},
  'huge-body': { bytes: 'number' },
  'product-header': { value: 'string-or-null' },
  'auth-loss': {},
  'read-only': { floodStage: 'boolean?' },
  'version-conflict': {},
};

const scopeMembers: Readonly<Record<keyof FaultScope, string>> = {
  probability: 'number?',
  count: 'number?',
  skip: 'number?',
  afterMs: 'number?',
  forMs: 'number?',
  method: 'string?',
  path: 'string?',
};

/** Every kind of fault. */
export const faultKinds: readonly string[] = Object.keys(members);

/**
 * Checks a fault of unknown origin.
 *
 * @throws TypeError saying everything that is wrong with it.
 */
export function parseFault(value: unknown): Fault {
  if (typeof value !== 'object' || value === null) throw new TypeError('fault: expected an object');
  const given = value as Record<string, unknown>;
  const kind = given['kind'];
  const own =
    typeof kind === 'string' && Object.hasOwn(members, kind) ? members[kind as Fault['kind']] : undefined;
  if (own === undefined)
    throw new TypeError(`fault: kind must be one of ${faultKinds.join(', ')}; got ${String(kind)}`);
  const known: Record<string, string> = { ...own, ...scopeMembers };
  const problems: string[] = [];
  for (const name of Object.keys(given)) {
    if (name !== 'kind' && !Object.hasOwn(known, name)) problems.push(`${name}: unknown for ${String(kind)}`);
  }
  for (const [name, form] of Object.entries(known)) {
    const problem = checkMember(given[name], form);
    if (problem !== undefined) problems.push(`${name}: ${problem}`);
  }
  problems.push(...checkValues(given));
  if (problems.length > 0) throw new TypeError(`fault ${String(kind)}: ${problems.join('; ')}`);
  return given as unknown as Fault;
}

function checkMember(value: unknown, form: string): string | undefined {
  if (value === undefined) return form.endsWith('?') ? undefined : 'is missing';
  switch (form.replace('?', '')) {
    case 'retry':
      return typeof value === 'number' || typeof value === 'string'
        ? undefined
        : 'expected a number or a string';
    case 'string-or-null':
      return value === null || typeof value === 'string' ? undefined : 'expected a string or null';
    case 'latency':
      return checkLatency(value);
    default:
      return typeof value === form.replace('?', '') ? undefined : `expected a ${form.replace('?', '')}`;
  }
}

const latencyMembers: Readonly<Record<string, readonly string[]>> = {
  fixed: ['ms'],
  uniform: ['minMs', 'maxMs'],
  'log-normal': ['medianMs', 'sigma'],
};

function checkLatency(value: unknown): string | undefined {
  const given = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const names = latencyMembers[String(given['distribution'])];
  if (names === undefined) return `expected a distribution of ${Object.keys(latencyMembers).join(', ')}`;
  const bad = names.find((name) => typeof given[name] !== 'number' || Number(given[name]) < 0);
  return bad === undefined ? undefined : `${bad} must be a number from 0`;
}

function checkValues(given: Record<string, unknown>): string[] {
  const problems: string[] = [];
  const { probability, status, body, perSecond } = given;
  if (typeof probability === 'number' && !(probability >= 0 && probability <= 1)) {
    problems.push('probability: must be from 0 to 1');
  }
  for (const name of ['count', 'skip', 'afterMs', 'forMs', 'afterBytes', 'bytes', 'burst']) {
    const member = given[name];
    if (typeof member === 'number' && !(member >= 0)) problems.push(`${name}: must not be below 0`);
  }
  if (typeof status === 'number' && !(Number.isInteger(status) && status >= 200 && status <= 599)) {
    problems.push('status: must be from 200 to 599');
  }
  if (typeof perSecond === 'number' && !(perSecond > 0)) problems.push('perSecond: must be above 0');
  if (typeof body === 'string' && !Object.hasOwn(cannedBodies, body)) {
    problems.push(`body: must be one of ${Object.keys(cannedBodies).join(', ')}`);
  }
  if (given['kind'] === 'refuse' && typeof given['forMs'] !== 'number') problems.push('forMs: is missing');
  return problems;
}

/**
 * Reads the short form `kind` or `kind:name=value,name=value`, as in
 * `status:status=503,probability=0.1,path=_error`, `latency:ms=20`, `latency:medianMs=30,sigma=0.8`,
 * `rate-limit:perSecond=50,retryAfter=2`, `refuse:forMs=2000`.
 *
 * @throws TypeError for what is no fault.
 */
export function parseFaultText(text: string): Fault {
  const colon = text.indexOf(':');
  const kind = colon === -1 ? text : text.slice(0, colon);
  const given: Record<string, unknown> = { kind };
  for (const part of colon === -1 ? [] : text.slice(colon + 1).split(',')) {
    const equals = part.indexOf('=');
    if (equals === -1) throw new TypeError(`fault ${kind}: expected name=value, got ${part}`);
    given[part.slice(0, equals)] = readValue(part.slice(equals + 1));
  }
  return parseFault(kind === 'latency' ? gatherLatency(given) : given);
}

function readValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  return text !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;
}

/** On the command line a latency's own members stand beside the scope's. */
function gatherLatency(given: Record<string, unknown>): Record<string, unknown> {
  const latency: Record<string, unknown> = {};
  const rest: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const isOwn = ['distribution', 'ms', 'minMs', 'maxMs', 'medianMs', 'sigma'].includes(name);
    (isOwn ? latency : rest)[name] = value;
  }
  latency['distribution'] ??= 'medianMs' in latency ? 'log-normal' : 'minMs' in latency ? 'uniform' : 'fixed';
  return { ...rest, latency };
}
