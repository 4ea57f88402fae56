/** Runs a conformance case against any server and says in what the answer differs. */
import { randomUUID } from 'node:crypto';
import type { ConformanceCase, ConformanceRequest } from './case.ts';

/** A server under test. */
export interface Target {
  readonly url: string;
  /** Sent with every request, such as credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether its credentials go beyond `manage_connector`. */
  readonly mayMonitor: boolean;
}

/** One way in which an answer is not as expected. */
export interface Difference {
  /** `status`, `header x`, or a path into the body. */
  readonly where: string;
  readonly expected: string;
  readonly got: string;
}

interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

type Names = Record<string, string>;

/** Sets the scene, sends the request and compares; an empty list means that all is as expected. */
export async function runCase(target: Target, testCase: ConformanceCase): Promise<Difference[]> {
  const names: Names = { unique: randomUUID() };
  for (const step of testCase.scene ?? []) {
    const { status, body } = await send(target, step, names);
    if (status >= 300) {
      return [
        { where: `scene: ${step.method} ${step.path}`, expected: '2xx', got: `${status} ${show(body)}` },
      ];
    }
    for (const [name, member] of Object.entries(step.save ?? {})) {
      names[name] = String((body as Record<string, unknown>)[member]);
    }
  }
  const received = await send(target, testCase.request, names);
  return compare(testCase, received, names);
}

function compare(testCase: ConformanceCase, received: Received, names: Names): Difference[] {
  const { answer } = testCase;
  const differences: Difference[] = [];
  if (received.status !== answer.status) {
    const got = `${received.status} ${show(received.body)}`;
    differences.push({ where: 'status', expected: String(answer.status), got });
  }
  for (const [name, expected] of Object.entries(answer.headers ?? {})) {
    differences.push(...compareValue(`header ${name}`, fill(expected, names), received.headers.get(name)));
  }
  if ('body' in answer) differences.push(...compareValue('body', fill(answer.body, names), received.body));
  return differences;
}

async function send(target: Target, request: ConformanceRequest, names: Names): Promise<Received> {
  const hasBody = request.body !== undefined;
  const body = fill(request.body, names);
  const response = await fetch(new URL(fillText(request.path, names, encodeURIComponent), target.url), {
    method: request.method,
    headers: {
      ...target.headers,
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
      ...(fill(request.headers, names) as Record<string, string> | undefined),
    },
    ...(hasBody ? { body: typeof body === 'string' ? body : JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parseIfJson(text) };
}

function parseIfJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function fill(value: unknown, names: Names): unknown {
  if (typeof value === 'string') return fillText(value, names, (text) => text);
  if (Array.isArray(value)) return value.map((item) => fill(item, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fill(member, names)]));
}

function fillText(text: string, names: Names, encode: (text: string) => string): string {
  return text.replace(/\{([a-z]+)\}/g, (whole, name: string) => {
    const value = names[name];
    return value === undefined ? whole : encode(value);
  });
}

function compareValue(where: string, expected: unknown, got: unknown): Difference[] {
  const differs = [{ where, expected: show(expected), got: show(got) }];
  if (typeof expected !== 'object' || expected === null) return Object.is(expected, got) ? [] : differs;
  if (Array.isArray(expected)) {
    if (!Array.isArray(got) || got.length !== expected.length) return differs;
    return expected.flatMap((item, at) => compareValue(`${where}[${at}]`, item, got[at]));
  }
  if ('$any' in expected) return got === undefined || got === null ? differs : [];
  if ('$matches' in expected) {
    return typeof got === 'string' && new RegExp(String(expected.$matches), 's').test(got) ? [] : differs;
  }
  if (typeof got !== 'object' || got === null || Array.isArray(got)) return differs;
  const isPartial = '$has' in expected;
  const members = (isPartial ? expected.$has : expected) as Record<string, unknown>;
  const differences = Object.entries(members).flatMap(([name, member]) =>
    compareValue(`${where}.${name}`, member, (got as Record<string, unknown>)[name]),
  );
  if (isPartial) return differences;
  const surplus = Object.keys(got).filter((name) => !Object.hasOwn(members, name));
  return [
    ...differences,
    ...surplus.map((name) => ({
      where: `${where}.${name}`,
      expected: 'nothing',
      got: show((got as Record<string, unknown>)[name]),
    })),
  ];
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** Differences as a table in plain text. */
export function renderDifferences(
  rows: readonly { readonly name: string; readonly differences: readonly Difference[] }[],
): string {
  const lines = rows.flatMap(({ name, differences }) =>
    differences.map(({ where, expected, got }) => [name, where, expected, got]),
  );
  const header = ['case', 'where', 'expected', 'got'];
  const widths = header.map((title, at) =>
    Math.min(60, Math.max(title.length, ...lines.map((line) => (line[at] ?? '').length))),
  );
  return [header, widths.map((width) => '-'.repeat(width)), ...lines]
    .map((line) => line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '))
    .join('\n');
}
